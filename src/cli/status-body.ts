/**
 * `holdfast status`. Exit status 4 when a volume that should be covered is not, or no kit outside the cluster is proven; 5
 * when the bucket is another cluster's.
 */
import type { CoverageRow } from "../inventory/coverage.ts";
import { kitStanding } from "../kit/standing.ts";
import { formatAge, formatBytes } from "../model/units.ts";
import { printAnswer } from "./answer.ts";
import { commandBody } from "./body.ts";
import type { CliContext } from "./cli-context.ts";
import { fenceOf } from "./fence.ts";
import type { OutputFormat, WorldFlags } from "./flags.ts";
import { kitStandingData, kitStandingText } from "./kit-standing.ts";
import { type Survey, survey } from "./survey.ts";
import type { World } from "./world.ts";
import { Failure } from "../model/failure.ts";
import { nearest } from "../model/nearest.ts";

export interface StatusFlags extends WorldFlags {
  readonly output: OutputFormat;
  readonly namespace?: string;
}

/** True when nothing is owed to this volume: it has a good copy in time, or is left out on purpose, or has no data yet. */
const isFine = (row: CoverageRow): boolean => row.withinRpo || row.excluded || row.volume.phase === "Pending";

const rowData = (row: CoverageRow): object => ({
  volume: row.name,
  namespace: row.volume.namespace,
  claim: row.volume.claim,
  workloads: row.volume.workloads.map(({ kind, name }) => `${kind}/${name}`),
  storageClass: row.volume.storageClass,
  phase: row.volume.phase,
  persistentVolume: row.volume.backing?.name,
  driver: row.volume.backing?.driver ?? row.volume.backing?.source,
  reclaimPolicy: row.volume.backing?.reclaimPolicy,
  capacityBytes: row.volume.capacity,
  verdict: row.verdict,
  withinRpo: row.withinRpo,
  excluded: row.excluded,
  reason: row.reason,
  ageSeconds: row.age === undefined ? undefined : Math.round(row.age / 1000),
  copy:
    row.copy === undefined
      ? undefined
      : {
          point: row.copy.point,
          backup: row.copy.backup,
          time: new Date(row.copy.time).toISOString(),
          bytes: row.copy.bytes,
          snapshotId: row.copy.snapshotId,
        },
  evidence:
    row.evidence === undefined ? undefined : { ...row.evidence, time: new Date(row.evidence.time).toISOString() },
});

const cells = (row: CoverageRow): readonly string[] => [
  row.name,
  row.volume.workloads.map(({ name }) => name).join(",") || "-",
  row.verdict,
  row.age === undefined ? "-" : formatAge(row.age),
  row.copy?.bytes === undefined ? "-" : formatBytes(row.copy.bytes),
  row.reason ?? row.evidence?.leftOut[0] ?? "",
];

const wideCells = (row: CoverageRow): readonly string[] => [
  row.copy?.point ?? "-",
  row.copy?.snapshotId ?? "-",
  row.volume.storageClass ?? "-",
  row.volume.backing?.reclaimPolicy ?? "-",
];

const summary = (rows: readonly CoverageRow[], lastKnown: Survey["lastKnown"]): string => {
  const bad = rows.filter((row) => !isFine(row));
  const text =
    bad.length === 0
      ? `${rows.length} volumes: each has a good copy in time, or none is owed.`
      : `${bad.length} of ${rows.length} volumes are NOT protected. \`holdfast why VOLUME\` explains one.`;
  if (lastKnown === undefined) return text;
  return `${text}\nThe cluster does not answer (${lastKnown.because.what}). These are the volumes of the backup ${lastKnown.point.backup}, of ${new Date(lastKnown.point.started).toISOString()}.`;
};

const select = (rows: readonly CoverageRow[], namespace: string | undefined): readonly CoverageRow[] => {
  if (namespace === undefined) return rows;
  const selected = rows.filter((row) => row.volume.namespace === namespace);
  if (selected.length > 0) return selected;
  const close = nearest(namespace, [...new Set(rows.map((row) => row.volume.namespace))]);
  throw new Failure("NAMESPACE_UNKNOWN", {
    what: `There is no volume in a namespace "${namespace}".`,
    ...(close.length === 0 ? {} : { todo: `Did you mean ${close.join(", ")}?` }),
  });
};

/** First of all, and whatever else there is to say. */
const loudly = (fence: Failure | undefined, text: string): string =>
  fence === undefined ? text : `FENCED: ${fence.what}\n  ${fence.why ?? ""}\n  ${fence.todo}\n${text}`;

export const status = commandBody<StatusFlags, []>((cli, world, flags) => showStatus(cli, world, flags));

export const showStatus = async (cli: CliContext, world: World, flags: StatusFlags): Promise<void> => {
  const [found, fence] = await Promise.all([survey(world), fenceOf(world)]);
  const rows = select(found.rows, flags.namespace);
  const { bucket, cluster } = await world.points();
  const now = cli.context.clock.now();
  const kit = await kitStanding({ bucket, cluster, password: () => world.password(), now });
  const isProtected = rows.every(isFine) && kit.proven;
  await printAnswer(cli.context.stdout, flags.output, {
    data: {
      cluster: world.loaded.config.holdfast.cluster,
      time: new Date(now).toISOString(),
      rpo: world.loaded.config.policy.rpo,
      source: found.lastKnown === undefined ? "cluster" : "backup",
      lastKnown:
        found.lastKnown === undefined
          ? undefined
          : { backup: found.lastKnown.point.backup, because: found.lastKnown.because.what },
      fenced: fence === undefined ? undefined : { what: fence.what, why: fence.why, todo: fence.todo },
      protected: isProtected,
      kit: kitStandingData(kit),
      volumes: rows.map(rowData),
    },
    heads: ["VOLUME", "USED BY", "VERDICT", "AGE", "SIZE", "REASON"],
    rows: rows.map(cells),
    wideHeads: ["POINT", "SNAPSHOT", "CLASS", "RECLAIM"],
    wideRows: rows.map(wideCells),
    names: rows.map((row) => row.name),
    footer: loudly(fence, `${summary(rows, found.lastKnown)}\n${kitStandingText(kit)}`),
    empty: loudly(fence, `There are no volumes.\n${kitStandingText(kit)}`),
  });
  if (fence !== undefined) cli.setExitStatus(fence.exitCode);
  else if (!isProtected) cli.setExitStatus(4);
};
