/** What a credential may do, as far as TrueNAS tells, and how that compares with what Holdfast does with it. */
import type { Rights } from "../port.ts";
import { type Api, ApiRefusal } from "./api.ts";
import { worded } from "./errors.ts";
import { hasPoolRoles } from "./methods.ts";

export type Purpose = "routine" | "remover";

const reading: readonly string[] = [
  "DATASET_READ",
  "SNAPSHOT_READ",
  "SHARING_NFS_READ",
  "SHARING_ISCSI_EXTENT_READ",
  "SHARING_ISCSI_GLOBAL_READ",
  "SHARING_ISCSI_TARGET_READ",
  "SHARING_ISCSI_TARGETEXTENT_READ",
];

const needs: Readonly<Record<Purpose, readonly string[]>> = {
  routine: [
    ...reading,
    "SNAPSHOT_TASK_READ",
    "REPLICATION_TASK_READ",
    "SNAPSHOT_WRITE",
    "DATASET_WRITE",
    "SHARING_NFS_WRITE",
    "SHARING_ISCSI_EXTENT_WRITE",
    "SHARING_ISCSI_TARGET_WRITE",
    "SHARING_ISCSI_TARGETEXTENT_WRITE",
  ],
  remover: [...reading, "SNAPSHOT_DELETE", "DATASET_DELETE"],
};

const everything = "FULL_ADMIN";
/** What is granted where TrueNAS does not say: nothing is known to be missing, or to be too much. */
const unknown = "unknown";

const needsOf = (api: Api, purpose: Purpose): readonly string[] => [
  ...needs[purpose],
  ...(hasPoolRoles(api.version) ? ["POOL_READ"] : []),
];

/** Whether roles give a role: TrueNAS names those that are included too, but not in every release. */
const gives = (granted: ReadonlySet<string>, role: string): boolean => {
  if (granted.has(role) || granted.has(everything)) return true;
  if (!role.endsWith("_READ")) return false;
  return granted.has("READONLY_ADMIN") || granted.has(role.replace(/_READ$/, "_WRITE"));
};

/** Everything that is no reading and is not needed. */
const isExcessive = (role: string, needed: readonly string[]): boolean =>
  role !== "READONLY_ADMIN" && !role.endsWith("_READ") && !needed.includes(role);

/** Compares roles with what is needed. */
export const rightsOfRoles = (user: string, roles: readonly string[], needed: readonly string[]): Rights => {
  const granted = new Set(roles);
  return {
    user,
    granted: [...granted].toSorted(),
    missing: needed.filter((role) => !gives(granted, role)),
    excessive: [...granted].filter((role) => isExcessive(role, needed)).toSorted(),
  };
};

interface Me {
  readonly pw_name?: unknown;
  readonly privilege?: { readonly roles?: unknown };
}

/** A list, or how TrueNAS writes sets. */
const rolesOf = (value: unknown): readonly string[] | undefined => {
  const list = Array.isArray(value) ? value : (value as { $set?: unknown } | undefined)?.$set;
  return Array.isArray(list) ? list.filter((role) => typeof role === "string") : undefined;
};

/** A key of 24.10 belongs to no user, and TrueNAS then refuses to say who is asking. */
const nobody = (error: unknown): undefined => {
  if (error instanceof ApiRefusal && /logged in using/i.test(error.message)) return undefined;
  throw error;
};

/**
 * What TrueNAS says of whoever is logged in. With an API key of 24.10 it says nothing: `granted` is then "unknown" and
 * nothing else is claimed.
 */
export const readRights = async (api: Api, user: string, purpose: Purpose): Promise<Rights> => {
  const me = (await worded("TrueNAS does not tell the user's rights.", () => api.read("auth.me", []).catch(nobody))) as
    | Me
    | undefined;
  const roles = rolesOf(me?.privilege?.roles);
  if (roles === undefined) return { user, granted: [unknown], missing: [], excessive: [] };
  const name = typeof me?.pw_name === "string" ? me.pw_name : user;
  return rightsOfRoles(name, roles, needsOf(api, purpose));
};
