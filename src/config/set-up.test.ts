/** docs/set-up.md against the program: its examples are parsed, and no setting is left out. */
import { readFile } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { configJsonSchema } from "./json-schema.ts";
import { parseConfig } from "./read.ts";

let text: string;
/** The text of each YAML block. */
let blocks: readonly string[];
beforeAll(async () => {
  text = await readFile(new URL("../../docs/set-up.md", import.meta.url), "utf8");
  blocks = [...text.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, block = ""]) => block);
});

const configs = (): readonly string[] => blocks.filter((block) => /^version: 1$/m.test(block));
const manifest = (kind: string, name: string): { readonly data: Readonly<Record<string, string>> } => {
  const objects = blocks.map(
    (block) => parse(block) as { kind?: string; metadata?: { name: string }; data: Record<string, string> },
  );
  const found = objects.find((object) => object.kind === kind && object.metadata?.name === name);
  if (found === undefined) throw new Error(`set-up.md shows no ${kind} ${name}`);
  return found;
};

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

/** "bucket.credentials.file" and so on, whole subtrees included. */
const settingsOf = (schema: Schema, path = ""): readonly string[] => {
  if (schema.items !== undefined) return settingsOf(schema.items, path);
  return Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => {
    const own = path === "" ? name : `${path}.${name}`;
    return [own].concat(settingsOf(inner, own));
  });
};

const settingsIn = (value: unknown, path = ""): readonly string[] => {
  if (Array.isArray(value)) return value.flatMap((item) => settingsIn(item, path));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => {
    const own = path === "" ? name : `${path}.${name}`;
    return [own].concat(settingsIn(inner, own));
  });
};

describe("docs/set-up.md", () => {
  it("shows files that Holdfast accepts", () => {
    expect(configs()).toHaveLength(4);
    for (const config of configs()) expect(parseConfig(config, "set-up.md").version).toBe(1);
  });

  it("shows every setting that there is", () => {
    const shown = new Set(configs().flatMap((config) => settingsIn(parse(config))));
    expect(settingsOf(configJsonSchema() as Schema).filter((setting) => !shown.has(setting))).toEqual([]);
  });

  it("names the file that the schema is in, for editors", () => {
    expect(configs()[0]).toMatch(/^# yaml-language-server: \$schema=holdfast\.schema\.json\n/);
  });

  it("makes the objects that its holdfast.yaml names", () => {
    const { velero } = parseConfig(configs()[1] ?? "", "set-up.md");
    expect(parse(manifest("ConfigMap", velero.policyConfigMap ?? "").data["policy.yaml"] ?? "")).toMatchObject({
      version: "v1",
    });
    const nodeAgent = manifest("ConfigMap", "node-agent-config").data["node-agent.json"] ?? "";
    expect(JSON.parse(nodeAgent)).toEqual({ loadConcurrency: { globalConfig: 4 } });
    expect(text).toContain("--node-agent-configmap node-agent-config");
  });
});
