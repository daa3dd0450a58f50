import { describe, expect, it } from "vitest";
import { z } from "zod";
import { holdDocument } from "../../test/document.ts";
import { configJsonSchema } from "./json-schema.ts";

const good = {
  version: 1,
  bucket: { endpoint: "https://nas.example:9000", name: "homelab", credentials: { file: "s3.ini" } },
  repository: { password: { env: "PASSWORD" } },
};

/** As an editor would check it. */
const accepts = (config: unknown): boolean =>
  z.fromJSONSchema(configJsonSchema() as Parameters<typeof z.fromJSONSchema>[0]).safeParse(config).success;

describe("the JSON schema of holdfast.yaml", () => {
  it("is what docs/holdfast.schema.json has", async () => {
    const text = `${JSON.stringify(configJsonSchema(), undefined, 2)}\n`;
    await expect(holdDocument("docs/holdfast.schema.json", text, "json-schema")).resolves.toBeUndefined();
  });

  it("asks for nothing that has a default", () => {
    expect(accepts(good)).toBe(true);
    expect(accepts({ ...good, policy: { rpo: "7d" } })).toBe(true);
  });

  it.each([
    ["a setting that does not exist", { ...good, polcy: {} }],
    ["a setting that does not exist further down", { ...good, bucket: { ...good.bucket, nmae: "x" } }],
    ["a missing setting", { version: 1, repository: good.repository }],
    ["another version", { ...good, version: 2 }],
    ["a wrong type", { ...good, policy: { keep: { daily: "7" } } }],
    ["a volume without its namespace", { ...good, volumes: { expectEmpty: ["inbox"] } }],
  ])("refuses %s", (_, config) => {
    expect(accepts(config)).toBe(false);
  });
});
