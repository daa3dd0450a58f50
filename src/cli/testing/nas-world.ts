/** A world with a NAS in its holdfast.yaml, and the NAS as far as commands that look at volumes ask it. */
import { parseConfig } from "../../config/read.ts";
import { type Sample, viewOf } from "../../inventory/datasets/testing/volumes.ts";
import type { Nas } from "../../systems/nas/port.ts";

const config = parseConfig(
  `version: 1
bucket: { endpoint: "https://nas.lab:9000", name: backups, prefix: velero, credentials: { file: keys } }
repository: { password: { file: password } }
holdfast: { cluster: home }
nas: { kind: truenas, url: "wss://nas.lab", user: holdfast, key: { file: nas-key }, parents: [tank/k8s/nfs/v] }
`,
  "holdfast.yaml",
);
export const loadedWithNas = { config, file: "/etc/holdfast.yaml", path: (name: string) => name };

export const nasOf = (samples: readonly Sample[]): Nas => {
  const { datasets, exports } = viewOf(samples);
  if (exports === undefined) throw new Error("the samples have no exports");
  const can = { rename: true, exclude: true, nfs: true, iscsi: true };
  const parts: Partial<Nas> = {
    describe: async () => ({ product: "truenas", version: "25.10.1", transport: "json-rpc", can }),
    datasets: async () => datasets,
    exports: async () => exports,
    snapshots: async () => [],
  };
  return parts as Nas;
};
