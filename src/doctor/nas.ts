/** The NAS: whether Holdfast may do there what it has to and nothing else, and who else works on the same datasets. */
import { Failure } from "../model/failure.ts";
import { formatBytes } from "../model/units.ts";
import { couldName } from "../model/snapshot-name.ts";
import type { Nas, Pool, ReplicationTask, Rights, SnapshotTask } from "../systems/nas/port.ts";
import { type Check, type Finding, ok, warning } from "./check.ts";
import type { DoctorWorld } from "./world.ts";

/** None where holdfast.yaml names no NAS. */
export const nasChecks = (world: DoctorWorld): readonly Check[] => {
  const config = world.loaded.config.nas;
  if (config === undefined) return [];
  const { parents } = config;
  const on = (look: (nas: Nas, parents: readonly string[]) => Promise<Finding>) => async (): Promise<Finding> =>
    look(await world.nas(), parents);
  const needs = ["nas"];
  return [
    { id: "nas", title: "NAS", look: on(described) },
    { id: "nas-parents", title: "Parent datasets", needs, look: on(parentsFound) },
    { id: "nas-rights", title: "Rights on the NAS", needs, look: on(async (nas) => rightsFinding(await nas.rights())) },
    { id: "nas-remover", title: "Who removes on the NAS", look: () => removerFinding(world) },
    { id: "nas-pool", title: "Pool", needs, look: on(poolsFound) },
    { id: "nas-snapshot-tasks", title: "Periodic snapshot tasks", needs, look: on(tasksFound) },
    { id: "nas-replication", title: "Replication tasks", needs, look: on(replicationsFound) },
  ];
};

const products = { truenas: "TrueNAS", zfs: "ZFS" } as const;
const transports = { "json-rpc": "JSON-RPC", rest: "REST", ssh: "SSH" } as const;

const described = async (nas: Nas): Promise<Finding> => {
  const { product, version, transport } = await nas.describe();
  return ok(`${products[product]} ${version}, over ${transports[transport]}`);
};

const parentsFound = async (nas: Nas, parents: readonly string[]): Promise<Finding> => {
  const lists = await Promise.all(parents.map(async (name) => ({ name, datasets: await nas.datasets(name) })));
  const absent = lists.filter(({ datasets }) => datasets.length === 0).map(({ name }) => name);
  if (absent.length > 0)
    throw new Failure("DATASET_UNKNOWN", {
      what: `The NAS has no dataset ${absent.join(", ")}.`,
      todo: "Correct nas.parents in holdfast.yaml: they are the parent datasets that the storage driver is told.",
    });
  return ok(lists.map(({ name, datasets }) => `${name} (${datasets.length - 1} below)`).join(", "));
};

const rightsFinding = ({ user, granted, missing, excessive }: Rights): Finding => {
  if (missing.length > 0)
    throw new Failure("NAS_FORBIDDEN", { what: `The user ${user} lacks ${missing.join(", ")} on the NAS.` });
  if (granted.includes("unknown")) return { verdict: "unknown", found: `the NAS does not say what ${user} may do` };
  if (excessive.length === 0) return ok(`${user} may do what is needed, and nothing more`);
  return warning(
    `${user} may do more than Holdfast ever does with it: ${excessive.join(", ")}`,
    "Take it away: whoever steals the key can do it. docs/nas/ lists what is needed.",
  );
};

const removerFinding = async (world: DoctorWorld): Promise<Finding> => {
  if (world.loaded.config.nas?.remover === undefined)
    return warning(
      "holdfast.yaml names nobody: what operations have set aside on the NAS is never freed",
      "Set nas.remover to a user of its own; docs/nas/ lists its rights.",
    );
  return rightsFinding(await (await world.nasRemover()).rights());
};

/** Share of a pool below which copy-on-write becomes slow, and snapshots begin to be in the way. */
const littleFree = 0.1;

const poolTrouble = ({ name, health, readOnly, size, free }: Pool): string | undefined => {
  if (health !== "ONLINE") return `${name} is ${health}`;
  if (readOnly) return `${name} is read-only`;
  return free < size * littleFree ? `${name} has only ${formatBytes(free)} of ${formatBytes(size)} free` : undefined;
};

const poolsFound = async (nas: Nas, parents: readonly string[]): Promise<Finding> => {
  const used = new Set(parents.map((parent) => parent.split("/")[0]));
  const pools = (await nas.pools()).filter(({ name }) => used.has(name));
  const unusable = pools.find(({ health, readOnly }) => readOnly || health === "SUSPENDED");
  if (unusable !== undefined)
    throw new Failure("NAS_READ_ONLY", { what: `${poolTrouble(unusable) ?? unusable.name}: nothing can be written.` });
  const troubles = pools.flatMap((pool) => poolTrouble(pool) ?? []);
  if (troubles.length > 0) return warning(troubles.join("; "), "Look at the pool on the NAS before it gets worse.");
  return ok(
    pools.map(({ name, size, free }) => `${name} ONLINE, ${formatBytes(free)} of ${formatBytes(size)} free`).join(", "),
  );
};

const isWithin = (dataset: string, above: string): boolean => dataset === above || dataset.startsWith(`${above}/`);

/** Whether a task looks at something that one of our parents holds. */
const reaches = ({ dataset, recursive, exclude }: SnapshotTask, parent: string): boolean =>
  (isWithin(dataset, parent) || (recursive && isWithin(parent, dataset))) &&
  !exclude.some((left) => isWithin(parent, left));

const tasksFound = async (nas: Nas, parents: readonly string[]): Promise<Finding> => {
  const tasks = (await nas.snapshotTasks()).filter((task) => parents.some((parent) => reaches(task, parent)));
  const swallowing = tasks.filter(({ namingSchema }) => couldName(namingSchema));
  if (swallowing.length === 0) return ok(`${tasks.length} on these datasets, none whose names could be Holdfast's`);
  const names = swallowing.map(({ dataset, namingSchema }) => `${dataset} "${namingSchema}"`).join(", ");
  return warning(
    `their retention would remove Holdfast's snapshots: ${names}`,
    "Give the task another naming schema, such as auto-%Y-%m-%d_%H-%M.",
  );
};

const replicationsFound = async (nas: Nas, parents: readonly string[]): Promise<Finding> => {
  const touched = ({ sources, recursive }: ReplicationTask): boolean =>
    sources.some((source) =>
      parents.some((parent) => isWithin(source, parent) || (recursive && isWithin(parent, source))),
    );
  const tasks = (await nas.replicationTasks()).filter((task) => task.enabled && touched(task));
  if (tasks.length === 0) return ok("none takes these datasets as its source");
  return warning(
    `${tasks.map(({ name }) => name).join(", ")} replicate these datasets`,
    "Settling a restore from ZFS promotes a clone, after which its next incremental replication needs a new start.",
  );
};
