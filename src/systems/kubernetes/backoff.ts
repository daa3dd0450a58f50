/** Where randomness comes from (Context). */
export interface Randomness {
  randomId(length: number): string;
}

/** A number from 0 up to 1 out of the Context's only randomness. */
export const randomFraction = (randomness: Randomness): number => Number.parseInt(randomness.randomId(8), 36) / 36 ** 8;

/** How waiting grows from attempt to attempt, in milliseconds. */
export interface Backoff {
  readonly first: number;
  readonly most: number;
}

/**
 * Full jitter: anything between nothing and the bound, so that many clients do not come back at the same moment.
 * A time that the server named is waited in full, with the jitter on top.
 */
export const backoffDelay = (
  backoff: Backoff,
  attempt: number,
  randomness: Randomness,
  atLeast: number | undefined,
): number => {
  const bound = Math.min(backoff.most, backoff.first * 2 ** Math.min(attempt, 30));
  return Math.round((atLeast ?? 0) + randomFraction(randomness) * bound);
};
