import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { type Answer, printAnswer } from "./answer.ts";
import { outputFormats, type OutputFormat } from "./flags.ts";
import { fakeContext } from "./testing/fake-context.ts";

const answer: Answer = {
  data: {
    volumes: [
      { name: "media/a", reason: undefined, age: 1 },
      { name: "media/b", age: null },
    ],
  },
  heads: ["NAME"],
  rows: [["media/a"], ["media/b"]],
  wideHeads: ["NODE"],
  wideRows: [["n1"], ["n2"]],
  names: ["media/a", "media/b"],
  footer: "2 volumes",
  empty: "There are no volumes.",
};

const printed = async (format: OutputFormat, part: Partial<Answer> = {}): Promise<string> => {
  const context = fakeContext();
  await printAnswer(context.stdout, format, { ...answer, ...part });
  expect(context.err()).toBe("");
  return context.out();
};

describe("an answer", () => {
  it("is a table with its footer", async () => {
    expect(await printed("table")).toBe("NAME\nmedia/a\nmedia/b\n\n2 volumes\n");
  });

  it("is a wider table on request", async () => {
    expect(await printed("wide")).toBe("NAME      NODE\nmedia/a   n1\nmedia/b   n2\n\n2 volumes\n");
    const { wideHeads: _, wideRows: __, footer: ___, ...narrow } = answer;
    const context = fakeContext();
    await printAnswer(context.stdout, "wide", narrow);
    expect(context.out()).toBe("NAME\nmedia/a\nmedia/b\n");
  });

  it("says that there is nothing, instead of heads without rows", async () => {
    expect(await printed("table", { rows: [] })).toBe("There are no volumes.\n");
    expect(await printed("wide", { rows: [] })).toBe("There are no volumes.\n");
  });

  it("is names alone, one a line, and nothing at all when there are none", async () => {
    expect(await printed("name")).toBe("media/a\nmedia/b\n");
    expect(await printed("name", { names: [] })).toBe("");
  });

  it("is the same data in JSON and YAML, also without rows", async () => {
    const wanted = {
      volumes: [
        { name: "media/a", age: 1 },
        { name: "media/b", age: null },
      ],
    };
    expect(JSON.parse(await printed("json"))).toEqual(wanted);
    expect(parse(await printed("yaml"))).toEqual(wanted);
    expect(JSON.parse(await printed("json", { rows: [], data: { volumes: [] } }))).toEqual({ volumes: [] });
  });

  it.each(outputFormats)("ends its last line as %s", async (format) => {
    expect(await printed(format)).toMatch(/[^\n]\n$/);
  });
});
