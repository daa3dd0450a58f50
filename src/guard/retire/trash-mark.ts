/** How a PersistentVolume remembers that it lies in the trash. Its `claimRef` says which volume it was. */
import type { PersistentVolume } from "../../inventory/raw.ts";

/** When it was retired, RFC 3339. */
export const trashKey = "holdfast.dev/trash";
/** The recovery point that has its last good copy. */
export const trashPointKey = "holdfast.dev/trash-point";
/** Its driver was told to delete it. */
export const emptyingKey = "holdfast.dev/trash-emptying";

export const trashKeys = [trashKey, trashPointKey, emptyingKey] as const;

type Annotated = Pick<PersistentVolume, "metadata">;

/** The annotations that make it trash; none for what is not. */
export const trashMarkOf = ({ metadata: { annotations = {} } }: Annotated): Readonly<Record<string, string>> =>
  Object.fromEntries(
    trashKeys.flatMap((key) => (annotations[key] === undefined ? [] : [[key, annotations[key]] as const])),
  );

export const isTrash = ({ metadata }: Annotated): boolean => metadata.annotations?.[trashKey] !== undefined;

export const isEmptying = ({ metadata }: Annotated): boolean => metadata.annotations?.[emptyingKey] !== undefined;

/** ms since 1970; undefined when nobody can read it. */
export const retiredAt = ({ metadata }: Annotated): number | undefined => {
  const time = Date.parse(metadata.annotations?.[trashKey] ?? "");
  return Number.isNaN(time) ? undefined : time;
};
