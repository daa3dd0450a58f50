/** What the loops share while this process leads: the cluster as it may change it, and where they tell what they do. */
import type { Clock } from "../context.ts";
import type { Randomness } from "../systems/kubernetes/backoff.ts";
import type { Kubernetes } from "../systems/kubernetes/port.ts";
import { fieldsOf, type Log, whatOf } from "./log.ts";
import type { ServerStanding } from "./standing.ts";
import type { Watched } from "./watched.ts";

export interface Term extends Randomness {
  /** Every write asks first whether the Lease is certainly ours. */
  readonly kubernetes: Kubernetes;
  readonly clock: Clock;
  /** Aborts when the term ends. */
  readonly signal: AbortSignal;
  readonly watched: Watched;
  readonly standing: ServerStanding;
  readonly log: Log;
}

/** Tells of a failure; the same one about the same thing is told once, until that thing succeeds. */
export const tellFailure = ({ standing, log }: Term, about: string, error: unknown): void => {
  standing.failures += 1;
  const text = whatOf(error);
  if (standing.failing.get(about) === text) return;
  standing.failing.set(about, text);
  log("error", "failed", `${about}: ${text}`, { about, ...fieldsOf(error) });
};

export const tellSuccess = ({ standing, log }: Term, about: string): void => {
  if (standing.failing.delete(about)) log("info", "recovered", `${about}: it works again`, { about });
};
