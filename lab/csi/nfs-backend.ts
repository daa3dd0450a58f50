/** Volumes as shared datasets, as democratic-csi's driver `freenas-api-nfs` makes them. */
import { type Backend, growth } from "./backend.ts";
import type { Datasets } from "./datasets.ts";
import type { NasExports, NfsShare } from "./nas-exports.ts";
import { nfsShareContext, property } from "./volume-shape.ts";

export interface NfsNas {
  readonly datasets: Datasets;
  readonly exports: NasExports;
  /** Sets the mode of a directory on the NAS. */
  readonly setMode: (path: string, mode: string) => Promise<void>;
  readonly address: string;
}

const shareOf = async ({ exports, datasets }: NfsNas, dataset: string): Promise<NfsShare> => {
  const path = await mountpointOf(datasets, dataset);
  const existing = (await exports.query("nfs")).find((share) => share.path === path);
  return existing ?? exports.create("nfs", { path, comment: `democratic-csi: ${dataset}`, enabled: true });
};

const mountpointOf = async (datasets: Datasets, dataset: string): Promise<string> => {
  const path = (await datasets.properties(dataset)).get("mountpoint")?.value;
  if (path === undefined || !path.startsWith("/")) throw new Error(`dataset ${dataset} has no mountpoint to share`);
  return path;
};

export const nfsBackend = (nas: NfsNas): Backend => ({
  protocol: "nfs",
  growth: growth.nfs,
  sizeProperties: (bytes) => ({ refquota: String(bytes) }),
  size: async (dataset) => {
    const bytes = Number((await nas.datasets.properties(dataset)).get("refquota")?.value ?? "0");
    return bytes === 0 ? undefined : bytes;
  },
  setSize: (dataset, bytes) => nas.datasets.set(dataset, { refquota: String(bytes) }),
  prepare: async (dataset) => {
    await nas.setMode(await mountpointOf(nas.datasets, dataset), "0777");
  },
  exportVolume: async (dataset) => {
    const { id, path } = await shareOf(nas, dataset);
    return { context: nfsShareContext(nas.address, path), properties: { [property.nfsShareId]: String(id) } };
  },
  unexport: async (dataset, properties) => {
    const id = Number(properties.get(property.nfsShareId));
    const path = await mountpointOf(nas.datasets, dataset);
    const share = (await nas.exports.query("nfs")).find((share) => share.id === id && share.path === path);
    if (share !== undefined) await nas.exports.remove("nfs", share.id);
    return [property.nfsShareId];
  },
});
