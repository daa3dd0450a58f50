/** One namespace with its volumes, as the world sees it, and what is needed to take it away again. */
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { claimSpec } from "../../../lab/apps/claims.ts";
import { storageClassNames } from "../../../lab/csi/manifests.ts";
import { poolMountpoint } from "../../../lab/lab.ts";
import { datasets } from "../../../lab/nas/nas.ts";
import type { Claim, PersistentVolume } from "../../../src/inventory/raw.ts";
import { trackingAnnotation } from "../../../src/systems/gitops/tracking.ts";
import type { KubeObject, Kubernetes, Resource } from "../../../src/systems/kubernetes/port.ts";
import { resources } from "../../../src/systems/kubernetes/resources.ts";
import { sleeper } from "../support/cluster.ts";
import { type ClaimName, claimNames } from "./moves.ts";
import type { Outsider } from "./outsider.ts";

const classOf: Readonly<Record<ClaimName, keyof typeof storageClassNames>> = {
  one: "nfs",
  two: "iscsi",
  "data-db-0": "nfs",
};

const specOf = (name: ClaimName) =>
  claimSpec({
    name,
    storageClass: storageClassNames[classOf[name]],
    size: "1Gi",
    provision: "dynamic",
    seed: "",
    mountPath: "",
    dynamicPaths: [],
  });

/** A claim as git has it. */
export const claimInGit = (namespace: string, name: ClaimName): KubeObject => {
  const annotations = { [trackingAnnotation]: `${namespace}:/PersistentVolumeClaim:${namespace}/${name}` };
  const claim = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name, namespace, labels: { app: "history" }, annotations },
    spec: specOf(name),
  };
  return claim;
};

/** A StatefulSet that takes its claim along when it goes. */
const setInGit = (namespace: string): KubeObject => {
  const set = {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "db", namespace },
    spec: {
      replicas: 1,
      serviceName: "db",
      selector: { matchLabels: { app: "db" } },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete", whenScaled: "Retain" },
      template: {
        metadata: { labels: { app: "db" } },
        spec: {
          terminationGracePeriodSeconds: 0,
          containers: [sleeper({ name: "data", mountPath: "/data" })],
        },
      },
      volumeClaimTemplates: [{ metadata: { name: "data" }, spec: specOf("data-db-0") }],
    },
  };
  return set;
};

/** Where a volume's bytes are, as the machine of these tests sees the NAS' pool. */
export const directoryOf = ({ spec }: PersistentVolume): string => {
  const parent = spec["storageClassName"] === storageClassNames.iscsi ? datasets.iscsi : datasets.nfs;
  return join(poolMountpoint, "..", parent, spec.csi?.volumeHandle ?? "");
};

const markFile = "history-mark";

/** Gives false when there is no such dataset (any more). */
export const writeMark = async (pv: PersistentVolume, mark: string): Promise<boolean> => {
  const directory = directoryOf(pv);
  const file = join(directory, markFile);
  try {
    await writeFile(file, mark);
    if (await isMounted(directory)) return true;
    await rm(file);
    return false;
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
};

export const readMark = async (pv: PersistentVolume): Promise<string | undefined> => {
  try {
    return await readFile(join(directoryOf(pv), markFile), "utf8");
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
};

const isGone = (error: unknown): boolean =>
  ["ENOENT", "ENOTDIR", "EIO"].includes((error as NodeJS.ErrnoException).code ?? "");

/** Everything of a household at one moment. */
export interface Sight {
  readonly namespace: KubeObject | undefined;
  readonly set: KubeObject | undefined;
  readonly claims: ReadonlyMap<string, Claim>;
  /** PVs that are, or were last, bound in the namespace. */
  readonly volumes: readonly PersistentVolume[];
}

export const isLive = (object: KubeObject | undefined): boolean =>
  object !== undefined && object.metadata.deletionTimestamp === undefined;

export class Household {
  readonly namespace: string;
  readonly #kubernetes: Kubernetes;
  readonly #outsider: Outsider;

  constructor(namespace: string, kubernetes: Kubernetes, outsider: Outsider) {
    this.namespace = namespace;
    this.#kubernetes = kubernetes;
    this.#outsider = outsider;
  }

  /** Makes the namespace and its claims, and waits until all are bound. */
  async open(hasSet: boolean): Promise<void> {
    const { namespace } = this;
    await this.ensureNamespace();
    for (const name of claimNames) if (!hasSet || name !== "data-db-0") await this.#create(claimInGit(namespace, name));
    if (hasSet) await this.#create(setInGit(namespace));
    await this.#until("bound", 90, async () => {
      const { claims } = await this.look();
      return claimNames.every((name) => claims.get(name)?.status?.phase === "Bound");
    });
  }

  async ensureNamespace(): Promise<void> {
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: this.namespace } };
    await this.#outsider.create(resources.namespaces, namespace);
  }

  async look(): Promise<Sight> {
    const { namespace } = this;
    const kubernetes = this.#kubernetes;
    const [found, set, claims, volumes] = await Promise.all([
      kubernetes.get(resources.namespaces, { name: namespace }),
      kubernetes.get(resources.statefulSets, { namespace, name: "db" }),
      kubernetes.list<Claim>(resources.persistentVolumeClaims, { namespace }),
      kubernetes.list<PersistentVolume>(resources.persistentVolumes),
    ]);
    return {
      namespace: found,
      set,
      claims: new Map(claims.items.map((claim) => [claim.metadata.name, claim])),
      volumes: volumes.items.filter(({ spec }) => spec.claimRef?.namespace === namespace),
    };
  }

  /** Pods that an orphaned StatefulSet has left: nothing but a user ends them. Gives false when there are none. */
  async removeBarePods(): Promise<boolean> {
    const { namespace } = this;
    const { items } = await this.#kubernetes.list(resources.pods, { namespace });
    const bare = items.filter(({ metadata }) => (metadata.ownerReferences ?? []).length === 0);
    for (const { metadata } of bare) await this.#outsider.remove(resources.pods, { namespace, name: metadata.name });
    return bare.length > 0;
  }

  /** Takes everything away, guarded or not, and does not wait for it: `leftOf` tells when it is gone. */
  async close(): Promise<void> {
    const { namespace, set, claims, volumes } = await this.look();
    const open = (resource: Resource, object: KubeObject, change: object) =>
      this.#outsider.patchOpened(resource, object, change);
    if (namespace !== undefined) await open(resources.namespaces, namespace, unmarked);
    if (set !== undefined) await open(resources.statefulSets, set, unmarked);
    for (const claim of claims.values()) await open(resources.persistentVolumeClaims, claim, unheld);
    for (const pv of volumes) await open(resources.persistentVolumes, pv, { ...unmarked, ...reclaimed });
    await this.#outsider.remove(resources.namespaces, { name: this.namespace });
  }

  /** What of it is still there, in the cluster or on the NAS; `known`: all volumes that it had. Helps it to go. */
  async leftOf(known: readonly PersistentVolume[]): Promise<readonly string[]> {
    const { namespace, volumes } = await this.look();
    for (const pv of volumes) {
      // A process of Holdfast may have saved it once more.
      if (pv.spec.persistentVolumeReclaimPolicy === "Retain")
        await this.#outsider.patchOpened(resources.persistentVolumes, pv, { ...unmarked, ...reclaimed });
    }
    const there = new Set(volumes.map(({ metadata }) => metadata.name));
    const left = [];
    for (const pv of known) {
      if (!(await isThere(pv))) continue;
      left.push(pv);
      if (!there.has(pv.metadata.name)) await this.#reclaim(pv);
    }
    const text = (object: KubeObject): string =>
      `${this.namespace}: ${JSON.stringify({ ...object, metadata: { ...object.metadata, managedFields: undefined } })}`;
    return [
      ...(namespace === undefined ? [] : [text(namespace)]),
      ...volumes.map(text),
      ...left.map((pv) => `${this.namespace}: ${directoryOf(pv)}`),
    ];
  }

  /** A dataset whose PV is gone: its driver destroys it once a PV says so. */
  async #reclaim(pv: PersistentVolume): Promise<void> {
    const { name, annotations } = pv.metadata;
    const claimRef = { kind: "PersistentVolumeClaim", namespace: this.namespace, name: "nobody", uid: "nobody" };
    const kept = {
      "pv.kubernetes.io/provisioned-by": annotations?.["pv.kubernetes.io/provisioned-by"] ?? pv.spec.csi?.driver ?? "",
    };
    await this.#outsider.create(resources.persistentVolumes, {
      apiVersion: "v1",
      kind: "PersistentVolume",
      metadata: { name, annotations: kept },
      spec: { ...pv.spec, claimRef, persistentVolumeReclaimPolicy: "Delete" },
    } as KubeObject);
  }

  async #create(object: KubeObject): Promise<void> {
    const resource = object.kind === "StatefulSet" ? resources.statefulSets : resources.persistentVolumeClaims;
    const { status, message } = await this.#outsider.create(resource, object);
    if (status >= 400) throw new Error(`${object.kind} ${object.metadata.name}: ${message}`);
  }

  async #until(what: string, seconds: number, holds: () => Promise<boolean>): Promise<void> {
    for (let tried = 0; !(await holds()); tried += 1) {
      if (tried > seconds * 10) throw new Error(`${this.namespace} is not ${what} after ${seconds} s`);
      await sleep(100);
    }
  }
}

const unmarked = { metadata: { annotations: { "holdfast.dev/guard": null } } };
const unheld = { metadata: { ...unmarked.metadata, finalizers: null } };
const reclaimed = { spec: { persistentVolumeReclaimPolicy: "Delete" } };

const isThere = async (pv: PersistentVolume): Promise<boolean> => {
  try {
    return await isMounted(directoryOf(pv));
  } catch (error) {
    if (isGone(error)) return false;
    throw error;
  }
};

/** A dataset's mountpoint is there for a moment before and after it, or stays, as a folder of the dataset above. */
const isMounted = async (directory: string): Promise<boolean> =>
  (await stat(directory)).dev !== (await stat(dirname(directory))).dev;
