/** What a key of 24.10 may do: it belongs to no user and has no roles, but a list of the REST resources it is for. */
import type { Rights } from "../port.ts";
import type { Purpose } from "./rights.ts";

/** As TrueNAS keeps it: "*" stands for every verb, and in a resource for any text. */
export interface Allowed {
  readonly method: string;
  readonly resource: string;
}

const reading: readonly string[] = [
  "GET /system/version",
  "GET /pool/dataset",
  "GET /zfs/snapshot",
  "GET /sharing/nfs",
  "GET /iscsi/global",
  "GET /iscsi/target",
  "GET /iscsi/extent",
  "GET /iscsi/targetextent",
];

const dataDeletion: readonly string[] = ["DELETE /zfs/snapshot/id/{id_}", "DELETE /pool/dataset/id/{id_}"];

/** "{id_}" is how TrueNAS itself spells the place of an id. */
const needs: Readonly<Record<Purpose, readonly string[]>> = {
  routine: [
    ...reading,
    "GET /pool",
    "GET /pool/snapshottask",
    "GET /replication",
    "GET /iscsi/global/sessions",
    "POST /zfs/snapshot",
    "POST /zfs/snapshot/clone",
    "PUT /pool/dataset/id/{id_}",
    "POST /pool/dataset/id/{id_}/promote",
    "POST /sharing/nfs",
    "POST /iscsi/target",
    "POST /iscsi/extent",
    "POST /iscsi/targetextent",
    "DELETE /sharing/nfs/id/{id_}",
    "DELETE /iscsi/target/id/{id_}",
    "DELETE /iscsi/extent/id/{id_}",
    "DELETE /iscsi/targetextent/id/{id_}",
  ],
  remover: [...reading, ...dataDeletion],
};

/** Ways to lose data, or to get more rights. */
const dangers: readonly string[] = [
  ...dataDeletion,
  "POST /zfs/snapshot/rollback",
  "POST /pool/dataset/destroy_snapshots",
  "POST /pool/id/{id_}/export",
  "POST /api_key",
  "POST /user",
];

const matches = (pattern: string, resource: string): boolean => {
  const parts = pattern.split("*").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${parts.join(".*")}$`).test(resource);
};

const allows = (list: readonly Allowed[], wanted: string): boolean => {
  const [verb = "", resource = ""] = wanted.split(" ");
  return list.some((one) => ["*", verb].includes(one.method) && matches(one.resource, resource));
};

/** Compares a key's list with what is needed. */
export const rightsOfAllowList = (user: string, list: readonly Allowed[], purpose: Purpose): Rights => ({
  user,
  granted: list.map(({ method, resource }) => `${method} ${resource}`),
  missing: needs[purpose].filter((one) => !allows(list, one)),
  excessive: dangers.filter((one) => !needs[purpose].includes(one) && allows(list, one)),
});
