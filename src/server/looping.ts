/** Work that is done whenever something has changed, and every now and then even if nothing has. */
import type { Clock } from "../context.ts";
import { follow } from "../systems/kubernetes/aborting.ts";
import { backoffDelay, type Backoff, type Randomness } from "../systems/kubernetes/backoff.ts";

/** Rings for one who waits. Rung while nobody waits, it ends the next wait at once; often is the same as once. */
export class Alarm {
  #isRung = false;
  #waiting: AbortController | undefined;

  readonly ring = (): void => {
    this.#isRung = true;
    this.#waiting?.abort();
  };

  /** Returns when it rings, the time is over, or the signal aborts. */
  async wait(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
    if (!this.#isRung) {
      this.#waiting = new AbortController();
      await pause(clock, milliseconds, signal, this.#waiting);
      this.#waiting = undefined;
    }
    this.#isRung = false;
  }
}

/** Sleeps; returns early, without an error, when the signal aborts. */
export const pause = async (
  clock: Clock,
  milliseconds: number,
  signal: AbortSignal,
  stop = new AbortController(),
): Promise<void> => {
  const unfollow = follow(signal, stop);
  try {
    if (!stop.signal.aborted && milliseconds > 0) await clock.sleep(milliseconds, stop.signal);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  } finally {
    unfollow();
  }
};

export interface Looping extends Randomness {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly alarm: Alarm;
  /** ms between the end of one run and the beginning of the next, however often the alarm rings. */
  readonly calm: number;
  /** Gives the ms after which it wants to run again at the latest. */
  readonly work: () => Promise<number>;
  readonly onFailure: (error: unknown) => void;
}

const backoff: Backoff = { first: 1000, most: 60_000 };

/** Until the signal aborts. Never twice at once; a run that fails is told, and tried again after a growing time. */
export const looping = async (options: Looping): Promise<void> => {
  const { clock, signal, alarm, calm } = options;
  for (let failures = 0; !signal.aborted;) {
    let next: number;
    try {
      next = await options.work();
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      options.onFailure(error);
      next = backoff.first + backoffDelay(backoff, failures, options, undefined);
      failures += 1;
    }
    await pause(clock, calm, signal);
    await alarm.wait(clock, next - calm, signal);
  }
};
