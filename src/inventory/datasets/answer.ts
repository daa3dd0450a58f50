/**
 * Which dataset is behind a volume, and why. Every driver's file says in `Check`s what has to agree between the PV and
 * the NAS; `judge` counts them. One dataset that agrees in everything is found; anything less is told, never guessed.
 */
import type { Dataset, Exports } from "../../systems/nas/port.ts";

/** What was seen of the NAS, all at about the same time. */
export interface NasView {
  /** Below the configured parents. */
  readonly datasets: readonly Dataset[];
  /** Undefined where shares and targets cannot be read (plain ZFS). */
  readonly exports: Exports | undefined;
  /** Names and addresses under which this NAS is known, lower-case, without ports. */
  readonly addresses: readonly string[];
}

/** A dataset that something speaks for, and what speaks against it. */
export interface Candidate {
  readonly dataset: Dataset;
  readonly speaksFor: readonly string[];
  readonly speaksAgainst: readonly string[];
}

export type DatasetAnswer =
  | { readonly found: Dataset; readonly why: readonly string[] }
  | { readonly unknown: string }
  | { readonly ambiguous: readonly Candidate[] };

/** What one comparison says about one dataset. */
export interface Sign {
  readonly speaks: "for" | "against";
  readonly text: string;
}

export interface Check {
  /** Its "for" can be true of one dataset only, so it is enough to make that one a candidate. */
  readonly identifies: boolean;
  /** Undefined: it has nothing to say about this dataset. */
  look(dataset: Dataset): Sign | undefined;
}

export const speaksFor = (text: string): Sign => ({ speaks: "for", text });
export const speaksAgainst = (text: string): Sign => ({ speaks: "against", text });

/** `absent` is the reason that is given when no check points at any dataset. Cost: datasets × checks. */
export const judge = (datasets: readonly Dataset[], checks: readonly Check[], absent: string): DatasetAnswer => {
  const candidates = datasets.filter((dataset) => checks.some((check) => pointsAt(check, dataset)));
  const heard = candidates.map((dataset) => candidateOf(dataset, checks));
  const [only, ...more] = heard.filter(({ speaksAgainst: against }) => against.length === 0);
  if (only !== undefined && more.length === 0) return { found: only.dataset, why: only.speaksFor };
  return heard.length === 0 ? { unknown: absent } : { ambiguous: heard };
};

const pointsAt = (check: Check, dataset: Dataset): boolean => check.identifies && check.look(dataset)?.speaks === "for";

const candidateOf = (dataset: Dataset, checks: readonly Check[]): Candidate => {
  const signs = checks.map((check) => check.look(dataset)).filter((sign) => sign !== undefined);
  const texts = (speaks: Sign["speaks"]): readonly string[] =>
    signs.filter((sign) => sign.speaks === speaks).map(({ text }) => text);
  return { dataset, speaksFor: texts("for"), speaksAgainst: texts("against") };
};
