/** Maps with at most `limit` calls under way; results in the order of the items. The first error ends it. */
export const mapLimited = async <T, R>(
  items: readonly T[],
  limit: number,
  map: (item: T) => Promise<R>,
): Promise<readonly R[]> => {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await map(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
};

/**
 * Like `mapLimited`, for work that must not outlive its failure: the first error aborts the signal of all others, and is
 * thrown when everything that began has ended. An abort of `outer` reaches all of them.
 */
export const mapTogether = async <T>(
  items: readonly T[],
  limit: number,
  work: (item: T, signal: AbortSignal) => Promise<void>,
  outer: AbortSignal,
): Promise<void> => {
  const failed = new AbortController();
  const signal = AbortSignal.any([outer, failed.signal]);
  const errors: unknown[] = [];
  await mapLimited(items, limit, async (item) => {
    if (signal.aborted) return;
    try {
      await work(item, signal);
    } catch (error) {
      errors.push(error);
      failed.abort(error);
    }
  });
  if (errors.length > 0) throw errors[0];
  outer.throwIfAborted();
};
