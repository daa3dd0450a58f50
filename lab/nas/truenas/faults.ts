/** Being wrong on purpose: what the next calls of a method do instead of their work, or around it. */
import { z } from "zod";
import { CallError } from "./call-error.ts";
import { type Role, roleNames } from "./roles.ts";

const refusals = {
  /** The pool is full. */
  "no-space": new CallError("out of space", "ENOSPC"),
  "read-only": new CallError("pool is read-only", "EROFS"),
  suspended: new CallError("pool I/O is currently suspended", "EIO"),
} as const;

export const faultSchema = z.strictObject({
  /** A method's name as it is called; "*" is any. */
  method: z.string().min(1),
  /** How many calls; 1 by default. */
  times: z.int().min(1).default(1),
  fault: z.discriminatedUnion("kind", [
    /** The connection ends and nothing was done. */
    z.strictObject({ kind: z.literal("drop-before") }),
    /** The connection ends when everything was done. */
    z.strictObject({ kind: z.literal("drop-after") }),
    /** Everything is done at once, and the answer comes after so many ms. */
    z.strictObject({ kind: z.literal("late"), ms: z.number().min(0) }),
    z.strictObject({ kind: z.enum(["no-space", "read-only", "suspended"]) }),
    /** The caller lacks this role, whatever it was given. */
    z.strictObject({ kind: z.literal("without-role"), role: z.enum(roleNames) }),
  ]),
});

export type PlannedFault = z.output<typeof faultSchema>;
type Fault = PlannedFault["fault"];

/** The connection is to end without an answer. */
export class Dropped extends Error {
  constructor() {
    super("the connection is dropped on purpose");
    this.name = "Dropped";
  }
}

export class Faults {
  readonly #planned: { readonly method: string; left: number; readonly fault: Fault }[] = [];

  plan({ method, times, fault }: PlannedFault): void {
    this.#planned.push({ method, left: times, fault });
  }

  clear(): void {
    this.#planned.length = 0;
  }

  /** What is still to come. */
  planned(): readonly object[] {
    return this.#planned.filter(({ left }) => left > 0);
  }

  /** The fault of this call, which counts it. */
  next(method: string): Fault | undefined {
    const entry = this.#planned.find((one) => one.left > 0 && (one.method === method || one.method === "*"));
    if (entry === undefined) return undefined;
    entry.left -= 1;
    return entry.fault;
  }
}

/** Throws what a fault refuses a call with, before its work. */
export const refuseWith = (fault: Fault | undefined): void => {
  if (fault === undefined) return;
  if (fault.kind === "drop-before") throw new Dropped();
  if (fault.kind === "no-space" || fault.kind === "read-only" || fault.kind === "suspended") throw refusals[fault.kind];
};

/** The role that a fault takes from the caller. */
export const roleTaken = (fault: Fault | undefined): Role | undefined =>
  fault?.kind === "without-role" ? fault.role : undefined;
