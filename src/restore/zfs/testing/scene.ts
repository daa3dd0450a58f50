/** A whole restore from ZFS in memory: a cluster with its binder, a NAS, one app, and the engine over them. */
import type { Claim, PersistentVolume } from "../../../inventory/raw.ts";
import { aVolume } from "../../../inventory/sample.ts";
import { Failure } from "../../../model/failure.ts";
import type { Plan } from "../../../model/plan.ts";
import { type StepKinds, stepKinds } from "../../../operation/step-kind.ts";
import type { Scene } from "../../../operation/testing/kill-matrix.ts";
import type { Life } from "../../../operation/testing/mortal.ts";
import { OperationWorld } from "../../../operation/testing/process.ts";
import { guardFinalizer } from "../../../guard/finalizer.ts";
import { guardKey, openingKey } from "../../../guard/protect/mode.ts";
import { policyFor } from "../../../guard/protect/policy.ts";
import { policyTwin } from "../../../guard/protect/testing/policy-twin.ts";
import { MemoryBinder } from "../../../systems/kubernetes/memory-binder.ts";
import type { Kubernetes } from "../../../systems/kubernetes/port.ts";
import { resources } from "../../../systems/kubernetes/resources.ts";
import { MemoryNas, MemoryRemover } from "../../../systems/nas/memory.ts";
import { MemoryZfs } from "../../../systems/nas/memory-zfs.ts";
import type { Nas, NasRemover, Snapshot } from "../../../systems/nas/port.ts";
import { startWorkloads, stopWorkloads } from "../../steps/workloads.ts";
import { aCluster, type Cluster } from "../../testing/cluster.ts";
import { planZfsRestore, type ZfsPlan } from "../plan.ts";
import { cloneDataset, createVolume, exportDataset, rebindClaim } from "../steps.ts";

const GiB = 2 ** 30;
const parent = "tank/k8s/v";
const dataset = `${parent}/pvc-1`;
const claimName = { namespace: "media", name: "sonarr-config" };

export type Protocol = "nfs" | "iscsi";

export interface ZfsScene extends Scene {
  readonly cluster: Cluster;
  readonly binder: MemoryBinder;
  readonly zfs: MemoryZfs;
  readonly found: ZfsPlan;
  readonly dataset: string;
  process(life?: Life): ReturnType<OperationWorld["process"]>;
  /** The plan of another restore, into what the claim is bound to now. */
  planAgain(snapshot: Snapshot, suffix: string): Promise<Plan>;
  /** What the app sees: the content behind its claim. */
  content(): Promise<string | undefined>;
  pv(name: string): Promise<PersistentVolume | undefined>;
  /** What is left of the operation: names of datasets and PVs beside the volume's own, and exports. */
  left(): Promise<readonly string[]>;
  stop(): void;
}

const attributesOf = (protocol: Protocol, zfs: MemoryZfs): Readonly<Record<string, string>> =>
  protocol === "nfs"
    ? { node_attach_driver: "nfs", server: "nas", share: `/mnt/${dataset}` }
    : { node_attach_driver: "iscsi", portal: "nas:3260", iqn: `${zfs.network.iqnBase}:csi-pvc-1`, lun: "0" };

const put = (cluster: Cluster, protocol: Protocol, zfs: MemoryZfs) => {
  const attributes = attributesOf(protocol, zfs);
  const claim = cluster.kubernetes.put<Claim>(resources.persistentVolumeClaims, {
    metadata: { ...claimName, labels: { app: "sonarr" }, annotations: { "pv.kubernetes.io/bind-completed": "yes" } },
    spec: { volumeName: "pv-1", storageClassName: "nas", accessModes: ["ReadWriteOnce"] },
    status: { phase: "Bound" },
  });
  const pv = cluster.kubernetes.put<PersistentVolume & { status: object }>(resources.persistentVolumes, {
    metadata: { name: "pv-1", annotations: { "pv.kubernetes.io/provisioned-by": "org.democratic-csi" } },
    spec: {
      persistentVolumeReclaimPolicy: "Delete",
      claimRef: { ...claimName, uid: claim.metadata.uid ?? "" },
      csi: {
        driver: "org.democratic-csi",
        volumeHandle: "pvc-1",
        volumeAttributes: { ...attributes, provisioner_driver: `freenas-api-${protocol}` },
      },
    },
    status: { phase: "Bound" },
  });
  return { claim, pv };
};

interface Stage {
  readonly cluster: Cluster;
  readonly zfs: MemoryZfs;
  readonly nas: MemoryNas;
  readonly binder: MemoryBinder;
  readonly guarded: boolean;
}

const pvNamed = ({ cluster }: Stage, name: string) =>
  cluster.kubernetes.as("test").get<PersistentVolume>(resources.persistentVolumes, { name });

/** Claim, PV and dataset as they belong together now; undefined while they do not. */
const boundOn = async (stage: Stage) => {
  const claim = await stage.cluster.kubernetes.as("test").get<Claim>(resources.persistentVolumeClaims, claimName);
  const pv = await pvNamed(stage, claim?.spec.volumeName ?? "");
  const handle = pv?.spec.csi?.volumeHandle;
  if (claim?.status?.phase !== "Bound" || pv === undefined || handle === undefined) return undefined;
  return { claim, pv, name: `${parent}/${handle}` };
};

const contentOf = async (stage: Stage): Promise<string | undefined> => {
  const bound = await boundOn(stage);
  return bound === undefined ? undefined : stage.zfs.content(bound.name);
};

const planFor = async (
  stage: Pick<Stage, "nas">,
  bound: NonNullable<Awaited<ReturnType<typeof boundOn>>>,
  wish: { readonly snapshot: Snapshot; readonly suffix: string; readonly replicas: number },
): Promise<ZfsPlan> => {
  const dataset = await stage.nas.dataset(bound.name);
  if (dataset === undefined) throw new Error("no dataset");
  return planZfsRestore({
    items: [{ target: aVolume(), claim: bound.claim, pv: bound.pv, dataset, snapshot: wish.snapshot }],
    exports: await stage.nas.exports(),
    keepFor: "7d",
    suffix: wish.suffix,
    replicasOf: () => wish.replicas,
  });
};

const leftOn = async ({ cluster, nas }: Stage): Promise<readonly string[]> => {
  const datasets = (await nas.datasets(parent)).map(({ name }) => name);
  const { items } = await cluster.kubernetes.as("test").list(resources.persistentVolumes);
  const exports = await nas.exports();
  const own = new Set([parent, dataset, "pv-1", `/mnt/${dataset}`, "csi-pvc-1"]);
  return [
    ...datasets,
    ...items.map(({ metadata }) => metadata.name),
    ...exports.nfs.map(({ path }) => path),
    ...exports.targets.map(({ name }) => name),
  ].filter((name) => !own.has(name));
};

/** The app's files are "old" and the snapshot's "new": what is restored is told from what was there. */
const setStage = async (protocol: Protocol, { replicas, guarded }: Required<ZfsSceneOptions>) => {
  const cluster = await aCluster(replicas);
  const zfs = new MemoryZfs(cluster.clock);
  const properties = {
    "democratic-csi:managed_resource": "true",
    "democratic-csi:csi_share_volume_context": JSON.stringify(attributesOf(protocol, zfs)),
  };
  const seed = protocol === "nfs" ? { refquota: GiB } : { kind: "volume" as const, volsize: GiB };
  zfs.create(dataset, { content: "new", bytes: 1000, properties, ...seed });
  zfs.network.exportDataset(protocol, dataset, "csi-pvc-1");
  const nas = new MemoryNas(zfs);
  const snapshot = await nas.createSnapshot({ dataset, snapshot: "point-1" });
  zfs.write(dataset, "old", 1000);
  const { claim, pv } = await withGuard(cluster, guarded, put(cluster, protocol, zfs));
  const binder = new MemoryBinder(cluster.kubernetes);
  const found = await planFor({ nas }, { claim, pv, name: dataset }, { snapshot, suffix: "abc123", replicas });
  return { cluster, zfs, nas, binder, found, guarded };
};

/** As `guard on` leaves a volume, in mode deny, and an API server that obeys the policy. */
const withGuard = async ({ kubernetes }: Cluster, guarded: boolean, volume: ReturnType<typeof put>) => {
  if (!guarded) return volume;
  const { policy, binding } = policyFor([]);
  kubernetes.put(resources.admissionPolicies, policy);
  kubernetes.put(resources.admissionPolicyBindings, binding);
  const annotations = { [guardKey]: "deny" };
  const spec = { persistentVolumeReclaimPolicy: "Retain" };
  await kubernetes.mergePatch(resources.persistentVolumes, { name: "pv-1" }, { spec });
  const pv = await kubernetes.apply<typeof volume.pv>(resources.persistentVolumes, {
    metadata: { name: "pv-1", annotations },
  });
  const finalizers = [guardFinalizer];
  const claim = await kubernetes.apply<Claim>(resources.persistentVolumeClaims, {
    metadata: { ...claimName, annotations, finalizers },
  });
  kubernetes.admit(policyTwin);
  return { claim, pv };
};

/** Whether claim and PV that belong together are guarded, as one text. */
const guardOf = async (stage: Stage): Promise<string> => {
  const claim = await stage.cluster.kubernetes.as("test").get<Claim>(resources.persistentVolumeClaims, claimName);
  const pv = await pvNamed(stage, claim?.spec.volumeName ?? "");
  if (claim === undefined || pv === undefined) return "gone";
  return [claim, pv]
    .map(({ metadata: { annotations, finalizers } }) =>
      JSON.stringify([
        annotations?.[guardKey],
        annotations?.[openingKey],
        finalizers?.includes(guardFinalizer) === true,
      ]),
    )
    .join(" ");
};

const kindsOn =
  ({ cluster, zfs, nas }: Stage) =>
  (kubernetes: Kubernetes, life: Life): StepKinds => {
    const clock = life.clock(cluster.clock);
    const [own, remover]: [Nas, NasRemover] = [life.port(nas), life.port(new MemoryRemover(zfs))];
    const waits = { kubernetes, clock, timeout: 10_000 };
    const options = { ...waits, nas: async () => own, remover: async () => remover };
    return stepKinds([
      stopWorkloads(waits),
      startWorkloads(waits),
      cloneDataset(options),
      exportDataset(options),
      createVolume(options),
      rebindClaim(options),
    ]);
  };

const demand = async (stage: Stage, replicas: number, changed: boolean, context: string): Promise<void> => {
  const { cluster, zfs, binder } = stage;
  const is = {
    content: await contentOf(stage),
    old: zfs.content(dataset),
    replicas: (await cluster.deployment())?.spec.replicas,
    policy: (await pvNamed(stage, "pv-1"))?.spec.persistentVolumeReclaimPolicy,
    guard: await guardOf(stage),
    reclaimed: [...binder.reclaimed],
  };
  const guard = stage.guarded ? '["deny",null,true] ["deny",null,false]' : "[null,null,false] [null,null,false]";
  const policy = changed || stage.guarded ? "Retain" : "Delete";
  const wanted = { content: changed ? "new" : "old", policy, guard };
  const whole = { ...is, ...wanted, old: "old", replicas, reclaimed: [] };
  if (JSON.stringify(is) === JSON.stringify(whole)) return;
  throw new Failure("VERIFICATION_FAILED", { what: `${context}: ${JSON.stringify(is)}, not ${JSON.stringify(whole)}` });
};

export interface ZfsSceneOptions {
  readonly replicas?: number;
  readonly guarded?: boolean;
}

export const aZfsScene = async (
  protocol: Protocol = "nfs",
  { replicas = 1, guarded = false }: ZfsSceneOptions = {},
): Promise<ZfsScene> => {
  const stage = await setStage(protocol, { replicas, guarded });
  const { cluster, binder, zfs, found } = stage;
  const world = new OperationWorld(cluster.clock, cluster.kubernetes);
  const process = (life?: Life) => world.process(kindsOn(stage), life);
  /** What an undo after the end has set aside stays until it is settled; else nothing stays. */
  const demandWhole = async (changed: boolean, context: string): Promise<void> => {
    await demand(stage, replicas, changed, context);
    const known = (await process().operations.list()).operations.find(({ id }) => id === "op-1");
    const left = changed || known?.status === "undone" ? [] : await leftOn(stage);
    if (left.length > 0) throw new Failure("VERIFICATION_FAILED", { what: `${context}: ${left.join(", ")} is left` });
  };
  return {
    cluster,
    binder,
    zfs,
    found,
    dataset,
    plan: found.plan,
    process,
    planAgain: async (snapshot, suffix) => {
      const bound = await boundOn(stage);
      if (bound === undefined) throw new Error("the claim is not bound");
      return (await planFor(stage, bound, { snapshot, suffix, replicas })).plan;
    },
    content: () => contentOf(stage),
    pv: (name) => pvNamed(stage, name),
    left: () => leftOn(stage),
    demand: demandWhole,
    open: (life) => process(life).operations,
    stop: () => {
      binder.stop();
      cluster.controllers.stop();
    },
  };
};
