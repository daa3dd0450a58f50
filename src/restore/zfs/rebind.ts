/**
 * Gives a claim another PersistentVolume. A claim's volume cannot be changed: it is deleted and made again, bound by
 * name. What keeps the bytes meanwhile is that both volumes say Retain before anything else happens.
 *
 * The order decides the time: the new PV is reserved only when the old claim is gone, and the claim is made only when the
 * PV is Available, else the binder notices at its next resync.
 */
import type { Clock } from "../../context.ts";
import { Failure, isFailure } from "../../model/failure.ts";
import type { KubeObject, Kubernetes } from "../../systems/kubernetes/port.ts";
import { resources } from "../../systems/kubernetes/resources.ts";
import type { Claim, PersistentVolume } from "../../inventory/raw.ts";

export interface Binding {
  readonly namespace: string;
  readonly claim: string;
  /** The PV that it is to have. */
  readonly to: string;
  /** The claim as it is made again: `claimManifest`. Its `volumeName` is set here. */
  readonly manifest: KubeObject;
}

export interface RebindWorld {
  readonly kubernetes: Kubernetes;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** ms for each wait. */
  readonly timeout: number;
}

interface Volume extends PersistentVolume {
  readonly status?: { readonly phase?: string };
}

/** Annotations that belong to one binding, or ask a provisioner for a new volume. */
const ofOneBinding = new Set([
  "pv.kubernetes.io/bind-completed",
  "pv.kubernetes.io/bound-by-controller",
  "volume.kubernetes.io/storage-provisioner",
  "volume.beta.kubernetes.io/storage-provisioner",
  "volume.kubernetes.io/selected-node",
]);

/** What a claim needs to be made again as it was, but for its volume. Pure. */
export const claimManifest = (claim: Claim): KubeObject => {
  const { name, namespace, labels, annotations = {}, ownerReferences } = claim.metadata;
  const kept = Object.entries(annotations).filter(([key]) => !ofOneBinding.has(key));
  const { volumeName: _, ...spec } = claim.spec;
  const object = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
      annotations: Object.fromEntries(kept),
      ...(ownerReferences === undefined ? {} : { ownerReferences }),
    },
    spec,
  };
  return object;
};

const poll = 50;

/** Asks until the answer is there. Throws TIMEOUT saying what was waited for. */
const until = async <T>(world: RebindWorld, what: string, ask: () => Promise<T | undefined>): Promise<T> => {
  const deadline = world.clock.now() + world.timeout;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (world.clock.now() > deadline) throw new Failure("TIMEOUT", { what: `${what} in time.` });
    await world.clock.sleep(poll, world.signal);
  }
};

const volumeNamed = (world: RebindWorld, name: string): Promise<Volume | undefined> =>
  world.kubernetes.get<Volume>(resources.persistentVolumes, { name });

const claimNamed = (world: RebindWorld, { namespace, claim }: Binding): Promise<Claim | undefined> =>
  world.kubernetes.get<Claim>(resources.persistentVolumeClaims, { namespace, name: claim });

/** A change that belongs to what was just read; made again when somebody else's change came before it. */
const changing = async (world: RebindWorld, name: string, change: (volume: Volume) => object | undefined) => {
  for (;;) {
    const volume = await volumeNamed(world, name);
    if (volume === undefined) throw new Failure("TARGET_UNUSABLE", { what: `There is no PersistentVolume ${name}.` });
    const patch = change(volume);
    if (patch === undefined) return;
    const { uid, resourceVersion } = volume.metadata;
    const { metadata = {}, ...rest } = patch as { metadata?: object };
    try {
      const whole = { ...rest, metadata: { ...metadata, uid, resourceVersion } };
      await world.kubernetes.mergePatch(resources.persistentVolumes, { name }, whole);
      return;
    } catch (error) {
      if (!isFailure(error, "KUBERNETES_CONFLICT")) throw error;
    }
  }
};

/** Sets what becomes of a PV's bytes when its claim goes. */
export const setReclaimPolicy = (world: RebindWorld, name: string, policy: string): Promise<void> =>
  changing(world, name, ({ spec }) =>
    spec.persistentVolumeReclaimPolicy === policy ? undefined : { spec: { persistentVolumeReclaimPolicy: policy } },
  );

/** Reserves a PV for the claim by name, whoever had it before. */
const reserve = (world: RebindWorld, { namespace, claim, to }: Binding): Promise<void> =>
  changing(world, to, ({ spec: { claimRef } }) => {
    if (claimRef?.name === claim && claimRef.namespace === namespace && claimRef.uid === undefined) return undefined;
    const claimRefNow = { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name: claim };
    return {
      metadata: { annotations: { "pv.kubernetes.io/bound-by-controller": null } },
      spec: { claimRef: { ...claimRefNow, uid: null, resourceVersion: null } },
    };
  });

const names = (claim: Claim | undefined, to: string): boolean =>
  claim?.spec.volumeName === to && claim.metadata.deletionTimestamp === undefined;

/** Removes the claim and waits until it is gone. Its pods must be gone already. */
const removeClaim = async (world: RebindWorld, binding: Binding, claim: Claim): Promise<void> => {
  const name = { namespace: binding.namespace, name: binding.claim };
  const { uid = "" } = claim.metadata;
  if (claim.metadata.deletionTimestamp === undefined)
    await world.kubernetes.remove(resources.persistentVolumeClaims, name, { uid });
  await until(world, `The claim ${binding.namespace}/${binding.claim} was not gone`, async () => {
    const now = await claimNamed(world, binding);
    return now?.metadata.uid === uid ? undefined : true;
  });
};

const released = (world: RebindWorld, name: string): Promise<true> =>
  until(world, `The PersistentVolume ${name} was not released`, async () => {
    const volume = await volumeNamed(world, name);
    return volume?.status?.phase === "Bound" ? undefined : true;
  });

const makeClaim = async (world: RebindWorld, { manifest, to }: Binding): Promise<void> => {
  const spec = { ...(manifest as Claim).spec, volumeName: to };
  try {
    await world.kubernetes.create(resources.persistentVolumeClaims, { ...manifest, spec } as KubeObject);
  } catch (error) {
    // Git, or a StatefulSet, has made it first: the reserved PV is what the binder gives it.
    if (!isFailure(error, "KUBERNETES_CONFLICT")) throw error;
  }
};

/** May be called again after it was cut off anywhere. Throws TIMEOUT, TARGET_UNUSABLE. */
export const rebind = async (world: RebindWorld, binding: Binding): Promise<void> => {
  const present = await claimNamed(world, binding);
  if (!names(present, binding.to)) {
    const from = present?.spec.volumeName;
    for (const name of new Set([binding.to, ...(from === undefined ? [] : [from])]))
      await setReclaimPolicy(world, name, "Retain");
    if (present !== undefined) await removeClaim(world, binding, present);
    if (from !== undefined) await released(world, from);
    await reserve(world, binding);
    await until(world, `The PersistentVolume ${binding.to} was not Available`, async () => {
      const phase = (await volumeNamed(world, binding.to))?.status?.phase;
      return phase === "Available" || phase === "Bound" ? true : undefined;
    });
    await makeClaim(world, binding);
  }
  await until(world, `${binding.namespace}/${binding.claim} was not bound to ${binding.to}`, async () => {
    const [claim, volume] = [await claimNamed(world, binding), await volumeNamed(world, binding.to)];
    const isBound = names(claim, binding.to) && claim?.status?.phase === "Bound" && volume?.status?.phase === "Bound";
    return isBound && volume?.spec.claimRef?.uid === claim?.metadata.uid ? true : undefined;
  });
};
