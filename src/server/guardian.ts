/** Brings the guard to what it should be, again and again: new volumes, openings that are over, claims that may go. */
import { isFailure } from "../model/failure.ts";
import { type GuardView, policyLacks, readGuardView } from "../guard/protect/view.ts";
import type { Mode } from "../guard/protect/mode.ts";
import type { Operations } from "../operation/operations.ts";
import { carryOutTasks } from "./carry-out-tasks.ts";
import { type Decision, decide } from "./decide.ts";
import { type Alarm, looping } from "./looping.ts";
import { Patience } from "./patience.ts";
import { tellFailure, tellSuccess, type Term } from "./term.ts";
import type { Asked } from "./watched.ts";

export interface GuardianOptions {
  /** Mode of volumes that are not guarded yet. */
  readonly mode: Mode;
  readonly operations: Operations;
  /** Holdfast's own, where the locks are. */
  readonly namespace: string;
  readonly isRecorded: (uid: string) => boolean;
  /** Throws FENCED while the bucket is another cluster's. */
  readonly demandOwnBucket: () => Promise<void>;
}

/** ms after a change, so that what comes together is done together. */
const calm = 500;
/** ms: a pass without any change. */
const lookAgain = 60_000;
/** ms for which answers about rights and the bucket's owner count. */
const askEvery = 60_000;

export class Guardian {
  readonly #term: Term;
  readonly #options: GuardianOptions;
  readonly #patience = new Patience();
  #asked: (Asked & { readonly at: number }) | undefined;
  #waiting: ReadonlySet<string> = new Set();

  constructor(term: Term, options: GuardianOptions) {
    this.#term = term;
    this.#options = options;
  }

  /** Until the term ends. */
  run(alarm: Alarm): Promise<void> {
    const randomId = (length: number): string => this.#term.randomId(length);
    const onFailure = (error: unknown): void => tellFailure(this.#term, "guarding", error);
    return looping({ ...this.#term, randomId, alarm, calm, work: () => this.#pass(), onFailure });
  }

  async #pass(): Promise<number> {
    const { watched, standing, clock } = this.#term;
    standing.lastTurn = clock.now();
    standing.missing = watched.missing;
    if (standing.missing.length > 0) return lookAgain;
    const asked = await this.#ask();
    const view = () => watched.view(asked);
    const decision = this.#decide(view());
    standing.volumes = decision.states;
    standing.lastReconcile = clock.now();
    tellSuccess(this.#term, "guarding");
    this.#tellWaiting(decision);
    if (standing.fenced !== undefined) return lookAgain;
    const due = decision.tasks.filter(({ key }) => this.#patience.isDue(key, clock.now()));
    const fresh = async () => {
      const now = await readGuardView(this.#term.kubernetes);
      return { view: now, tasks: this.#decide(now).tasks };
    };
    await carryOutTasks(due, { term: this.#term, options: this.#options, patience: this.#patience, view, fresh });
    this.#patience.tidy(clock.now());
    return this.#untilNext(decision);
  }

  #decide(view: GuardView): Decision {
    const { mode, isRecorded } = this.#options;
    return decide(view, { mode, now: this.#term.clock.now(), isRecorded });
  }

  #untilNext({ tasks, nextEnd }: Decision): number {
    const now = this.#term.clock.now();
    const keys = tasks.map(({ key }) => key);
    return Math.min(
      lookAgain,
      this.#patience.wait(keys, now) ?? lookAgain,
      (nextEnd ?? Number.POSITIVE_INFINITY) - now,
    );
  }

  /** What no watch tells. */
  async #ask(): Promise<Asked> {
    const { kubernetes, clock, standing, log } = this.#term;
    const now = clock.now();
    if (this.#asked !== undefined && now - this.#asked.at < askEvery) return this.#asked;
    const [version, lacks] = await Promise.all([kubernetes.version(), policyLacks(kubernetes)]);
    const was = standing.fenced;
    try {
      await this.#options.demandOwnBucket();
      standing.fenced = undefined;
    } catch (error) {
      if (isFailure(error, "FENCED")) standing.fenced = error.why ?? error.what;
      else if (!isOfBucket(error)) throw error;
    }
    if (standing.fenced !== undefined && was === undefined)
      log("error", "fenced", `Only bytes are kept, nothing else is changed: ${standing.fenced}`);
    this.#asked = { version, lacks, at: now };
    return this.#asked;
  }

  #tellWaiting({ waiting }: Decision): void {
    const now = waiting.map(({ volume, for: what }) => `${volume} is being deleted, and waits for ${what}`);
    for (const text of now) if (!this.#waiting.has(text)) this.#term.log("info", "waiting", text);
    this.#waiting = new Set(now);
  }
}

/** A bucket that does not answer says nothing about its owner. */
const isOfBucket = (error: unknown): boolean =>
  isFailure(error) && (error.code.startsWith("BUCKET_") || error.code === "SECRET_UNREADABLE");
