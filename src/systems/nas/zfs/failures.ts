/** What `zfs` means by its error texts. zfs-fuse and OpenZFS word some differently: only what both share is matched. */
import type { FailureCode } from "../../../model/failure-catalogue.ts";
import { Failure } from "../../../model/failure.ts";
import type { Answer } from "./shell.ts";

const texts: readonly (readonly [FailureCode, RegExp])[] = [
  // sudo's refusals are among them: what needs root is asked for with `sudo -n`.
  [
    "NAS_FORBIDDEN",
    /permission denied|insufficient privileges|operation not permitted|must be (super-?user|root)|a password is required|is not in the sudoers|not allowed to (run|execute)|only be mounted by root|env: .*sudo.*(no such file|not found)/i,
  ],
  ["NAS_UNSUPPORTED", /(env|sh|bash): .*(zfs|zpool).*(no such file|not found)|ZFS modules are not loaded/i],
  ["NAS_EXISTS", /dataset already exists|conflicting snapshot '|conflicts with '/],
  ["NAS_MISSING", /dataset does not exist|parent does not exist|no such (pool|parent)|could not find any snapshots/],
  ["NAS_HAS_CLONES", /dependent clones|clones of previous snapshots exist/],
  ["NAS_HAS_CHILDREN", /has children/],
  ["NAS_BUSY", /is busy|resource busy|EBUSY/i],
  ["NAS_FULL", /out of space|no space left|quota exceeded/i],
  ["NAS_READ_ONLY", /pool is read-only|read-only file system|dataset is read.only|currently suspended/i],
];

/** The code of what a text of `zfs` on standard error tells of. */
export const codeOfText = (text: string): FailureCode =>
  texts.find(([, pattern]) => pattern.test(text))?.[0] ?? "NAS_REFUSED";

const todos: Partial<Record<FailureCode, string>> = {
  NAS_UNSUPPORTED: "Is OpenZFS 0.8 or newer installed on the machine that nas.url names?",
  NAS_FORBIDDEN: "docs/nas/zfs.md has the `zfs allow` line, and the sudo rule for what only root can mount.",
};

const longest = 2000;

/** The failure of a command that ended with another code than 0. `doing` continues "The NAS could not ". */
export const zfsFailure = (doing: string, { code, stderr, stdout }: Answer): Failure => {
  const text = (stderr.trim() || stdout.trim() || `exit code ${code}`).slice(0, longest);
  const failureCode = codeOfText(text);
  const todo = todos[failureCode];
  return new Failure(failureCode, {
    what: `The NAS could not ${doing}.`,
    why: text,
    ...(todo === undefined ? {} : { todo }),
  });
};

/** What was printed is not what OpenZFS prints. */
export const oddOutput = (command: string, line: string): Failure =>
  new Failure("NAS_REFUSED", {
    what: `The NAS' answer to \`${command}\` could not be understood.`,
    why: `a line of it is ${JSON.stringify(line.slice(0, longest))}`,
  });
