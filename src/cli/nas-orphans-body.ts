/** `holdfast nas orphans`. */
import { mapLimited } from "../model/concurrency.ts";
import { formatAge, formatBytes } from "../model/units.ts";
import { findOrphans, type Orphan, orphanGuids, type VolumeSnapshotContent } from "../inventory/orphans/find.ts";
import { readPastVolumes } from "../inventory/orphans/past-volumes.ts";
import type { PersistentVolume } from "../inventory/raw.ts";
import { readNasView } from "../inventory/read-nas.ts";
import { listIfServed } from "../systems/kubernetes/list-if-served.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { printAnswer } from "./answer.ts";
import { commandBody } from "./body.ts";
import type { CliContext } from "./cli-context.ts";
import { requireOwnBucket } from "./fence.ts";
import type { OutputFormat, WorldFlags } from "./flags.ts";
import { configuredNas } from "./nas-view.ts";
import type { World } from "./world.ts";

interface OrphansFlags extends WorldFlags {
  readonly output: OutputFormat;
}

export const nasOrphans = commandBody<OrphansFlags, []>((cli, world, flags) => showOrphans(cli, world, flags));

export const showOrphans = async (cli: CliContext, world: World, flags: OrphansFlags): Promise<void> => {
  // To the empty successor of a cluster every dataset would look like an orphan.
  await requireOwnBucket(world);
  const now = cli.context.clock.now();
  const orphans = await orphansOf(world, now);
  await printAnswer(cli.context.stdout, flags.output, {
    data: { orphans: orphans.map((orphan) => ({ ...orphan, created: new Date(orphan.created).toISOString() })) },
    heads: ["NAME", "KIND", "SIZE", "AGE", "PROBABLY WAS", "WHY"],
    rows: orphans.map(({ name, kind, bytes, created, was, why }) => [
      name,
      kind,
      formatBytes(bytes),
      formatAge(now - created),
      was,
      why,
    ]),
    wideHeads: ["GUID", "WHAT TO DO"],
    wideRows: orphans.map(({ guid, todo }) => [guid, todo]),
    names: orphans.map(({ name }) => name),
    footer: footer(orphans),
    empty: "There are no orphans below nas.parents.",
  });
};

const footer = (orphans: readonly Orphan[]): string => {
  const bytes = formatBytes(orphans.reduce((sum, orphan) => sum + orphan.bytes, 0));
  return `${orphans.length} orphans, ${bytes}. Nothing was removed; -o wide says what to do.\nWhat another cluster keeps below the same parents is listed too: Holdfast knows the PVs of this one only.`;
};

const orphansOf = async (world: World, now: number): Promise<readonly Orphan[]> => {
  const { parents, url } = configuredNas(world);
  const [nas, kubernetes] = await Promise.all([world.nas(), world.kubernetes()]);
  const [view, snapshots] = await Promise.all([
    readNasView(nas, { parents, url }),
    mapLimited(parents, 4, (parent) => nas.snapshots(parent, { recursive: true })),
  ]);
  // PVs are read after the NAS: a volume that is made meanwhile has its PV then.
  const [pvs, snapshotContents = []] = await Promise.all([
    kubernetes.list<PersistentVolume>(resources.persistentVolumes),
    // A cluster without the snapshot controller has none.
    listIfServed<VolumeSnapshotContent>(kubernetes, resources.volumeSnapshotContents),
  ]);
  const own = [...new Map(snapshots.flat().map((snapshot) => [snapshot.name, snapshot])).values()];
  const input = { parents, view, snapshots: own, pvs: pvs.items, snapshotContents, now };
  const { cluster } = world.loaded.config.holdfast;
  return findOrphans({ ...input, past: await readPastVolumes(await world.bucket(), cluster, orphanGuids(input)) });
};
