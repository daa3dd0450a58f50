/** Documents that are made from the sources: a test holds them to it, and rewrites them when it is asked to. */
import { readFile, writeFile } from "node:fs/promises";

/** Throws, naming the command that rewrites the file, when it is not what it should be. `test` is the test's name. */
export const holdDocument = async (file: string, wanted: string, test: string): Promise<void> => {
  const path = new URL(`../${file}`, import.meta.url);
  if (process.env.UPDATE === "1") await writeFile(path, wanted);
  const present = await readFile(path, "utf8").catch(() => "");
  if (present !== wanted) throw new Error(`${file} is not up to date; rewrite it: UPDATE=1 npm run unit -- ${test}`);
};
