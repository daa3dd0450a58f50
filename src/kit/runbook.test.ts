import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import type { Kit } from "./kit.ts";
import { runbook } from "./runbook.ts";
import { aKit, kitSecrets } from "./testing/kits.ts";

const withBucket = (bucket: Partial<Kit["bucket"]>): string => {
  const kit = aKit();
  return runbook({ ...kit, bucket: { ...kit.bucket, ...bucket } });
};

describe("the runbook", () => {
  it("names this very cluster, its bucket and its versions, and no secret", () => {
    const { runbook: text } = aKit();
    for (const part of [
      'cluster "home"',
      "uid-of-kube-system",
      "https://nas.lab:9000",
      "v1.33.4",
      "v1.18.3",
      "2026-11-23",
    ])
      expect(text).toContain(part);
    for (const secret of kitSecrets) expect(text).not.toContain(secret);
  });

  it("tells how to open it with Holdfast and with age alone, and what to do with Holdfast and with kopia alone", () => {
    const { runbook: text } = aKit();
    expect(text).toContain("  holdfast kit show KIT --secrets -o json >kit.json");
    expect(text).toContain("  age -d -i FILE KIT >kit.json");
    expect(text).toContain("  holdfast points\n");
    expect(text).toContain("  holdfast restore NAMESPACE/CLAIM\n");
    expect(text).toContain(
      "  kopia repository connect s3 --bucket homelab --endpoint nas.lab:9000 --region home --prefix velero/kopia/NAMESPACE/ --root-ca-pem-path bucket-ca.pem --readonly",
    );
  });

  it("says what is different without TLS, without a prefix, and with names that a shell would take apart", () => {
    expect(withBucket({ endpoint: "http://nas.lab:9000" })).toContain("--disable-tls");
    expect(withBucket({ prefix: "" })).toContain("--prefix kopia/NAMESPACE/");
    expect(withBucket({ name: "it's $HOME" })).toContain(String.raw`--bucket 'it'\''s $HOME'`);
  });

  it("leaves out what the kit does not have", () => {
    const { ca: _, ...bucket } = aKit().bucket;
    const { nas: __, ...rest } = aKit();
    const text = runbook({ ...rest, bucket });
    expect(text).not.toMatch(/NAS_KEY|THE NAS|ca-pem|bucket-ca/);
  });

  it("has commands that a shell can read", () => {
    const commands = aKit()
      .runbook.split("\n")
      .filter((line) => line.startsWith("  ") && !line.includes("://"))
      .map((line) => line.replace(/ {3,}.*$/, ""));
    expect(commands.length).toBeGreaterThan(12);
    expect(() => execFileSync("sh", ["-n"], { input: commands.join("\n") })).not.toThrow();
  });
});
