import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

/** The real clock and real randomness, for tests with real sockets. */
export const realWorld = {
  clock: {
    now: () => new Date().getTime(),
    sleep: async (milliseconds: number, signal?: AbortSignal) => {
      try {
        await sleep(milliseconds, undefined, signal ? { signal } : {});
      } catch (error) {
        throw signal?.aborted === true ? signal.reason : error;
      }
    },
  },
  randomId: (length: number) => Array.from(randomBytes(length), (byte) => (byte % 36).toString(36)).join(""),
};

/** A clock that jumps to the end of each sleep, and remembers how long they were. */
export const jumpingClock = () => {
  let now = Date.UTC(2026, 0, 1);
  const slept: number[] = [];
  return {
    slept,
    now: () => now,
    sleep: async (milliseconds: number, signal?: AbortSignal) => {
      signal?.throwIfAborted();
      slept.push(milliseconds);
      now += milliseconds;
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
};

/** A clock that a test moves by hand. */
export const handClock = () => {
  let now = Date.UTC(2026, 0, 1);
  let waiting: { readonly at: number; readonly wake: () => void }[] = [];
  return {
    now: () => now,
    sleep: (milliseconds: number, signal?: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        signal?.throwIfAborted();
        const abort = (): void => reject(signal?.reason as Error);
        const wake = (): void => {
          signal?.removeEventListener("abort", abort);
          resolve();
        };
        waiting.push({ at: now + milliseconds, wake });
        signal?.addEventListener("abort", abort, { once: true });
      }),
    /** Moves on, and lets what was waiting for that run. */
    advance: async (milliseconds: number) => {
      now += milliseconds;
      const due = waiting.filter(({ at }) => at <= now);
      waiting = waiting.filter(({ at }) => at > now);
      for (const { wake } of due) wake();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
};

/** Lets everything that is due without time passing happen: the twin's controllers answer a turn later each. */
export const settled = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};
