/** Is the store that Velero writes to the one that holdfast.yaml names? The same bucket name may exist in two places. */
import { Failure } from "../model/failure.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { backupNames } from "../systems/velero/backup-record.ts";
import { normalPrefix } from "../systems/velero/bucket-layout.ts";
import type { BackupStorageLocation, VeleroBackup } from "../systems/velero/objects.ts";
import { isTerminal } from "../systems/velero/phases.ts";
import { type Finding, ok, warning } from "./check.ts";
import type { DoctorWorld } from "./world.ts";

/** Host and port, for S3 itself the region's. */
const hostOf = ({ spec }: BackupStorageLocation): string => {
  const url = spec.config?.["s3Url"];
  return url === undefined || !URL.canParse(url)
    ? `s3.${spec.config?.["region"] ?? ""}.amazonaws.com`
    : new URL(url).host;
};

/** Equal addresses need no proof. Different ones may be one store: then Velero's backups are found in it. */
export const sameStoreFinding = async (world: DoctorWorld, location: BackupStorageLocation): Promise<Finding> => {
  const { bucket } = world.loaded.config;
  const [theirs, ours] = [hostOf(location), new URL(bucket.endpoint).host];
  if (theirs === ours) return ok(`${ours} for both`);
  const [known, stored] = await Promise.all([
    namesInCluster(world, location),
    backupNames(await world.bucket(), normalPrefix(bucket.prefix)),
  ]);
  const common = known.filter((name) => stored.includes(name)).length;
  const addresses = `Velero reaches it at ${theirs}, Holdfast at ${ours}`;
  if (common > 0) return ok(`${addresses}; ${common} of Velero's ${known.length} backups are there`);
  if (known.length === 0) {
    return warning(`${addresses}; without a backup nothing shows that they are one`, "Make a backup, then look again.");
  }
  throw new Failure("CONFIG_INVALID", {
    what: `Velero writes to ${theirs}, holdfast.yaml names ${ours}.`,
    why: `none of Velero's ${known.length} backups is there`,
    todo: "Correct bucket.endpoint in holdfast.yaml.",
  });
};

const namesInCluster = async (world: DoctorWorld, location: BackupStorageLocation): Promise<readonly string[]> => {
  const { namespace } = world.loaded.config.velero;
  const { items } = await (await world.kubernetes()).list<VeleroBackup>(resources.backups, { namespace });
  return items
    .filter(({ spec, status }) => spec.storageLocation === location.metadata.name && isTerminal(status?.phase ?? ""))
    .map(({ metadata }) => metadata.name);
};
