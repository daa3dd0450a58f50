/** Reads the NAS' part of the inventory. Cost: one list of datasets for each parent, and one look at all exports. */
import { mapLimited } from "../model/concurrency.ts";
import type { Nas } from "../systems/nas/port.ts";
import type { NasView } from "./datasets/answer.ts";
import { hostOf } from "./datasets/checks.ts";

const parentsAtATime = 4;

/** `url` is where the NAS was reached: one of the addresses that a PV may name it by. */
export const readNasView = async (
  nas: Nas,
  config: { readonly url: string; readonly parents: readonly string[] },
): Promise<NasView> => {
  const { can } = await nas.describe();
  const [lists, exports] = await Promise.all([
    mapLimited(config.parents, parentsAtATime, (parent) => nas.datasets(parent)),
    can.nfs || can.iscsi ? nas.exports() : undefined,
  ]);
  // One parent may lie below another one.
  const datasets = [...new Map(lists.flat().map((dataset) => [dataset.name, dataset])).values()];
  return { datasets, exports, addresses: [hostOf(new URL(config.url).host)] };
};
