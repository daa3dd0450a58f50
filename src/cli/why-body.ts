/** `holdfast why VOLUME`. */
import { evidenceFor, verdictOf } from "../inventory/coverage.ts";
import { gapOf } from "../inventory/gap.ts";
import type { PointDetails } from "../model/point.ts";
import { formatAge, formatBytes } from "../model/units.ts";
import type { Volume } from "../model/volume.ts";
import { resolveName } from "../restore/scope.ts";
import { printAnswer } from "./answer.ts";
import { commandBody } from "./body.ts";
import type { OutputFormat, WorldFlags } from "./flags.ts";
import { survey } from "./survey.ts";

interface WhyFlags extends WorldFlags {
  readonly output: OutputFormat;
}

interface History {
  readonly point: string;
  readonly backup: string;
  readonly time: string | undefined;
  readonly age: number | undefined;
  readonly bytes: number | undefined;
  readonly verdict: string;
  readonly note: string;
}

const historyOf = (name: string, points: readonly PointDetails[], now: number): readonly History[] =>
  points.flatMap((point): readonly History[] => {
    const copies = point.copies.filter((copy) => copy.volume === name);
    const skipped = point.skipped[name];
    if (copies.length === 0) {
      return skipped === undefined
        ? []
        : [
            {
              point: point.id,
              backup: point.backup,
              time: undefined,
              age: undefined,
              bytes: undefined,
              verdict: "missing",
              note: `Velero: ${skipped}`,
            },
          ];
    }
    return copies.map((copy) => {
      const evidence = evidenceFor(copy, point);
      const notes = [...(evidence?.problems ?? []), ...(evidence?.leftOut ?? [])];
      return {
        point: point.id,
        backup: point.backup,
        time: new Date(copy.time).toISOString(),
        age: now - copy.time,
        bytes: copy.bytes,
        verdict: verdictOf(copy, evidence),
        note: copy.problem ?? notes.join("; "),
      };
    });
  });

const describeVolume = (volume: Volume | undefined): string => {
  if (volume === undefined) return "The claim does not exist any more; its copies do.";
  const users = volume.workloads.map(({ kind, name }) => `${kind} ${name}`).join(", ") || "nothing";
  const { backing } = volume;
  const behind =
    backing === undefined
      ? `not bound (${volume.phase})`
      : `${backing.name} (${backing.driver ?? backing.source}, ${backing.reclaimPolicy})`;
  const gap = gapOf(volume);
  const standing =
    gap === undefined
      ? "A backup would copy it as it is."
      : `In the way of a copy: ${gap.text}.${gap.staging ? " `holdfast backup` mounts it in a staging pod for the time of the backup." : ""}`;
  return `used by: ${users}\nbehind it: ${behind}\n${standing}`;
};

export const why = commandBody<WhyFlags, [string]>(async (cli, world, flags, reference) => {
  const { rows, points, volumes } = await survey(world);
  const copied = points.flatMap((point) => point.copies.map((copy) => copy.volume));
  const name = resolveName(reference, [...new Set([...rows.map((row) => row.name), ...copied])]);
  const row = rows.find((candidate) => candidate.name === name);
  const history = historyOf(name, points, cli.context.clock.now());
  const volume = volumes.find((candidate) => candidate === row?.volume);
  const head = `${name}: ${row?.verdict ?? "the claim is gone"}${row?.reason === undefined ? "" : ` (${row.reason})`}\n${describeVolume(volume)}\n`;
  if (flags.output === "table" || flags.output === "wide") cli.context.stdout.write(`${head}\n`);
  await printAnswer(cli.context.stdout, flags.output, {
    data: {
      volume: name,
      verdict: row?.verdict,
      reason: row?.reason,
      excluded: row?.excluded,
      exists: volume !== undefined,
      gap: volume === undefined ? undefined : gapOf(volume),
      copies: history,
    },
    heads: ["POINT", "AGE", "SIZE", "VERDICT", "NOTE"],
    rows: history.map((entry) => [
      entry.point,
      entry.age === undefined ? "-" : formatAge(entry.age),
      entry.bytes === undefined ? "-" : formatBytes(entry.bytes),
      entry.verdict,
      entry.note,
    ]),
    names: [name],
    empty: "No recovery point has a copy of it.",
  });
});
