/** Whether what `npm run build` has made is as new as the sources. Asked with each start, so it has to be quick. */
import { readdirSync, statSync } from "node:fs";

const made = ["dist/cli/main.mjs", "dist/agent.mjs"];
/** What it is made of, beside `src`. */
const others = ["package-lock.json", "rolldown.config.mjs"];

/** ms since 1970; -Infinity for what is not there. */
const changed = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Number.NEGATIVE_INFINITY;

/** Of a folder and all that is in it. The folder counts too: its time changes when a file goes. */
const changedBelow = (folder) => {
  const within = readdirSync(folder, { withFileTypes: true }).map((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? changedBelow(path) : changed(path);
  });
  return Math.max(changed(folder), ...within);
};

export const isBuilt = (root) => {
  const at = (name) => `${root}/${name}`;
  return Math.min(...made.map(at).map(changed)) > Math.max(changedBelow(at("src")), ...others.map(at).map(changed));
};
