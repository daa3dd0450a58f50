import { describe, expect, it } from "vitest";
import { Failure } from "../model/failure.ts";
import { parseConfig } from "./read.ts";

const good = `version: 1
bucket:
  endpoint: https://nas.example:9000
  name: homelab
  credentials:
    file: s3.ini
repository:
  password:
    env: REPO_PASSWORD
`;

const problemsIn = (text: string): string => {
  try {
    parseConfig(text, "holdfast.yaml");
  } catch (error) {
    if (error instanceof Failure && error.code === "CONFIG_INVALID") return error.why ?? "";
    throw error;
  }
  throw new Error("the file was accepted");
};

describe("holdfast.yaml", () => {
  it("gets its defaults", () => {
    const config = parseConfig(good, "holdfast.yaml");
    expect(config.policy).toEqual({
      rpo: "24h",
      timeZone: "UTC",
      undoFor: "7d",
      rememberFor: "90d",
      keep: { daily: 7, weekly: 4 },
    });
    expect(config.velero.namespace).toBe("velero");
    expect(config.bucket.prefix).toBe("");
  });

  it("shows file, line, column and the nearest key of an unknown setting", () => {
    const why = problemsIn(good.replace("  name: homelab", "  nmae: homelab"));
    expect(why).toContain("holdfast.yaml:4:9");
    expect(why).toContain('bucket.nmae: there is no such setting; did you mean "name"?');
    expect(why).toContain("    nmae: …\n");
  });

  it("shows all problems at once, in the order of the file", () => {
    const why = problemsIn(`${good}policy:\n  rpo: soon\n  timeZone: Moon\n  keep: {daily: 0}\n`);
    expect(why.indexOf("policy.rpo")).toBeGreaterThan(0);
    expect(why.indexOf("policy.timeZone")).toBeGreaterThan(why.indexOf("policy.rpo"));
    expect(why.indexOf("policy.keep.daily")).toBeGreaterThan(why.indexOf("policy.timeZone"));
  });

  it("names a setting that is missing", () => {
    expect(problemsIn("version: 1\n")).toContain("bucket: this setting is required");
  });

  it("shows where the YAML itself is broken", () => {
    expect(problemsIn("version: 1\nbucket: [\n")).toMatch(/holdfast\.yaml:\d+:\d+: /);
  });

  it("refuses a secret in the file, and does not show it", () => {
    const why = problemsIn(
      good
        .replace("    env: REPO_PASSWORD", "    value: hunter2")
        .replace("  name: homelab", "  name: homelab\n  secretAccessKey: hunter2"),
    );
    expect(why).not.toContain("hunter2");
    expect(why).toContain("secrets are never written here");
  });

  it.each([
    ["a key of the NAS", "nas:\n  kind: truenas\n  url: wss://nas\n  user: a\n  parents: [tank/k8s]\n  key: hunter2\n"],
    ["an identity among the kit's recipients", "kit:\n  recipients:\n    - AGE-SECRET-KEY-1HUNTER2\n"],
    ["an identity beside the kit's recipients", "kit:\n  recipients: AGE-SECRET-KEY-1HUNTER2\n"],
  ])("does not show %s that is written into the file", (_, text) => {
    expect(problemsIn(`${good}${text}`)).not.toMatch(/hunter2/i);
  });

  it("wants exactly one source for a secret", () => {
    expect(problemsIn(good.replace("    env: REPO_PASSWORD", "    env: A\n    file: b"))).toContain(
      "give exactly one of file, env, secret",
    );
  });
});
