/** Words to a command line for sh. */
import { invalid } from "../refusals.ts";

/** What no shell does anything with, wherever it stands in a word. */
const plain = /^[A-Za-z0-9_./-][A-Za-z0-9_./@%+=:,-]*$/;

const quoted = (word: string): string => {
  // No program can be given one: its arguments end there.
  if (word.includes("\0")) throw invalid(word.replaceAll("\0", "\\0"), "it has a NUL in it");
  return plain.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
};

/** A command line that sh takes apart into exactly these words. Throws NAS_REFUSED for a NUL. */
export const commandLine = (words: readonly string[]): string => words.map(quoted).join(" ");
