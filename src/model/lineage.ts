/**
 * What a volume is through time (docs/design/lineage.md). A lineage is kept as text: "driver:handle", with the GUID of
 * the dataset behind it where that is known: "driver:handle@zfs:1234". Records from before GUIDs have only the first part.
 */

export interface Lineage {
  /** "driver:handle". */
  readonly volume: string;
  /** Decimal text; undefined where the dataset was not known. */
  readonly guid: string | undefined;
}

const withGuid = /^(.*)@zfs:(\d+)$/s;

export const formatLineage = ({ volume, guid }: Lineage): string =>
  guid === undefined ? volume : `${volume}@zfs:${guid}`;

export const parseLineage = (text: string): Lineage => {
  const [, volume, guid] = withGuid.exec(text) ?? [];
  return volume === undefined ? { volume: text, guid: undefined } : { volume, guid };
};

/**
 * The GUIDs decide where both are known: names and handles are used again, GUIDs are not, and they stay when a dataset is
 * renamed, promoted, or taken over by another driver. Where one is not known, driver and handle decide.
 */
export const isSameLineage = (a: string, b: string): boolean => {
  const [one, other] = [parseLineage(a), parseLineage(b)];
  return one.guid === undefined || other.guid === undefined ? one.volume === other.volume : one.guid === other.guid;
};

/** What a volume was before a restore gave it another dataset. */
export interface Past {
  readonly lineage: string;
  /** Name of its PV then: all that Velero's own records say. */
  readonly pv: string;
}

/** By the GUID of the dataset that continues it. */
export type Continuations = ReadonlyMap<string, Past>;

/** What a lineage continues, newest first. A record that leads back to itself ends there. */
export const pastsOf = (lineage: string, continuations: Continuations): readonly Past[] => {
  const pasts: Past[] = [];
  const seen = new Set<string>();
  let { guid } = parseLineage(lineage);
  while (guid !== undefined && !seen.has(guid)) {
    seen.add(guid);
    const past = continuations.get(guid);
    if (past === undefined) break;
    pasts.push(past);
    ({ guid } = parseLineage(past.lineage));
  }
  return pasts;
};

/** True when a copy that was made of `then` ("pv:NAME" where only the PV's name is known) is a copy of this volume. */
export const continues = (present: Past, then: string, continuations: Continuations): boolean =>
  [present, ...pastsOf(present.lineage, continuations)].some(
    ({ lineage, pv }) => isSameLineage(lineage, then) || then === `pv:${pv}`,
  );
