/** How strongly a volume is guarded, and the keys by which the cluster remembers it. */

/**
 * "deny": deletion is refused. "hold": deletion is accepted and waits, unfinished, for an answer. "bin": deletion passes,
 * and the bytes stay. "off": nothing of Holdfast's is on it.
 */
export const modes = ["deny", "hold", "bin", "off"] as const;
export type Mode = (typeof modes)[number];

/** Holds the mode on everything that the guard covers. "off", from the user, keeps Holdfast away from a claim. */
export const guardKey = "holdfast.dev/guard";
/** Opens the guard of the one object whose UID it holds: deletion passes, and so does taking the guard away. */
export const openingKey = "holdfast.dev/allow-delete";
/** When the opening ends, RFC 3339. */
export const openingUntilKey = "holdfast.dev/allow-delete-until";
/** On PVs: the reclaim policy that Retain took the place of. */
export const reclaimKey = "holdfast.dev/reclaim-policy-before-guard";

export const isMode = (text: string | undefined): text is Mode => modes.some((mode) => mode === text);

interface Annotated {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>>; readonly uid?: string };
}

/** The mode that an object carries. */
export const modeOf = ({ metadata }: Annotated): Mode => {
  const text = metadata.annotations?.[guardKey];
  return isMode(text) ? text : "off";
};

/** True when the object's own UID opens its guard: a copy of the annotation on another object opens nothing. */
export const isOpen = ({ metadata }: Annotated): boolean =>
  metadata.uid !== undefined && metadata.annotations?.[openingKey] === metadata.uid;

/** When an opening ends, in ms since 1970: Infinity for one without an end; undefined when the object is not open. */
export const openUntil = (object: Annotated): number | undefined => {
  if (!isOpen(object)) return undefined;
  const until = object.metadata.annotations?.[openingUntilKey];
  if (until === undefined) return Number.POSITIVE_INFINITY;
  const end = Date.parse(until);
  return Number.isNaN(end) ? 0 : end;
};
