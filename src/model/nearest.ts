/** Levenshtein distance; cost: product of the lengths. */
const distance = (a: string, b: string): number => {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (previous[j - 1] ?? 0) + Number(a[i - 1] !== b[j - 1]);
      current.push(Math.min(replaced, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
};

/** Score of a candidate: small is near. A candidate that contains the wanted text is always near. */
const score = (wanted: string, candidate: string): number => {
  const [a, b] = [wanted.toLowerCase(), candidate.toLowerCase()];
  if (a === b) return 0;
  if (b.includes(a) || a.includes(b)) return 0.5;
  const lastPart = b.split("/").at(-1) ?? b;
  return Math.min(distance(a, b), distance(a.split("/").at(-1) ?? a, lastPart) + 0.5);
};

/** The names that somebody who typed `wanted` may have meant, nearest first; none when nothing is near. */
export const nearest = (wanted: string, names: readonly string[], most = 3): readonly string[] => {
  const limit = Math.max(2, Math.floor(wanted.length / 3));
  return names
    .map((name) => ({ name, score: score(wanted, name) }))
    .filter((candidate) => candidate.score <= limit)
    .toSorted((a, b) => a.score - b.score || (a.name < b.name ? -1 : 1))
    .slice(0, most)
    .map(({ name }) => name);
};
