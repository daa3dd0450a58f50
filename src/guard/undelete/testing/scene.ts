/** A whole undelete in memory: a cluster with its binder, a NAS, Argo CD that wants the claim gone, and the engine. */
import type { Claim, PersistentVolume } from "../../../inventory/raw.ts";
import { readClusterObjects } from "../../../inventory/read.ts";
import { volumesOf } from "../../../inventory/volumes.ts";
import { Failure } from "../../../model/failure.ts";
import { type StepKinds, stepKinds } from "../../../operation/step-kind.ts";
import type { Scene } from "../../../operation/testing/kill-matrix.ts";
import type { Life } from "../../../operation/testing/mortal.ts";
import { OperationWorld } from "../../../operation/testing/process.ts";
import { startWorkloads, stopWorkloads } from "../../../restore/steps/workloads.ts";
import { aCluster, type Cluster } from "../../../restore/testing/cluster.ts";
import { createVolume, exportDataset } from "../../../restore/zfs/steps.ts";
import { ArgoCd } from "../../../systems/gitops/argo.ts";
import type { Application } from "../../../systems/gitops/argo-objects.ts";
import { frozenAnnotation } from "../../../systems/gitops/freezing.ts";
import { MemoryArgo } from "../../../systems/gitops/memory-argo.ts";
import { MemoryBinder } from "../../../systems/kubernetes/memory-binder.ts";
import type { Kubernetes } from "../../../systems/kubernetes/port.ts";
import { resources } from "../../../systems/kubernetes/resources.ts";
import { settled } from "../../../systems/kubernetes/testing/world.ts";
import { guardFinalizer } from "../../finalizer.ts";
import { guardAgain, isGuardedAgain } from "../../letting-go.ts";
import type { Marks } from "../../protect/marks.ts";
import { guardKey } from "../../protect/mode.ts";
import { markTrash } from "../../retire/steps/mark-trash.ts";
import { isTrash, trashKey } from "../../retire/trash-mark.ts";
import type { VolumeRecord } from "../deleted.ts";
import { findDeleted } from "../find.ts";
import { undeleteKinds } from "../kinds.ts";
import { managedClaims, managedNamespaces } from "../managed.ts";
import { planUndelete } from "../plan.ts";

/**
 * "namespace": the claim went with its namespace; "copy": its bytes are gone, so that it is made anew; "trash": it was
 * retired on purpose.
 */
export type Deletion = "claim" | "pv" | "namespace" | "copy" | "trash";

export interface UndeleteScene extends Scene {
  readonly cluster: Cluster;
  readonly binder: MemoryBinder;
  claim(): Promise<Claim | undefined>;
  application(): Promise<Application | undefined>;
  process(life?: Life): ReturnType<OperationWorld["process"]>;
  stop(): void;
}

const claimName = { namespace: "media", name: "sonarr-config" };

const guarded: Marks = { annotations: { [guardKey]: "deny" }, finalizers: [guardFinalizer] };

const put = async ({ kubernetes }: Cluster) => {
  const claim = kubernetes.put<Claim>(resources.persistentVolumeClaims, {
    metadata: {
      ...claimName,
      labels: { app: "sonarr" },
      annotations: {
        "pv.kubernetes.io/bind-completed": "yes",
        "argocd.argoproj.io/tracking-id": "sonarr:/PersistentVolumeClaim:media/sonarr-config",
      },
    },
    spec: { volumeName: "pv-1", storageClassName: "nas", accessModes: ["ReadWriteOnce"] },
    status: { phase: "Bound" },
  });
  const pv = kubernetes.put<PersistentVolume & { status: object }>(resources.persistentVolumes, {
    metadata: { name: "pv-1" },
    spec: {
      persistentVolumeReclaimPolicy: "Retain",
      claimRef: { ...claimName, uid: claim.metadata.uid ?? "" },
      csi: { driver: "org.democratic-csi", volumeHandle: "pvc-1" },
    },
    status: { phase: "Bound" },
  });
  kubernetes.put(resources.applications, {
    metadata: { namespace: "argocd", name: "sonarr" },
    spec: { syncPolicy: { automated: { prune: true, selfHeal: true } } },
    status: { operationState: { phase: "Running" } },
  } as never);
  await guardAgain(kubernetes.as("test"), guarded, claim, pv);
  const { persistentVolumeClaims } = resources;
  return { claim: (await kubernetes.as("test").get<Claim>(persistentVolumeClaims, claimName)) ?? claim, pv };
};

/** Standing again, guarded as before, and bound to its own volume when that is there. */
const isBack = (claim: Claim | undefined, deletion: Deletion): boolean => {
  if (claim === undefined || claim.metadata.deletionTimestamp !== undefined) return false;
  const isBound = claim.spec.volumeName === "pv-1" && claim.status?.phase === "Bound";
  return (isBound || deletion === "copy") && isGuardedAgain(guarded, claim);
};

/** The claim is deleted as Argo CD's prune does it; else once nothing holds it any more. */
const remove = async (cluster: Cluster, deletion: Deletion): Promise<void> => {
  const kubernetes = cluster.kubernetes.as("test");
  await kubernetes.remove(resources.persistentVolumeClaims, claimName);
  if (deletion !== "claim") {
    await cluster.scale(0);
    await kubernetes.mergePatch(resources.persistentVolumeClaims, claimName, { metadata: { finalizers: null } });
  }
  if (deletion === "namespace") {
    for (let turn = 0; turn < 100 && (await cluster.pods()).length > 0; turn += 1) await cluster.clock.sleep(1000);
    // Nothing that they work on is left.
    cluster.controllers.stop();
    await kubernetes.remove(resources.namespaces, { name: claimName.namespace });
  }
  const annotations = { [trashKey]: "2026-01-01T00:00:00Z" };
  if (deletion === "trash")
    await kubernetes.mergePatch(resources.persistentVolumes, { name: "pv-1" }, { metadata: { annotations } });
  if (deletion === "copy") await kubernetes.remove(resources.persistentVolumes, { name: "pv-1" });
  await settled();
};

const planOf = async ({ kubernetes, clock }: Cluster, record: VolumeRecord, replicas: number) => {
  const reading = kubernetes.as("test");
  const objects = await readClusterObjects(reading);
  const records = new Map([["media/sonarr-config", [record]]]);
  const nas = { datasets: [], exports: undefined, addresses: [] };
  const [deleted] = findDeleted({ ...objects, records, nas });
  if (deleted === undefined) throw new Error("nothing is deleted");
  const argo = new ArgoCd({ kubernetes: reading, clock, timeout: 10_000 });
  const objectsOfArgo = [...managedClaims([deleted.object]), ...managedNamespaces([deleted])];
  return planUndelete({
    items: [
      {
        deleted,
        present: volumesOf(objects).find(({ claim }) => claim === claimName.name),
        copy: undefined,
      },
    ],
    gitops: { deployers: await argo.deployersOf(objectsOfArgo), objects: objectsOfArgo },
    replicasOf: () => replicas,
    bindsAtOnce: () => false,
    ownerLives: () => false,
    isGoing: () => false,
  }).plan;
};

const kindsOn =
  ({ clock }: Cluster) =>
  (kubernetes: Kubernetes, life: Life): StepKinds => {
    const waits = { kubernetes, clock: life.clock(clock), timeout: 10_000 };
    const nas = () => Promise.reject(new Error("no NAS is needed"));
    const zfs = { ...waits, nas, remover: nas };
    return stepKinds([
      stopWorkloads(waits),
      startWorkloads(waits),
      exportDataset(zfs),
      createVolume(zfs),
      markTrash(kubernetes),
      ...undeleteKinds(waits, new ArgoCd(waits)),
    ]);
  };

export const anUndeleteScene = async (deletion: Deletion): Promise<UndeleteScene> => {
  const replicas = deletion === "claim" ? 1 : 0;
  const cluster = await aCluster(1);
  const { claim, pv } = await put(cluster);
  const binder = new MemoryBinder(cluster.kubernetes);
  await remove(cluster, deletion);
  const plan = await planOf(cluster, { claim, pv, dataset: undefined, exported: undefined }, replicas);
  const argo = new MemoryArgo(cluster.kubernetes);
  const world = new OperationWorld(cluster.clock, cluster.kubernetes);
  const process = (life?: Life) => world.process(kindsOn(cluster), life);
  const reading = cluster.kubernetes.as("test");
  const claimNow = () => reading.get<Claim>(resources.persistentVolumeClaims, claimName);
  const application = () => reading.get<Application>(resources.applications, { namespace: "argocd", name: "sonarr" });
  const demand = async (changed: boolean, context: string): Promise<void> => {
    await settled();
    const [found, app] = [await claimNow(), await application()];
    const volume = await reading.get<PersistentVolume>(resources.persistentVolumes, { name: "pv-1" });
    const is = {
      trash: volume !== undefined && isTrash(volume) && isBack(found, deletion),
      back: isBack(found, deletion),
      policy: volume?.spec.persistentVolumeReclaimPolicy ?? "Retain",
      reclaimed: [...binder.reclaimed],
      frozen: app?.metadata.annotations?.[frozenAnnotation] !== undefined,
      automated: app?.spec.syncPolicy?.automated,
    };
    const automated = { prune: true, selfHeal: true };
    // Undone, it depends on how far it came: what matters is that nothing is lost, and nothing stays frozen.
    const wanted = {
      trash: false,
      back: changed ? true : is.back,
      policy: "Retain",
      reclaimed: [],
      frozen: false,
      automated,
    };
    if (JSON.stringify(is) !== JSON.stringify(wanted))
      throw new Failure("VERIFICATION_FAILED", { what: `${context}: ${JSON.stringify(is)}` });
  };
  return {
    plan,
    cluster,
    binder,
    claim: claimNow,
    application,
    process,
    demand,
    open: (life) => process(life).operations,
    stop: () => {
      argo.stop();
      binder.stop();
      cluster.controllers.stop();
    },
  };
};
