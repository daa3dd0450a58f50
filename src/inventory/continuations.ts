/** Which datasets go on with another one's history: told by a user property that a restore sets on the clone it makes. */
import type { Continuations, Past } from "../model/lineage.ts";
import type { Dataset } from "../systems/nas/port.ts";

/** Local to the clone, and made with it: it is there as long as the clone is, also while the bucket is away. */
export const continuesProperty = "holdfast.dev:continues";

/** The property's value for a clone that takes the place of what `past` describes. */
export const continuesValue = ({ lineage, pv }: Past): string => JSON.stringify({ lineage, pv });

/** Values that are not ours are passed over: then copies count for less than they could, never for more. */
export const continuationsOf = (datasets: readonly Dataset[]): Continuations =>
  new Map(
    datasets.flatMap(({ guid, properties }) => {
      const past = parseValue(properties[continuesProperty] ?? "");
      return past === undefined ? [] : [[guid, past] as const];
    }),
  );

const parseValue = (text: string): Past | undefined => {
  try {
    const { lineage, pv } = (JSON.parse(text) ?? {}) as Partial<Record<keyof Past, unknown>>;
    return typeof lineage === "string" && typeof pv === "string" ? { lineage, pv } : undefined;
  } catch {
    // SyntaxError is the only way in which JSON.parse says no.
    return undefined;
  }
};
