import { describe, expect, it } from "vitest";
import { BadSelector, fieldMatcher, labelMatcher } from "./selectors.ts";

const labelled = (labels: Record<string, string>) => ({ metadata: { name: "a", namespace: "media", labels } });

describe("selectors", () => {
  it.each([
    ["", true],
    ["app=sonarr", true],
    ["app==sonarr,tier!=cache", true],
    ["app = sonarr , tier = web", true],
    ["app in (radarr, sonarr),tier", true],
    ["app notin (radarr,sonarr)", false],
    ["other notin (a)", true],
    ["!other", true],
    ["!app", false],
    ["other!=a", true],
    ["empty=", true],
    ["app=", false],
  ])("%s", (selector, expected) => {
    expect(labelMatcher(selector)(labelled({ app: "sonarr", tier: "web", empty: "" }))).toBe(expected);
  });

  it.each(["a=b=c", "a in b", "a in (b", "=b", "a,,b"])("do not take %s", (selector) => {
    expect(() => labelMatcher(selector)).toThrow(BadSelector);
  });

  it("select pods by their node and phase", () => {
    const pod = { metadata: { name: "a" }, spec: { nodeName: "n" }, status: { phase: "Running" } };
    expect(fieldMatcher("pods", "spec.nodeName=n,status.phase!=Failed")(pod)).toBe(true);
    expect(fieldMatcher("pods", "spec.nodeName=")(pod)).toBe(false);
    expect(() => fieldMatcher("pods", "spec.image=x")).toThrow("field label not supported: spec.image");
    expect(() => fieldMatcher("backups", "status.phase=x")).toThrow(BadSelector);
    expect(() => fieldMatcher("pods", "nonsense")).toThrow(BadSelector);
  });
});
