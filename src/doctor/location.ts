/** The place that Velero writes to: there, in use, and the very one that holdfast.yaml names. */
import { Failure } from "../model/failure.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { normalPrefix } from "../systems/velero/bucket-layout.ts";
import type { BackupStorageLocation } from "../systems/velero/objects.ts";
import type { Config } from "../config/schema.ts";
import { type Check, type Finding, ok } from "./check.ts";
import { sameStoreFinding } from "./same-store.ts";
import type { DoctorWorld } from "./world.ts";

export const locationChecks = (world: DoctorWorld): readonly Check[] => [
  { id: "location", title: "BackupStorageLocation", needs: ["velero"], look: () => locationFinding(world) },
  {
    id: "location-bucket",
    title: "Velero's bucket is ours",
    needs: ["location"],
    look: async () => sameBucketFinding(await readLocation(world), world.loaded.config),
  },
  {
    id: "location-store",
    title: "Velero's store is ours",
    needs: ["location-bucket", "bucket"],
    look: async () => sameStoreFinding(world, await readLocation(world)),
  },
  ...(world.loaded.config.velero.policyConfigMap === undefined
    ? []
    : [policyCheck(world, world.loaded.config.velero.policyConfigMap)]),
];

const readLocation = async (world: DoctorWorld): Promise<BackupStorageLocation> => {
  const { namespace, storageLocation: name } = world.loaded.config.velero;
  const kubernetes = await world.kubernetes();
  const location = await kubernetes.get<BackupStorageLocation>(resources.backupStorageLocations, { namespace, name });
  if (location !== undefined) return location;
  throw new Failure("VELERO_UNHEALTHY", {
    what: `There is no BackupStorageLocation ${namespace}/${name}.`,
    todo: `Create it (velero backup-location create ${name} …), or correct velero.storageLocation in holdfast.yaml.`,
  });
};

const locationFinding = async (world: DoctorWorld): Promise<Finding> => {
  const { spec, status, metadata } = await readLocation(world);
  const { namespace } = world.loaded.config.velero;
  const name = `${namespace}/${metadata.name}`;
  if (status?.phase !== "Available") {
    throw new Failure("VELERO_UNHEALTHY", {
      what: `The BackupStorageLocation ${name} is ${status?.phase ?? "not checked by Velero yet"}.`,
      ...(status?.message === undefined ? {} : { why: status.message }),
      todo: `Velero cannot reach its bucket: compare the check "bucket"; kubectl -n ${namespace} logs deployment/velero`,
    });
  }
  if (spec.accessMode === "ReadOnly") {
    throw new Failure("VELERO_UNHEALTHY", {
      what: `The BackupStorageLocation ${name} is ReadOnly: Velero refuses to back up into it.`,
      todo: `kubectl -n ${namespace} patch backupstoragelocation ${metadata.name} --type merge -p '{"spec":{"accessMode":"ReadWrite"}}'`,
    });
  }
  return ok(`${name} is Available, ReadWrite`);
};

const place = (bucket: string, prefix: string): string => `${bucket}/${prefix}`;

const sameBucketFinding = ({ spec }: BackupStorageLocation, { bucket }: Config): Finding => {
  const theirs = place(spec.objectStorage?.bucket ?? "", normalPrefix(spec.objectStorage?.prefix));
  const ours = place(bucket.name, normalPrefix(bucket.prefix));
  if (theirs === ours) return ok(`${theirs} for both`);
  throw new Failure("CONFIG_INVALID", {
    what: `Velero writes to ${theirs}, holdfast.yaml names ${ours}.`,
    why: "Holdfast would not see Velero's backups",
    todo: "Correct bucket.name and bucket.prefix in holdfast.yaml, or velero.storageLocation.",
  });
};

const policyCheck = (world: DoctorWorld, name: string): Check => ({
  id: "volume-policy",
  title: "Velero's volume policy",
  needs: ["velero"],
  look: async () => {
    const { namespace } = world.loaded.config.velero;
    const found = await (await world.kubernetes()).get(resources.configMaps, { namespace, name });
    if (found !== undefined) return ok(`ConfigMap ${namespace}/${name}`);
    throw new Failure("VELERO_UNHEALTHY", {
      what: `There is no ConfigMap ${namespace}/${name}.`,
      why: "Velero refuses backups whose volume policy it cannot find",
      todo: "Create it, or correct velero.policyConfigMap in holdfast.yaml.",
    });
  },
});
