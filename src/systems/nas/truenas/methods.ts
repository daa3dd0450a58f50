/** TrueNAS' names for what Holdfast does: they differ between releases, and each needs a role. */
import { isAtLeast, type Version } from "./version.ts";

/** Where snapshots live: `zfs.snapshot` until 25.04, `pool.snapshot` from 25.10. The arguments are the same. */
export const snapshotMethod = (version: Version, verb: "query" | "create" | "clone" | "delete"): string =>
  `${isAtLeast(version, 25, 10) ? "pool.snapshot" : "zfs.snapshot"}.${verb}`;

/** From 26 `pool.snapshot.query` shows only TrueNAS' own hold tag; this shows all. */
export const snapshotResourceQuery = "zfs.resource.snapshot.query";
export const hasSnapshotResources = (version: Version): boolean => isAtLeast(version, 26, 0);

/** From 25.10 `pool.dataset.query` calls every user property LOCAL, inherited ones too. */
export const tellsInheritance = (version: Version): boolean => !isAtLeast(version, 25, 10);

/** `pool.dataset.rename` came with 25.10. */
export const canRename = (version: Version): boolean => isAtLeast(version, 25, 10);

/** Roles for pools exist since 25.04; before, any user may list them. */
export const hasPoolRoles = (version: Version): boolean => isAtLeast(version, 25, 4);

/** Until 25.04 no role but FULL_ADMIN lists it; `pool.snapshot.clone` has roles of its own. */
export const adminsClone = "zfs.snapshot.clone";

const prefixes: readonly (readonly [string, string])[] = [
  ["zfs.resource.snapshot.", "SNAPSHOT"],
  ["zfs.snapshot.", "SNAPSHOT"],
  ["pool.snapshottask.", "SNAPSHOT_TASK"],
  ["pool.snapshot.", "SNAPSHOT"],
  ["pool.dataset.", "DATASET"],
  ["pool.", "POOL"],
  ["replication.", "REPLICATION_TASK"],
  ["sharing.nfs.", "SHARING_NFS"],
  ["iscsi.targetextent.", "SHARING_ISCSI_TARGETEXTENT"],
  ["iscsi.target.", "SHARING_ISCSI_TARGET"],
  ["iscsi.extent.", "SHARING_ISCSI_EXTENT"],
  ["iscsi.global.", "SHARING_ISCSI_GLOBAL"],
];

/** Only these have a delete role of their own; elsewhere deleting is writing. */
const separateDelete: ReadonlySet<string> = new Set(["SNAPSHOT", "DATASET"]);
const readVerbs: ReadonlySet<string> = new Set(["query", "config", "sessions", "version"]);

/** The roles of which TrueNAS asks for one; empty for what every user may call. */
export const rolesOf = (method: string): readonly string[] => {
  const prefix = prefixes.find(([start]) => method.startsWith(start))?.[1];
  if (prefix === undefined) return [];
  const verb = method.slice(method.lastIndexOf(".") + 1);
  if (readVerbs.has(verb)) return [`${prefix}_READ`];
  if (verb === "delete" && separateDelete.has(prefix)) return [`${prefix}_DELETE`];
  if (method === adminsClone) return ["FULL_ADMIN"];
  return verb === "clone" ? ["SNAPSHOT_WRITE", "DATASET_WRITE"] : [`${prefix}_WRITE`];
};
