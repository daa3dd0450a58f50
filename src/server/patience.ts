/** How long what was tried is left alone before it is tried again: longer each time, also when it succeeds and comes undone. */
interface Tried {
  readonly times: number;
  readonly last: number;
  readonly notBefore: number;
}

/** ms */
const first = 1000;
const most = 300_000;
/** After so long without a try, somebody who undid it is not at it any more. */
const forgotten = 600_000;

export class Patience {
  readonly #tried = new Map<string, Tried>();

  isDue(key: string, now: number): boolean {
    return now >= (this.#tried.get(key)?.notBefore ?? 0);
  }

  /** To be called when it is tried. `atMost`: ms, where waiting long helps nobody. */
  trying(key: string, now: number, atMost = most): void {
    const before = this.#tried.get(key);
    const times = before === undefined || now - before.last > forgotten ? 1 : before.times + 1;
    const wait = Math.min(atMost, first * 2 ** Math.min(times - 1, 20));
    this.#tried.set(key, { times, last: now, notBefore: now + wait });
  }

  /** ms until the first of these is due; undefined when there is none. */
  wait(keys: readonly string[], now: number): number | undefined {
    const waits = keys.map((key) => Math.max(0, (this.#tried.get(key)?.notBefore ?? 0) - now));
    return waits.length === 0 ? undefined : Math.min(...waits);
  }

  /** Forgets what was not tried for long. */
  tidy(now: number): void {
    for (const [key, { last, notBefore }] of this.#tried)
      if (now - last > forgotten && now > notBefore) this.#tried.delete(key);
  }
}
