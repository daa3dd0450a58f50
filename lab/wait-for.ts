/** Waiting for something that other programs do. */
import { setTimeout as sleep } from "node:timers/promises";

/** Each question costs a program's start, which on a small machine delays what is waited for. */
const pollMs = 250;

/** Asks again until the answer is yes. An `ask` that throws says no, and why: the last reason is part of the error. */
export const waitFor = async (what: string, seconds: number, ask: () => Promise<boolean>): Promise<void> => {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    let reason: unknown;
    try {
      if (await ask()) return;
    } catch (error) {
      reason = error;
    }
    if (performance.now() > deadline) {
      const why = reason instanceof Error ? `: ${reason.message}` : "";
      throw new Error(`${what} is not ready after ${seconds} s${why}`, { cause: reason });
    }
    await sleep(pollMs);
  }
};
