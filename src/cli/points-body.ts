/** `holdfast points` and `holdfast points show`. Both need only the bucket. */
import { evidenceFor, verdictOf } from "../inventory/coverage.ts";
import { readPoints } from "../inventory/points.ts";
import type { PointDetails } from "../model/point.ts";
import { formatAge, formatBytes } from "../model/units.ts";
import { findPoint } from "../restore/scope.ts";
import { printAnswer } from "./answer.ts";
import { commandBody } from "./body.ts";
import type { OutputFormat, WorldFlags } from "./flags.ts";

interface PointsFlags extends WorldFlags {
  readonly output: OutputFormat;
}

interface Counts {
  readonly verified: number;
  readonly stored: number;
  readonly failed: number;
  readonly bytes: number;
}

const countsOf = (point: PointDetails): Counts => {
  const verdicts = point.copies.map((copy) => verdictOf(copy, evidenceFor(copy, point)));
  const count = (verdict: string): number => verdicts.filter((candidate) => candidate === verdict).length;
  return {
    verified: count("verified"),
    stored: count("stored"),
    failed: count("failed"),
    bytes: point.copies.reduce((sum, copy) => sum + (copy.bytes ?? 0), 0),
  };
};

const pointData = (point: PointDetails): object => ({
  id: point.id,
  backup: point.backup,
  ours: point.ours,
  phase: point.phase,
  started: new Date(point.started).toISOString(),
  ended: point.ended === undefined ? undefined : new Date(point.ended).toISOString(),
  errors: point.errors,
  warnings: point.warnings,
  unreadable: point.unreadable,
  ...countsOf(point),
});

export const listPoints = commandBody<PointsFlags, []>(async (cli, world, flags) => {
  const points = await readPoints(await world.points());
  const now = cli.context.clock.now();
  await printAnswer(cli.context.stdout, flags.output, {
    data: { points: points.map(pointData) },
    heads: ["POINT", "AGE", "PHASE", "VERIFIED", "STORED", "FAILED", "SIZE"],
    rows: points.map((point) => {
      const { verified, stored, failed, bytes } = countsOf(point);
      return [
        point.id,
        formatAge(now - point.started),
        point.phase,
        String(verified),
        String(stored),
        String(failed),
        formatBytes(bytes),
      ];
    }),
    wideHeads: ["BACKUP", "STARTED", "MADE BY", "UNREADABLE"],
    wideRows: points.map((point) => [
      point.backup,
      new Date(point.started).toISOString(),
      point.ours ? "holdfast" : "others",
      point.unreadable.join(", ") || "-",
    ]),
    names: points.map((point) => point.id),
    empty: "There is no recovery point yet. `holdfast backup --wait` makes one.",
  });
});

export const showPoint = commandBody<PointsFlags, [string]>(async (cli, world, flags, id) => {
  const point = findPoint(id, await readPoints(await world.points()));
  const copies = point.copies.map((copy) => {
    const evidence = evidenceFor(copy, point);
    return { ...copy, time: new Date(copy.time).toISOString(), verdict: verdictOf(copy, evidence), evidence };
  });
  await printAnswer(cli.context.stdout, flags.output, {
    data: { ...pointData(point), copies, skipped: point.skipped },
    heads: ["VOLUME", "VERDICT", "FILES", "SIZE", "DATABASES", "NOTE"],
    rows: copies.map((copy) => [
      copy.volume,
      copy.verdict,
      copy.evidence === undefined ? "-" : String(copy.evidence.files),
      copy.bytes === undefined ? "-" : formatBytes(copy.bytes),
      copy.evidence === undefined ? "-" : String(copy.evidence.databases),
      copy.problem ?? [...(copy.evidence?.problems ?? []), ...(copy.evidence?.leftOut ?? [])].join("; "),
    ]),
    wideHeads: ["SNAPSHOT", "TIME"],
    wideRows: copies.map((copy) => [copy.snapshotId ?? "-", copy.time]),
    names: copies.map((copy) => copy.volume),
    footer: Object.entries(point.skipped)
      .map(([volume, reason]) => `not in it: ${volume} (Velero: ${reason})`)
      .join("\n"),
    empty: "This point has no copy of any volume.",
  });
});
