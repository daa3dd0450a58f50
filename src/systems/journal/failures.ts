import { Failure } from "../../model/failure.ts";

/** Somebody else has written the entry: the operation is not ours any more. */
export const taken = (operation: string, number: number): Failure =>
  new Failure("LOCK_LOST", {
    what: `Another process has gone on with the operation ${operation}.`,
    why: `entry ${number} of its journal is there already`,
    todo: `\`holdfast operations show ${operation}\` shows where it stands.`,
  });

export const damaged = (operation: string, why: string, cause?: unknown): Failure =>
  new Failure("JOURNAL_UNREADABLE", {
    what: `The journal of the operation ${operation} cannot be read.`,
    why,
    ...(cause === undefined ? {} : { cause }),
  });
