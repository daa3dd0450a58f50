/** What the user asked for, resolved against what exists: one volume's copy and the volume it goes into. */
import type { Copy, CopyEvidence } from "../model/copy.ts";
import { Failure } from "../model/failure.ts";
import { nearest } from "../model/nearest.ts";
import type { PointDetails } from "../model/point.ts";
import { type Volume, volumeName } from "../model/volume.ts";
import { evidenceFor, verdictOf } from "../inventory/coverage.ts";

/** A name as typed: "media/sonarr-config", "sonarr-config", or "sonarr" where that is enough. */
export type Reference = string;

export interface PointChoice {
  /** Id or backup name; undefined means the newest good one. */
  readonly point?: string;
  /** ms since 1970: the newest copy that ended no later. */
  readonly at?: number;
}

export interface ChosenCopy {
  readonly copy: Copy;
  readonly point: PointDetails;
  readonly evidence: CopyEvidence | undefined;
  /** Why this copy and no other. */
  readonly why: string;
}

const suggestion = (name: string, names: readonly string[]): string => {
  const close = nearest(name, names);
  return close.length === 0 ? "`holdfast status` lists all volumes." : `Did you mean ${close.join(", ")}?`;
};

/** All known names that a reference may mean: exact names win over claims, claims over beginnings of claims. */
const candidates = (reference: Reference, names: readonly string[]): readonly string[] => {
  if (names.includes(reference)) return [reference];
  const claims = names.filter((name) => name.split("/")[1] === reference);
  if (claims.length > 0) return claims;
  return reference.includes("/")
    ? []
    : names.filter((name) => name.split("/")[1]?.startsWith(`${reference}-`) === true);
};

/** The one volume name that a reference means. Throws VOLUME_UNKNOWN, VOLUME_AMBIGUOUS or NAMESPACE_UNKNOWN. */
export const resolveName = (reference: Reference, names: readonly string[]): string => {
  const found = candidates(reference, names);
  if (found.length === 1 && found[0] !== undefined) return found[0];
  if (found.length > 1) {
    throw new Failure("VOLUME_AMBIGUOUS", {
      what: `"${reference}" fits several volumes.`,
      why: found.join(", "),
      todo: "Write it as namespace/pvc.",
    });
  }
  const namespaces = [...new Set(names.map((name) => name.split("/")[0] ?? ""))];
  const namespace = reference.includes("/") ? reference.split("/")[0] : undefined;
  if (namespace !== undefined && !namespaces.includes(namespace)) {
    const close = nearest(namespace, namespaces);
    throw new Failure("NAMESPACE_UNKNOWN", {
      what: `No volume, present or copied, is in a namespace "${namespace}".`,
      todo:
        close.length === 0 ? `Namespaces with volumes: ${namespaces.join(", ")}.` : `Did you mean ${close.join(", ")}?`,
    });
  }
  throw new Failure("VOLUME_UNKNOWN", {
    what: `There is no volume "${reference}".`,
    todo: suggestion(reference, names),
  });
};

/** The live volume with this name. Throws TARGET_UNUSABLE: restoring into a claim needs the claim. */
export const liveVolume = (name: string, volumes: readonly Volume[]): Volume => {
  const volume = volumes.find((candidate) => volumeName(candidate) === name);
  if (volume !== undefined) return volume;
  throw new Failure("TARGET_UNUSABLE", {
    what: `The claim ${name} does not exist any more.`,
    todo: `Create the claim again (from git), or give another one with --to NAMESPACE/PVC.`,
  });
};

/** The point that the user named. Throws POINT_UNKNOWN with the nearest ids. */
export const findPoint = (id: string, points: readonly PointDetails[]): PointDetails => {
  const found = points.find((point) => point.id === id || point.backup === id);
  if (found !== undefined) return found;
  const close = nearest(
    id,
    points.map((point) => point.id),
  );
  throw new Failure("POINT_UNKNOWN", {
    what: `There is no recovery point "${id}".`,
    todo:
      close.length === 0
        ? "`holdfast points` lists them."
        : `Did you mean ${close.join(", ")}? \`holdfast points\` lists all.`,
  });
};

/** The copy to restore from. Throws COPY_MISSING, COPY_CORRUPT or POINT_UNKNOWN. Points come newest first. */
export const chooseCopy = (name: string, points: readonly PointDetails[], choice: PointChoice): ChosenCopy => {
  if (choice.point !== undefined && choice.point !== "latest") return fromPoint(name, findPoint(choice.point, points));
  const limit = choice.at ?? Number.POSITIVE_INFINITY;
  for (const point of points) {
    const copy = point.copies.find((candidate) => candidate.volume === name && candidate.time <= limit);
    if (copy?.snapshotId === undefined) continue;
    const evidence = evidenceFor(copy, point);
    if (verdictOf(copy, evidence) === "failed") continue;
    return {
      copy,
      point,
      evidence,
      why: choice.at === undefined ? "the newest good copy" : "the newest good copy at that time",
    };
  }
  throw new Failure("COPY_MISSING", {
    what: `There is no good copy of ${name}${choice.at === undefined ? "" : " from that time or before"}.`,
    todo: `\`holdfast why ${name}\` says why; \`holdfast points\` lists the recovery points.`,
  });
};

const fromPoint = (name: string, point: PointDetails): ChosenCopy => {
  const copy = point.copies.find((candidate) => candidate.volume === name);
  if (copy?.snapshotId === undefined) {
    throw new Failure("COPY_MISSING", {
      what: `The recovery point ${point.id} has no copy of ${name}.`,
      ...(copy === undefined
        ? {}
        : { why: copy.problem ?? "the volume was empty when it was copied, so that Velero stored nothing" }),
      todo: `\`holdfast points show ${point.id}\` lists what it has.`,
    });
  }
  const evidence = evidenceFor(copy, point);
  if (verdictOf(copy, evidence) === "failed") {
    throw new Failure("COPY_CORRUPT", {
      what: `The copy of ${name} in ${point.id} is known to be bad.`,
      why: evidence?.problems.join("; ") ?? copy.problem ?? "Velero did not finish it",
      todo: "Take another point; without --point the newest good copy is taken.",
    });
  }
  return { copy, point, evidence, why: "named with --point" };
};
