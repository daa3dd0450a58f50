/** Maps with at most `limit` calls under way; results in the order of the items. The first error ends it. */
export const mapLimited = async <T, R>(items: readonly T[], limit: number, map: (item: T) => Promise<R>): Promise<readonly R[]> => {
  const results: R[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await map(item);
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker));
  return results;
};
