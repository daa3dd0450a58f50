/** Roles of TrueNAS and what they include, as far as the stand-in's methods ask for them. */

const reads = [
  "DATASET_READ",
  "SNAPSHOT_READ",
  "SNAPSHOT_TASK_READ",
  "POOL_READ",
  "REPLICATION_TASK_READ",
  "SYSTEM_GENERAL_READ",
  "ZFS_RESOURCE_READ",
  "SHARING_NFS_READ",
  "SHARING_ISCSI_EXTENT_READ",
  "SHARING_ISCSI_GLOBAL_READ",
  "SHARING_ISCSI_INITIATOR_READ",
  "SHARING_ISCSI_PORTAL_READ",
  "SHARING_ISCSI_TARGET_READ",
  "SHARING_ISCSI_TARGETEXTENT_READ",
] as const;

const writes = [
  "DATASET_WRITE",
  "FILESYSTEM_ATTRS_WRITE",
  "SNAPSHOT_WRITE",
  "SNAPSHOT_TASK_WRITE",
  "POOL_WRITE",
  "SHARING_NFS_WRITE",
  "SHARING_ISCSI_EXTENT_WRITE",
  "SHARING_ISCSI_TARGET_WRITE",
  "SHARING_ISCSI_TARGETEXTENT_WRITE",
] as const;

/** Nothing includes these but FULL_ADMIN; writing does not mean deleting. */
const deletes = ["DATASET_DELETE", "SNAPSHOT_DELETE", "ZFS_RESOURCE_DELETE"] as const;

export const roleNames = [...reads, ...writes, ...deletes, "READONLY_ADMIN", "FULL_ADMIN"] as const;

export type Role = (typeof roleNames)[number];

const includedIn = (role: Role): readonly Role[] => {
  if (role === "FULL_ADMIN") return roleNames;
  if (role === "READONLY_ADMIN") return reads;
  return reads.filter((read) => read === role.replace(/_WRITE$/, "_READ"));
};

/** The roles that somebody with these has altogether. */
export const allRoles = (granted: readonly Role[]): ReadonlySet<Role> =>
  new Set([...granted, ...granted.flatMap(includedIn)]);
