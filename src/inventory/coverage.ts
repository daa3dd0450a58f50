/** Coverage: every volume with its newest good copy, that copy's age against the RPO, its verdict, and the reason for a gap. */
import type { Copy, CopyEvidence, Verdict } from "../model/copy.ts";
import { type Continuations, continues } from "../model/lineage.ts";
import type { PointDetails } from "../model/point.ts";
import { type Volume, lineageOf, volumeName } from "../model/volume.ts";
import { gapOf } from "./gap.ts";

export interface CoverageRow {
  readonly volume: Volume;
  readonly name: string;
  readonly verdict: Verdict;
  /** The newest copy that is not failed; the newest failed one when there is no other. */
  readonly copy: Copy | undefined;
  readonly evidence: CopyEvidence | undefined;
  /** ms between the copy's end and now. */
  readonly age: number | undefined;
  readonly withinRpo: boolean;
  /** True when a missing copy is what the user asked for. */
  readonly excluded: boolean;
  /** Why it is not better than it is; undefined when nothing is to be said. */
  readonly reason: string | undefined;
}

/** A volume that the user's configuration leaves out, with the reason they gave. */
export interface Exclusion {
  matches(volume: Volume): boolean;
  readonly reason: string;
}

export interface CoverageInput {
  readonly volumes: readonly Volume[];
  /** Newest first. */
  readonly points: readonly PointDetails[];
  readonly exclusions: readonly Exclusion[];
  /** ms */
  readonly rpo: number;
  /** ms since 1970 */
  readonly now: number;
  /** Which datasets go on with the history of another one. */
  readonly continuations: Continuations;
}

/** One row a volume. Cost: copies + volumes. */
export const coverage = (input: CoverageInput): readonly CoverageRow[] => {
  const history = copiesByVolume(input.points);
  return input.volumes.map((volume) => rowOf(volume, history.get(volumeName(volume)) ?? [], input));
};

interface Candidate {
  readonly copy: Copy;
  readonly evidence: CopyEvidence | undefined;
}

const copiesByVolume = (points: readonly PointDetails[]): Map<string, Candidate[]> => {
  const result = new Map<string, Candidate[]>();
  for (const point of points) {
    for (const copy of point.copies) {
      const candidates = result.get(copy.volume) ?? [];
      candidates.push({ copy, evidence: evidenceFor(copy, point) });
      result.set(copy.volume, candidates);
    }
  }
  return result;
};

/** Evidence counts only for the very copy that was looked at. */
export const evidenceFor = (copy: Copy, point: PointDetails): CopyEvidence | undefined => {
  const evidence = point.evidence[copy.volume];
  return evidence?.snapshotId === (copy.snapshotId ?? "") ? evidence : undefined;
};

/** Of a volume without a single entry Velero stores nothing, and calls that Completed. */
export const isEmptyCopy = (copy: Copy): boolean => copy.ok && copy.snapshotId === undefined && (copy.bytes ?? 0) === 0;

/** What is known of one copy, without its age. */
export const verdictOf = (copy: Copy, evidence: CopyEvidence | undefined): Verdict => {
  if (!copy.ok || (copy.snapshotId === undefined && !isEmptyCopy(copy))) return "failed";
  return evidence?.verdict ?? "stored";
};

const rowOf = (volume: Volume, candidates: readonly Candidate[], input: CoverageInput): CoverageRow => {
  const exclusion = input.exclusions.find((candidate) => candidate.matches(volume));
  const own = candidates.filter(({ copy }) => isCopyOf(volume, copy, input.continuations));
  const good = own.find(({ copy, evidence }) => verdictOf(copy, evidence) !== "failed");
  const shown = good ?? own[0];
  const age = shown === undefined ? undefined : Math.max(0, input.now - shown.copy.time);
  const withinRpo = good !== undefined && age !== undefined && age <= input.rpo;
  return {
    volume,
    name: volumeName(volume),
    verdict: rowVerdict(shown, withinRpo),
    copy: shown?.copy,
    evidence: shown?.evidence,
    age,
    withinRpo,
    excluded: exclusion !== undefined || gapOf(volume)?.code === "excluded",
    reason:
      exclusion?.reason ??
      reasonOf(volume, shown, { newest: own[0], elsewhere: candidates.length > own.length }, input),
  };
};

/** Copies of another lineage under the same name are not copies of this volume. Unknown lineages are given the benefit. */
const isCopyOf = (volume: Volume, copy: Copy, continuations: Continuations): boolean => {
  const lineage = lineageOf(volume);
  if (lineage === undefined || copy.lineage === undefined) return true;
  return continues({ lineage, pv: volume.backing?.name ?? "" }, copy.lineage, continuations);
};

const rowVerdict = (shown: Candidate | undefined, withinRpo: boolean): Verdict => {
  if (shown === undefined) return "missing";
  const verdict = verdictOf(shown.copy, shown.evidence);
  return verdict === "failed" || withinRpo ? verdict : "stale";
};

interface Others {
  /** The newest copy of all, when it is not the one shown. */
  readonly newest: Candidate | undefined;
  /** There are copies of another lineage under this name. */
  readonly elsewhere: boolean;
}

const reasonOf = (
  volume: Volume,
  shown: Candidate | undefined,
  others: Others,
  input: CoverageInput,
): string | undefined => {
  const gap = gapOf(volume)?.text;
  if (shown === undefined) return gap ?? neverCopied(volumeName(volume), others, input);
  if (others.newest !== undefined && verdictOf(others.newest.copy, others.newest.evidence) === "failed") {
    return `the newest copy failed: ${problemOf(others.newest)}`;
  }
  if (input.now - shown.copy.time > input.rpo) return gap ?? "no newer copy within the RPO";
  return undefined;
};

const neverCopied = (name: string, others: Others, input: CoverageInput): string => {
  const skipped = input.points[0]?.skipped[name];
  if (skipped !== undefined) return `Velero left it out of the newest backup: ${skipped}`;
  if (others.elsewhere)
    return "never backed up since it was re-created; copies of the volume that had this name before exist";
  return input.points.length === 0
    ? "never backed up: there is no backup yet"
    : "never backed up: it is newer than the last backup, or the backup left it out";
};

const problemOf = ({ copy, evidence }: Candidate): string =>
  evidence?.problems[0] ?? copy.problem ?? "no reason was recorded";
