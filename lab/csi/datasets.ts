/** What the driver needs of the NAS' ZFS. */
import type { Zfs } from "../zfs/zfs.ts";

export type Datasets = Pick<Zfs, "create" | "exists" | "properties" | "set" | "destroy">;
