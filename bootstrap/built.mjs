/** Whether what `npm run build` has made is as new as the sources. */
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const made = ["dist/cli/main.mjs", "dist/agent.mjs"];
/** What it is made of, beside `src`. */
const others = ["package-lock.json", "rolldown.config.mjs"];

/** ms since 1970; -Infinity for what is not there. */
const changed = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.NEGATIVE_INFINITY;

/** Folders count too: theirs changes when a file goes. */
const below = (folder) => [folder, ...readdirSync(folder, { recursive: true }).map((name) => join(folder, name))];

export const isBuilt = (root) => {
  const at = (name) => join(root, name);
  const sources = [...others.map(at), ...below(at("src"))];
  return Math.min(...made.map(at).map(changed)) > Math.max(...sources.map(changed));
};
