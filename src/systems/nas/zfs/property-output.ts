/** What `zfs get` prints of properties whose values may be anything. */

/** A property that is set on a dataset. */
export interface PropertyName {
  readonly dataset: string;
  readonly property: string;
}

export interface PropertyValue {
  readonly name: PropertyName;
  readonly value: string;
}

/** The lines of `zfs get -H -o name,property all`. */
export const parsePropertyNames = (text: string): readonly PropertyName[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [dataset = "", property = ""] = line.split("\t");
      return { dataset, property };
    });

const recordStart = /^[^\t]+\t[^\t]+\t/;

/**
 * The values in the lines of `zfs get -H -o name,property,value all`. A value may hold tabs and line feeds, so a line of
 * it can look like another property's. `names` tells which properties there are: where more than one line could be the
 * beginning of one, this gives undefined, and each value is to be asked for alone.
 */
export const parsePropertyValues = (
  text: string,
  names: readonly PropertyName[],
): readonly PropertyValue[] | undefined => {
  const awaited = new Map(names.map((name) => [`${name.dataset}\t${name.property}\t`, name]));
  const starts = new Set(awaited.keys());
  const found: { readonly name: PropertyName; value: string }[] = [];
  for (const line of text.replace(/\n$/, "").split("\n")) {
    const start = recordStart.exec(line)?.[0] ?? "";
    const name = awaited.get(start);
    if (name === undefined && starts.has(start)) return undefined;
    awaited.delete(start);
    const last = found.at(-1);
    if (name !== undefined) found.push({ name, value: line.slice(start.length) });
    else if (last !== undefined) last.value += `\n${line}`;
  }
  return awaited.size === 0 ? found : undefined;
};
