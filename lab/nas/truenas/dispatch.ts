/** From a method's name and arguments to its result: does it exist here, may the caller, is it to fail on purpose. */
import { setTimeout as sleep } from "node:timers/promises";
import { readArguments } from "./arguments.ts";
import { CallError } from "./call-error.ts";
import { Dropped, refuseWith, roleTaken } from "./faults.ts";
import type { Job } from "./jobs.ts";
import type { Call, Method } from "./method.ts";
import { methods } from "./methods.ts";
import type { Release } from "./release.ts";
import type { Role } from "./roles.ts";

/** The method of a name, or undefined where the release does not have it. */
export const findMethod = (name: string, release: Release): Method | undefined =>
  methods.find((method) => method.name === name && method.releases.includes(release));

/** Throws ENOTAUTHENTICATED or EACCES. */
const authorize = ({ access }: Method, { session }: Call, taken: Role | undefined): void => {
  if (access === "anybody") return;
  if (session.identity === undefined) throw new CallError("Not authenticated", "ENOTAUTHENTICATED");
  if (access === "logged-in") return;
  const { roles } = session;
  const has = (role: Role): boolean => roles.has(role) && role !== taken;
  if (!access.some(has) && !(roles.has("FULL_ADMIN") && taken === undefined))
    throw new CallError("Not authorized", "EACCES");
};

export interface Request {
  readonly method: Method;
  readonly params: readonly unknown[];
  /** The message's id, which a job remembers. */
  readonly id?: unknown;
}

/** What a call gives: its result, or the job that it started. */
export type Outcome = { readonly result: unknown } | { readonly job: Job };

/** Runs a call to its end, and starts its job. Throws what the method throws, and `Dropped` when no answer may follow. */
export const dispatch = async (call: Call, { method, params, id }: Request): Promise<Outcome> => {
  const fault = call.world.faults.next(method.name);
  authorize(method, call, roleTaken(fault));
  refuseWith(fault);
  const args = readArguments(method.parameters, params);
  const work = async (): Promise<unknown> => {
    await call.world.remounts.settle();
    return method.run(call, args);
  };
  const outcome = method.job
    ? { job: call.world.jobs.start({ method: method.name, params, messageId: id, work }) }
    : { result: await work() };
  if (fault?.kind === "late") await sleep(fault.ms);
  if (fault?.kind === "drop-after") throw new Dropped();
  return outcome;
};
