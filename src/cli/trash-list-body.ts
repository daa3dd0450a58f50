/** `holdfast trash list`. */
import { goodCopyOf, trashIn, type TrashItem } from "../guard/retire/trash.ts";
import { trashPointKey } from "../guard/retire/trash-mark.ts";
import { readClusterObjects } from "../inventory/read.ts";
import type { Copy } from "../model/copy.ts";
import { formatAge, formatBytes } from "../model/units.ts";
import { printAnswer } from "./answer.ts";
import { commandBody } from "./body.ts";
import type { CliContext } from "./cli-context.ts";
import type { OutputFormat, WorldFlags } from "./flags.ts";
import { liveNasView } from "./nas-view.ts";
import { pointsIfPossible } from "./points-if-possible.ts";
import type { World } from "./world.ts";

interface ListFlags extends WorldFlags {
  readonly output: OutputFormat;
}

export const trashList = commandBody<ListFlags, []>((cli, world, flags) => showTrash(cli, world, flags));

interface Shown {
  readonly item: TrashItem;
  readonly copy: Copy | undefined;
  /** False while the bucket cannot be read. */
  readonly isCopyKnown: boolean;
}

export const showTrash = async (cli: CliContext, world: World, flags: ListFlags): Promise<void> => {
  const now = cli.context.clock.now();
  const [objects, nas] = await Promise.all([readClusterObjects(await world.kubernetes()), liveNasView(world)]);
  const items = trashIn(objects, nas);
  const points = items.length === 0 ? [] : await pointsIfPossible(world);
  const shown = items.map((item): Shown => ({
    item,
    copy: goodCopyOf(item, points ?? []),
    isCopyKnown: points !== undefined,
  }));
  await printAnswer(cli.context.stdout, flags.output, {
    data: { time: new Date(now).toISOString(), volumes: shown.map((one) => dataOf(one, now)) },
    heads: ["VOLUME", "PERSISTENTVOLUME", "DATASET", "SIZE", "AGE", "LAST GOOD COPY", "STATE"],
    rows: shown.map((one) => cellsOf(one, now)),
    names: items.map(({ volume }) => volume),
    footer: `${items.length} in the trash, ${formatBytes(items.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0))}. Only \`holdfast trash empty\` frees it.`,
    empty: "The trash is empty.",
  });
};

/** When the bucket does not answer, what the PV remembers. */
const pointOf = ({ item, copy, isCopyKnown }: Shown): string | undefined =>
  isCopyKnown ? copy?.point : item.pv.metadata.annotations?.[trashPointKey];

const stateOf = ({ claim, emptying }: TrashItem): string => {
  if (emptying) return "being emptied";
  return claim === undefined ? "" : "its claim waits for your commit";
};

const sizeOf = ({ bytes, dataset }: TrashItem): string => {
  if (bytes === undefined) return "-";
  return dataset === undefined ? `up to ${formatBytes(bytes)}` : formatBytes(bytes);
};

const cellsOf = (one: Shown, now: number): readonly string[] => {
  const { item, copy } = one;
  const age = copy === undefined ? "" : ` (${formatAge(now - copy.time)})`;
  return [
    item.volume,
    item.pv.metadata.name,
    item.dataset?.name ?? "-",
    sizeOf(item),
    item.since === undefined ? "-" : formatAge(now - item.since),
    `${pointOf(one) ?? "none"}${age}`,
    stateOf(item),
  ];
};

const dataOf = (one: Shown, now: number): object => {
  const { item, copy, isCopyKnown } = one;
  const { volume, pv, dataset, bytes, since, claim, emptying } = item;
  return {
    volume,
    persistentVolume: pv.metadata.name,
    dataset: dataset?.name,
    bytes,
    bytesFrom: dataset === undefined ? "capacity" : "nas",
    retired: since === undefined ? undefined : new Date(since).toISOString(),
    ageSeconds: since === undefined ? undefined : Math.round((now - since) / 1000),
    point: pointOf(one),
    copy: copy === undefined ? undefined : { point: copy.point, time: new Date(copy.time).toISOString() },
    copyKnown: isCopyKnown,
    waitsForCommit: claim !== undefined,
    emptying,
  };
};
