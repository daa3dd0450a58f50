import * as fc from "fast-check";
import { expect, it } from "vitest";
import { linesOf } from "./lines.ts";

const readAll = async (chunks: readonly Uint8Array[]): Promise<string[]> => {
  const lines: string[] = [];
  const bytes = (async function* () {
    yield* chunks;
  })();
  for await (const line of linesOf(bytes)) lines.push(line);
  return lines;
};

it("gives the same lines however the bytes are cut", async () => {
  const text = fc.array(
    fc.string({ unit: "binary" }).map((line) => line.replaceAll(/[\r\n]/g, "")),
    { minLength: 1 },
  );
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.nat(40)), async (lines, cuts) => {
      const bytes = Buffer.from(`${lines.join("\n")}\n`);
      const chunks: Uint8Array[] = [];
      let rest: Uint8Array = bytes;
      for (const cut of cuts) {
        chunks.push(rest.subarray(0, cut));
        rest = rest.subarray(cut);
      }
      expect(await readAll([...chunks, rest])).toEqual(lines.map((line) => Buffer.from(line).toString()));
    }),
  );
});

it("counts a last line without an end, and takes both kinds of line ends", async () => {
  expect(await readAll([Buffer.from("a\r\nb\n\nc")])).toEqual(["a", "b", "", "c"]);
  expect(await readAll([])).toEqual([]);
});
