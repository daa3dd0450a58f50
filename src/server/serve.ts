/** The server: waits until it leads, guards until it does not any more, and so on until it is told to end. */
import { setMaxListeners } from "node:events";
import type { Clock } from "../context.ts";
import { isFailure } from "../model/failure.ts";
import type { Mode } from "../guard/protect/mode.ts";
import { type Holder, Locks, type LockTimes } from "../operation/locks.ts";
import type { Operations } from "../operation/operations.ts";
import { follow } from "../systems/kubernetes/aborting.ts";
import { backoffDelay, type Randomness } from "../systems/kubernetes/backoff.ts";
import { fenced } from "../systems/kubernetes/fenced.ts";
import { interruptible } from "../systems/kubernetes/interruptible.ts";
import type { Kubernetes } from "../systems/kubernetes/port.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { goOnWithOwn } from "./carry-out-tasks.ts";
import { watchingFreezes } from "./freezes.ts";
import { Guardian, type GuardianOptions } from "./guardian.ts";
import { keeping } from "./keeper.ts";
import { type Log, fieldsOf, whatOf } from "./log.ts";
import { Alarm, pause } from "./looping.ts";
import { serveLock } from "./names.ts";
import { Recorder } from "./recorder.ts";
import { anotherLeads, type ServerStanding } from "./standing.ts";
import { tellFailure, type Term } from "./term.ts";
import { Watched } from "./watched.ts";

export interface ServeOptions extends Randomness {
  readonly kubernetes: Kubernetes;
  readonly clock: Clock;
  /** Aborts when the server is to end. */
  readonly signal: AbortSignal;
  /** Holdfast's own namespace, where locks and journals are. */
  readonly namespace: string;
  /** Makes that namespace when it is missing. */
  readonly prepare: () => Promise<void>;
  /** Shown to others: "node-1". */
  readonly who: string;
  readonly mode: Mode;
  readonly log: Log;
  readonly standing: ServerStanding;
  /** The engine over this port; `signal` ends its waiting. */
  readonly openOperations: (kubernetes: Kubernetes, signal: AbortSignal) => Operations;
  /** Writes the inventory to the bucket when it differs from the newest one there. */
  readonly record: () => Promise<void>;
  /** Throws FENCED while the bucket is another cluster's. */
  readonly demandOwnBucket: () => Promise<void>;
}

/** Shorter than an operation's: while nobody leads, nobody keeps bytes. */
const leaseTimes: LockTimes = { duration: 15_000, renewEvery: 3000, margin: 5000, lookEvery: 1000 };
/** ms that what has begun may take after the signal to end. */
const grace = 5000;
const backoff = { first: 1000, most: 15_000 };

/** Returns soon after the signal aborts. Throws nothing but defects: whatever the cluster does, it goes on trying. */
export const serve = async (options: ServeOptions): Promise<void> => {
  const { clock, signal, log, standing } = options;
  const hard = new AbortController();
  const ended = new AbortController();
  const onSignal = (): void => {
    void pause(clock, grace, ended.signal).then(() => hard.abort(signal.reason));
  };
  signal.addEventListener("abort", onSignal, { once: true });
  const holder: Holder = { operation: "serve", run: options.randomId(8), what: `holdfast serve on ${options.who}` };
  while (!signal.aborted) {
    const locks = await lead({ ...options, kubernetes: interruptible(options.kubernetes, hard.signal) }, holder);
    if (locks === undefined) break;
    log("info", "leading", "this one leads");
    Object.assign(standing, { isLeader: true, lastTurn: clock.now() });
    await serveTerm(options, locks, hard.signal);
    standing.failing.clear();
    Object.assign(standing, { isLeader: false, waitsFor: "its lease was lost", lastReconcile: undefined, freezes: [] });
    if (locks.signal.aborted) log("warn", "lease-lost", whatLost(locks.signal));
    await letLeaseGo(locks, log);
  }
  ended.abort();
  signal.removeEventListener("abort", onSignal);
  log("info", "ended", "ended");
};

const whatLost = ({ reason }: AbortSignal): string =>
  `nothing more is done: the lease was lost${isFailure(reason) && reason.why !== undefined ? `, ${reason.why}` : ""}`;

/** What cannot be let go runs out by itself. */
const letLeaseGo = async (locks: Locks, log: Log): Promise<void> => {
  try {
    await locks.release();
  } catch (error) {
    log("warn", "lease-left", `the lease runs out by itself: ${whatOf(error)}`, fieldsOf(error));
  }
};

/** Waits as long as another one leads, or the cluster does not answer. Undefined when the signal aborts. */
const lead = async (options: ServeOptions, holder: Holder): Promise<Locks | undefined> => {
  const { kubernetes, clock, signal, namespace, log, standing } = options;
  const world = { kubernetes, clock, namespace, times: leaseTimes };
  for (let failures = 0; !signal.aborted;) {
    try {
      await options.prepare();
      return await Locks.acquire(world, [serveLock], holder, signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      const isLed = isFailure(error, "LOCKED");
      const waitsFor = isLed ? `${anotherLeads}: ${error.why ?? ""}` : whatOf(error);
      if (waitsFor !== standing.waitsFor)
        log(isLed ? "info" : "error", isLed ? "standing-by" : "failed", waitsFor, isLed ? {} : fieldsOf(error));
      standing.waitsFor = waitsFor;
      failures = isLed ? 0 : failures + 1;
      if (!isLed) await pause(clock, 500 + backoffDelay(backoff, failures, options, undefined), signal);
    }
  }
  return undefined;
};

/** Until the lease is lost or the server is to end; what has begun then is waited for, as long as `hard` allows. */
const serveTerm = async (options: ServeOptions, locks: Locks, hard: AbortSignal): Promise<void> => {
  const { clock, standing, log } = options;
  const over = new AbortController();
  // Every watch and every call under way listens: that is no leak to warn of.
  setMaxListeners(0, over.signal, hard);
  const unfollow = [follow(options.signal, over), follow(locks.signal, over)];
  const kubernetes = interruptible(
    fenced(options.kubernetes, () => locks.demand()),
    hard,
  );
  const watched = new Watched();
  const randomId = (length: number): string => options.randomId(length);
  const term: Term = { kubernetes, clock, signal: over.signal, watched, standing, log, randomId };
  const alarms = { keeper: new Alarm(), guardian: new Alarm(), recorder: new Alarm(), freezes: new Alarm() };
  const record = async (): Promise<void> => {
    locks.demand();
    await options.record();
  };
  const recorder = new Recorder(term, { record, onRecorded: alarms.guardian.ring });
  const operations = options.openOperations(kubernetes, hard);
  const guarding: GuardianOptions = { ...options, operations, isRecorded: recorder.has };
  await Promise.all([
    watched.run({
      kubernetes,
      clock,
      randomId,
      signal: over.signal,
      onChange: ({ plural }) => {
        const isOfVolumes =
          plural === resources.persistentVolumes.plural || plural === resources.persistentVolumeClaims.plural;
        if (isOfVolumes) alarms.keeper.ring();
        if (isOfVolumes) alarms.recorder.ring();
        if (plural === resources.applications.plural || plural === resources.applicationSets.plural)
          alarms.freezes.ring();
        alarms.guardian.ring();
        standing.missing = watched.missing;
      },
      onFailure: (error) => tellFailure(term, "watching", error),
    }),
    keeping(term, alarms.keeper),
    recorder.run(alarms.recorder),
    watchingFreezes(term, alarms.freezes),
    guard(term, guarding, alarms.guardian),
  ]);
  for (const end of unfollow) end();
};

const guard = async (term: Term, options: GuardianOptions, alarm: Alarm): Promise<void> => {
  try {
    await goOnWithOwn({ term, options });
  } catch (error) {
    if (!term.signal.aborted) tellFailure(term, "resuming what was left", error);
  }
  await new Guardian(term, options).run(alarm);
};
