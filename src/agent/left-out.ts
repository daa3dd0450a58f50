/** What a copy lacks, in words for `status` and for a restore's result. Pure. */
import type { TreeEntry } from "../model/tree.ts";
import type { KopiaSnapshot } from "../systems/kopia/port.ts";
import { isKept } from "./directories.ts";

const replacement = "\uFFFD";
const named = 5;

/** "a, b, c and 4 more" */
const list = (texts: readonly string[]): string =>
  texts.length <= named ? texts.join(", ") : `${texts.slice(0, named).join(", ")} and ${texts.length - named} more`;

/** kopia 0.22 counts a tagged directory up to four times: its estimate and its upload look at it, some times twice. */
const timesCounted = 4;

/**
 * True when all that was left out is what Holdfast keeps for an undo, which is nobody's loss. Whatever else is left out
 * shows: by a rule's file, or, where a tag kept it out, by its empty directory.
 */
const onlyKeptIsLeftOut = (
  snapshot: KopiaSnapshot,
  entries: readonly TreeEntry[],
  ignoreFiles: readonly string[],
): boolean => {
  const parents = new Set(entries.map(({ path }) => path.slice(0, Math.max(0, path.lastIndexOf("/")))));
  const empty = entries.filter(({ type, path }) => type === "directory" && !parents.has(path));
  const kept = empty.filter(({ path }) => isKept(path)).length;
  return ignoreFiles.length === 0 && empty.length === kept && snapshot.excluded <= kept * timesCounted;
};

/** Everything about a copy that a user would want to know before relying on it. */
export const leftOutOf = (snapshot: KopiaSnapshot, entries: readonly TreeEntry[]): readonly string[] => {
  const ignoreFiles = entries
    .filter((entry) => entry.type === "file" && entry.path.split("/").at(-1) === ".kopiaignore")
    .map((entry) => entry.path);
  const strange = entries.filter((entry) => entry.path.includes(replacement)).map((entry) => entry.path);
  const others = entries.filter((entry) => entry.type === "other").map((entry) => entry.path);
  const excluded = onlyKeptIsLeftOut(snapshot, entries, ignoreFiles) ? 0 : snapshot.excluded;
  return [
    ...(excluded === 0
      ? []
      : [
          `${excluded} entries were left out by ignore rules${ignoreFiles.length === 0 ? "" : `: ${list(ignoreFiles)}`}`,
        ]),
    ...(snapshot.failed === 0 ? [] : [`${snapshot.failed} entries could not be read: ${list(snapshot.failures)}`]),
    ...(strange.length === 0 ? [] : [`${strange.length} names are not UTF-8 and come back changed: ${list(strange)}`]),
    ...(others.length === 0 ? [] : [`${others.length} entries of a kind that kopia does not restore: ${list(others)}`]),
  ];
};
