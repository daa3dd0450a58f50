/** The failures that every adapter words alike. */
import { Failure } from "../../model/failure.ts";
import type { Identity } from "./port.ts";

export const taken = (name: string, why?: string): Failure =>
  new Failure("NAS_EXISTS", { what: `"${name}" is already on the NAS.`, ...(why === undefined ? {} : { why }) });

export const missing = (name: string, why?: string): Failure =>
  new Failure("NAS_MISSING", { what: `"${name}" is not on the NAS.`, ...(why === undefined ? {} : { why }) });

/** Something with the name is there, and is another one. */
export const otherGuid = ({ name, guid }: Identity, present: Identity): Failure =>
  missing(name, `what has this name now has the GUID ${present.guid}, and ${guid} was meant: it was made again`);

export const notOurs = (name: string, why: string): Failure =>
  new Failure("NAS_NOT_OURS", { what: `"${name}" is not what was to be removed.`, why });

export const held = (snapshot: string): Failure =>
  new Failure("NAS_BUSY", {
    what: `"${snapshot}" is held.`,
    todo: `\`zfs holds ${snapshot}\` on the NAS tells who holds it; it can be removed once that is released.`,
  });

export const busy = (name: string, why: string): Failure =>
  new Failure("NAS_BUSY", { what: `"${name}" is in use.`, why });

export const hasClones = (snapshot: string, clones: readonly string[]): Failure =>
  new Failure("NAS_HAS_CLONES", {
    what: `"${snapshot}" has clones: ${clones.join(", ")}.`,
  });

export const hasChildren = (dataset: string, children: readonly string[]): Failure =>
  new Failure("NAS_HAS_CHILDREN", { what: `"${dataset}" has datasets below it: ${children.join(", ")}.` });

export const invalid = (name: string, why: string): Failure =>
  new Failure("NAS_REFUSED", { what: `The NAS would not take "${name}".`, why });

/** `instead` is a sentence: what does it where the NAS cannot. */
export const unsupported = (what: string, instead: string): Failure =>
  new Failure("NAS_UNSUPPORTED", { what, todo: instead });
