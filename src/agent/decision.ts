/**
 * The end of a replacement or an exchange. Everything that can fail is made ready first, in every volume; then one rename
 * in the first volume decides for all of them, and from there it only goes forward.
 */
import { lstat, mkdir, rmdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../model/failure.ts";
import { become, directoriesIn, type OurDirectory, stampOf, sweep } from "./directories.ts";
import { setTimes } from "./directory-times.ts";

export interface Times {
  readonly atimeNs: bigint;
  readonly mtimeNs: bigint;
}

/** The first line is the signature of the Cache Directory Tagging Specification; programs that obey it read no further. */
const tag = (operation: string): string =>
  [
    "Signature: 8a477f597d28d172789f06886806bc55",
    `# Holdfast keeps in files/ what was in this volume before operation ${operation}, until it is undone or has expired.`,
    "# The tag keeps it out of backups, which have it from before.",
    "",
  ].join("\n");

/** Makes an aside ready to be kept; `times` are what the root is to have in the end. Everything can still be put back. */
export const prepareDecision = async (root: string, operation: string, times: Times): Promise<void> => {
  const aside = (await directoriesIn(root)).find((one) => one.state === "aside" && one.operation === operation);
  if (aside === undefined)
    throw new Failure("AGENT_FAILED", {
      what: `Nothing that operation ${operation} has set aside is left in the volume.`,
      why: "somebody has put it back, or removed it, in the meantime",
      todo: "Look at the volume's files, then run the restore again.",
    });
  await mkdir(stampOf(aside), { recursive: true });
  await setTimes(stampOf(aside), times);
  await writeFile(join(aside.path, "CACHEDIR.TAG"), tag(operation));
};

/** True when an earlier run has decided the operation in one of these volumes. */
export const isDecided = async (roots: readonly string[], operation: string): Promise<boolean> => {
  const ours = await Promise.all(roots.map(directoriesIn));
  return ours.flat().some((one) => one.operation === operation && isDecision(one));
};

const isDecision = ({ state }: OurDirectory): boolean => state === "kept" || state === "discard";

/** Decides for what lies in the root, and keeps the rest: `putBack` leaves it alone from here on. */
export const decide = async (root: string, operation: string): Promise<void> => {
  for (const one of await directoriesIn(root))
    if (one.state === "aside" && one.operation === operation) await become(one, "kept");
};

/** Decides, in all these volumes, what has been decided in one of them, and tidies up. */
export const finishDecided = async (roots: readonly string[]): Promise<void> => {
  const ours = (await Promise.all(roots.map(directoriesIn))).flat();
  for (const decided of ours.filter(isDecision))
    for (const one of ours)
      if (one.state === "aside" && one.operation === decided.operation) await become(one, decided.state);
  for (const root of roots) await settle(root);
};

/**
 * Removes what a decision has left over and gives the root its times; does nothing where something is undecided. Gives,
 * in words, what could not be removed.
 */
export const settle = async (root: string): Promise<readonly string[]> => {
  const ours = await directoriesIn(root);
  if (ours.some(({ state }) => state === "aside" || state === "moving")) return [];
  const stamps = await Promise.all(ours.filter(isDecision).map(readStamp));
  for (const one of ours) if (one.state === "returning") await become(one, "fresh");
  const leftover = await sweep(root);
  for (const stamp of stamps) {
    if (stamp === undefined) continue;
    await setTimes(root, stamp.times);
    if (stamp.directory.state === "kept") await rmdir(stampOf(stamp.directory));
  }
  return leftover;
};

const readStamp = async (
  directory: OurDirectory,
): Promise<{ readonly directory: OurDirectory; readonly times: Times } | undefined> => {
  try {
    return { directory, times: await lstat(stampOf(directory), { bigint: true }) };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
};
