/** The driver's configuration: one JSON file that both roles read. */
import { readFileSync } from "node:fs";
import { z } from "zod";

const volumes = z.strictObject({
  /** Volumes are children of this dataset; it must exist. */
  parentDataset: z.string().min(1),
  /** `instance_id` of democratic-csi: ends up in every PV. */
  instanceId: z.string().optional(),
});

const schema = z.strictObject({
  nodeId: z.string().min(1),
  /** The controllers listen on `<driver name>.sock` in this folder. */
  controllerSocketDir: z.string().min(1),
  /** The kubelet's folder, under the path that the kubelet itself uses. */
  kubeletDir: z.string().default("/var/lib/kubelet"),
  /** Folder of the NAS' registry of exports; the node only reads it. */
  registryDir: z.string().min(1),
  nas: z.strictObject({
    /** The NAS' API, for the controller; the key is of a user with FULL_ADMIN, for whom alone REST is. */
    api: z.strictObject({ url: z.url(), key: z.string().min(1), caFile: z.string().min(1).optional() }),
    /** The address that a PV names: its `server`, and with a port its `portal`. */
    address: z.string().min(1),
    /** The folder that holds the pools' mountpoints. */
    mountRoot: z.string().default("/mnt"),
  }),
  nfs: volumes,
  iscsi: volumes.extend({
    baseIqn: z.string().default("iqn.2005-10.org.freenas.ctl"),
    namePrefix: z.string().default("csi-"),
    nameSuffix: z.string().default(""),
  }),
  /**
   * Destroying a dataset that is still in use is tried again, ever more slowly. For longer than the two minutes after which
   * the kubelet tries again to unmount a volume: it refuses to while it sees the pool's own mount of the dataset, which
   * each of these tries takes away for as long as they last.
   */
  busyRetry: z
    .strictObject({ giveUpAfterMs: z.number().nonnegative(), longestPauseMs: z.number().positive() })
    .default({ giveUpAfterMs: 130_000, longestPauseMs: 5000 }),
});

export type CsiConfig = z.output<typeof schema>;
/** What has to be written into the file; the rest has defaults. */
export type CsiConfigInput = z.input<typeof schema>;

/** Fills in defaults. Throws a ZodError that names what is wrong. */
export const parseConfig = (value: unknown): CsiConfig => schema.parse(value);

export const readConfig = (file: string): CsiConfig => parseConfig(JSON.parse(readFileSync(file, "utf8")));
