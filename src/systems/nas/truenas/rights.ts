/** What a credential may do, as far as TrueNAS tells, and how that compares with what Holdfast does with it. */
import type { Rights } from "../port.ts";
import { type Api, ApiRefusal } from "./api.ts";
import { type Allowed, rightsOfAllowList } from "./allow-list.ts";
import { worded } from "./errors.ts";
import { adminsClone, hasPoolRoles, snapshotMethod } from "./methods.ts";

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

/** What nobody but an administrator may do, and Holdfast needs: of 25.04, cloning. */
const beyondRoles = (api: Api, purpose: Purpose, granted: readonly string[]): readonly string[] =>
  purpose === "routine" && snapshotMethod(api.version, "clone") === adminsClone && !granted.includes(everything)
    ? [`${everything} (for ${adminsClone})`]
    : [];

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

/** Who asks. */
export interface Asker {
  readonly user: string;
  /** "3" of the key "3-…". */
  readonly keyNumber: string | undefined;
}

/** Whatever REST refuses to say of a key is not known; over JSON-RPC there is always a user, so a refusal is one. */
const untold =
  ({ transport }: Api) =>
  (error: unknown): undefined => {
    if (transport === "rest" && error instanceof ApiRefusal) return undefined;
    throw error;
  };

/** The list of a key of 24.10; undefined when the key is not allowed to look at itself. */
const allowListOf = async (api: Api, { keyNumber }: Asker): Promise<readonly Allowed[] | undefined> => {
  if (api.transport !== "rest" || keyNumber === undefined) return undefined;
  const answer = await api.read("api_key.query", [[["id", "=", keyNumber]], {}]).catch(untold(api));
  const [key] = Array.isArray(answer) ? (answer as { allowlist?: readonly Allowed[] }[]) : [];
  return Array.isArray(key?.allowlist) ? key.allowlist : undefined;
};

/**
 * What TrueNAS says of whoever is logged in: roles, or for a key of 24.10 its list. Where it says neither, `granted` is
 * "unknown" and nothing else is claimed.
 */
export const readRights = async (api: Api, asker: Asker, purpose: Purpose): Promise<Rights> => {
  const { user } = asker;
  return await worded("TrueNAS does not tell the user's rights.", async () => {
    const me = (await api.read("auth.me", []).catch(untold(api))) as Me | undefined;
    const roles = rolesOf(me?.privilege?.roles);
    if (roles !== undefined) {
      const name = typeof me?.pw_name === "string" ? me.pw_name : user;
      const rights = rightsOfRoles(name, roles, needsOf(api, purpose));
      return { ...rights, missing: [...rights.missing, ...beyondRoles(api, purpose, roles)] };
    }
    const list = await allowListOf(api, asker);
    if (list !== undefined) return rightsOfAllowList(user, list, purpose);
    return { user, granted: [unknown], missing: [], excessive: [] };
  });
};
