/** How the middleware words what ZFS refuses. */
import { ZfsError } from "../../zfs/zfs-error.ts";
import { CallError, type ErrorName } from "./call-error.ts";

/** libzfs says less than the command does: one line, without the names in front. */
const short = (said: string): string =>
  said.split("\n")[0]?.replace(/^cannot [^']*'[^']*'(?: to '[^']*')?(?: from '[^']*')?: /, "") ?? said;

const outOfSpace = (error: ZfsError): ErrorName => (error.kind === "no-space" ? "ENOSPC" : "EFAULT");

/** For what the middleware does through libzfs: "Failed to clone snapshot: dataset does not exist". */
export const failedTo = async <T>(
  what: string,
  work: () => Promise<T>,
  names: Partial<Record<string, ErrorName>> = {},
): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ZfsError)) throw error;
    throw new CallError(`Failed to ${what}: ${short(error.said)}`, names[error.kind] ?? outOfSpace(error));
  }
};

/** For what it does with the command: all that the command said. */
export const failedCommand = async <T>(
  what: string,
  work: () => Promise<T>,
  names: Partial<Record<string, ErrorName>> = {},
): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ZfsError)) throw error;
    throw new CallError(`Failed to ${what}: ${error.said}`, names[error.kind] ?? outOfSpace(error));
  }
};
