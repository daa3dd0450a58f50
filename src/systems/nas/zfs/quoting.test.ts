import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { commandLine } from "./quoting.ts";

/** The words that a real sh makes of a line, each ended by a NUL. */
const takenApart = (line: string): readonly string[] =>
  execFileSync("sh", ["-c", `printf '%s\\0' ${line}`], { encoding: "utf8" })
    .split("\0")
    .slice(0, -1);

describe("a command line", () => {
  it.each([
    [["zfs", "list", "-Hp", "tank/a@s"], "zfs list -Hp tank/a@s"],
    [["zfs", "set", "x:y=two words"], "zfs set 'x:y=two words'"],
    [["it's"], String.raw`'it'\''s'`],
    [["", "$HOME", "=ls", "~", "a;id", "*"], "'' '$HOME' '=ls' '~' 'a;id' '*'"],
  ])("of %j is %s", (words, line) => {
    expect(commandLine(words)).toBe(line);
  });

  it("is taken apart by sh into exactly the words that it was made of", () => {
    const word = fc.string({ unit: fc.constantFrom(...Array.from("ab '\"\\$`!*?~#&|;<>(){}[]=%\n\t-ä😀")) });
    const words = fc.array(
      fc.oneof(
        word,
        fc.string({ unit: "binary" }).filter((text) => !text.includes("\0")),
      ),
      {
        minLength: 1,
        maxLength: 8,
      },
    );
    fc.assert(
      fc.property(words, (given) => {
        // Lone surrogates are no text that could be sent.
        const sendable = given.map((one) => Buffer.from(one).toString("utf8"));
        expect(takenApart(commandLine(sendable))).toEqual(sendable);
      }),
      { numRuns: 150 },
    );
  });

  it("holds no NUL, which would end a word early", () => {
    expect(() => commandLine(["a\0b"])).toThrow("NAS_REFUSED");
  });
});
