/** Volumes as LUNs, as democratic-csi's driver `freenas-api-iscsi` makes them. */
import { type Backend, type Exported, growth } from "./backend.ts";
import type { Datasets } from "./datasets.ts";
import type { NasExports } from "./nas-exports.ts";
import { diskOf, iqnOf, iscsiAssetsName, iscsiShareContext, property } from "./volume-shape.ts";

export interface IscsiNas {
  readonly datasets: Datasets;
  readonly exports: NasExports;
  readonly address: string;
  readonly naming: { readonly baseIqn: string; readonly namePrefix: string; readonly nameSuffix: string };
}

/** democratic-csi's `targetGroups`: the NAS' first portal, and any initiator. */
const targetGroup = { portal: 1, initiator: 1, authmethod: "NONE", auth: null } as const;

const leafOf = (dataset: string): string => dataset.slice(dataset.lastIndexOf("/") + 1);

const exportVolume = async ({ exports, naming, address }: IscsiNas, dataset: string): Promise<Exported> => {
  const name = iscsiAssetsName(leafOf(dataset), naming);
  const disk = diskOf(dataset);
  const target =
    (await exports.query("target")).find((row) => row.name === name) ??
    (await exports.create("target", { name, alias: null, mode: "ISCSI", groups: [targetGroup] }));
  const extent =
    (await exports.query("extent")).find((row) => row.name === name) ??
    (await exports.create("extent", { name, disk, comment: `democratic-csi: ${dataset}`, enabled: true }));
  if (extent.disk !== disk) throw new Error(`extent ${name} exists and belongs to ${extent.disk}, not to ${disk}`);
  const belongs = (row: { readonly target: number; readonly lunid: number }): boolean =>
    row.target === target.id && row.lunid === 0;
  const mapping =
    (await exports.query("targetextent")).find(belongs) ??
    (await exports.create("targetextent", { target: target.id, extent: extent.id, lunid: 0 }));
  if (mapping.extent !== extent.id)
    throw new Error(`LUN 0 of target ${name} belongs to extent ${mapping.extent}, not to ${extent.id}`);
  return {
    context: iscsiShareContext(address, iqnOf(naming.baseIqn, name)),
    properties: {
      [property.assetsName]: name,
      [property.targetId]: String(target.id),
      [property.extentId]: String(extent.id),
      [property.targetToExtentId]: String(mapping.id),
    },
  };
};

const unexport = async ({ exports }: IscsiNas, properties: ReadonlyMap<string, string>): Promise<readonly string[]> => {
  const name = properties.get(property.assetsName);
  for (const [kind, idProperty] of [
    ["target", property.targetId],
    ["extent", property.extentId],
  ] as const) {
    const id = Number(properties.get(idProperty));
    const rows: readonly { readonly id: number; readonly name: string }[] = await exports.query(kind);
    if (rows.some((row) => row.id === id && row.name === name)) await exports.remove(kind, id);
  }
  return [property.targetId, property.extentId, property.targetToExtentId];
};

export const iscsiBackend = (nas: IscsiNas): Backend => ({
  protocol: "iscsi",
  growth: growth.iscsi,
  sizeProperties: (bytes) => ({ volsize: String(bytes) }),
  size: async (dataset) => {
    const volsize = (await nas.datasets.properties(dataset)).get("volsize")?.value;
    return volsize === undefined ? undefined : Number(volsize);
  },
  setSize: (dataset, bytes) => nas.datasets.set(dataset, { volsize: String(bytes) }),
  prepare: async () => undefined,
  exportVolume: (dataset) => exportVolume(nas, dataset),
  unexport: (_dataset, properties) => unexport(nas, properties),
});
