/**
 * Gives a claim another PersistentVolume. A claim's volume cannot be changed: it is deleted and made again, bound by
 * name. What keeps the bytes meanwhile is that both volumes say Retain before anything else happens.
 *
 * The order decides the time: the new PV is reserved only when the old claim is gone and the binder has noticed (Released),
 * and the claim is made only when the PV is Available, else the binder notices at its next resync. So it does when its
 * write meets another one: it drops the claim, and looks again when that changes. Two come in the way. The controller of
 * pvc-protection writes to each new claim; so the claim comes with what it would write. And the binder's own worker for
 * volumes writes "Bound" into the PV that its worker for claims is about to bind (seen in 1.34.4, every other time): then
 * the PV is Bound and the claim stays Pending, and the claim is changed for the binder to see it (`nudge`).
 */
import type { Clock } from "../../context.ts";
import { Failure, isFailure } from "../../model/failure.ts";
import { apiErrorOf } from "../../systems/kubernetes/api-error.ts";
import { changeObject } from "../../systems/kubernetes/changing.ts";
import type { KubeObject, Kubernetes } from "../../systems/kubernetes/port.ts";
import { resources } from "../../systems/kubernetes/resources.ts";
import type { Claim, PersistentVolume } from "../../inventory/raw.ts";
import { guardAgain, letGo } from "../../guard/letting-go.ts";
import { type Marks, marksOf } from "../../guard/protect/marks.ts";
import { modeOf, reclaimKey } from "../../guard/protect/mode.ts";
import { protection, unprotect } from "./unprotect.ts";

export interface Binding {
  readonly namespace: string;
  readonly claim: string;
  /** The PV that it is to have. */
  readonly to: string;
  /** The claim as it is made again: `claimManifest`. Its `volumeName` is set here. */
  readonly manifest: KubeObject;
  /** The guard's marks that it is to have again. */
  readonly marks: Marks;
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

/** What a claim needs to be made again as it was, but for its volume and the guard's marks (`lastingMarks`). Pure. */
export const claimManifest = (claim: Claim): KubeObject => {
  const { name, namespace, labels, annotations = {}, ownerReferences } = claim.metadata;
  const marks = marksOf(claim).annotations;
  const kept = Object.entries(annotations).filter(([key]) => !ofOneBinding.has(key) && !(key in marks));
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

const poll = 30;

/** Asks until the answer is there. Throws TIMEOUT saying what was waited for, or what `late` gives. */
export const until = async <T>(
  world: RebindWorld,
  late: string | (() => Failure),
  ask: () => Promise<T | undefined>,
): Promise<T> => {
  const deadline = world.clock.now() + world.timeout;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (world.clock.now() > deadline)
      throw typeof late === "string" ? new Failure("TIMEOUT", { what: `${late} in time.` }) : late();
    await world.clock.sleep(poll, world.signal);
  }
};

const volumeNamed = (world: RebindWorld, name: string): Promise<Volume | undefined> =>
  world.kubernetes.get<Volume>(resources.persistentVolumes, { name });

const claimNamed = (world: RebindWorld, { namespace, claim }: Binding): Promise<Claim | undefined> =>
  world.kubernetes.get<Claim>(resources.persistentVolumeClaims, { namespace, name: claim });

/** The PV, once it is not on its way out any more; undefined when it is gone. Throws TIMEOUT. */
export const untilNotGoing = async (world: RebindWorld, name: string): Promise<PersistentVolume | undefined> => {
  const found = await until(world, `The PersistentVolume ${name} was not gone`, async () => {
    const volume = await volumeNamed(world, name);
    return volume?.metadata.deletionTimestamp === undefined ? { volume } : undefined;
  });
  return found.volume;
};

const changing = (
  { kubernetes }: Pick<RebindWorld, "kubernetes">,
  name: string,
  change: (volume: Volume) => object | undefined,
): Promise<Volume | undefined> =>
  changeObject<Volume>({ kubernetes, resource: resources.persistentVolumes, name: { name } }, change);

/** A guarded PV says Retain, and remembers what it is to say later. */
const withPolicy =
  (policy: string) =>
  (volume: Volume): object | undefined => {
    const { spec, metadata } = volume;
    if (spec.persistentVolumeReclaimPolicy === policy) return undefined;
    if (policy === "Retain" || modeOf(volume) === "off") return { spec: { persistentVolumeReclaimPolicy: policy } };
    if (metadata.annotations?.[reclaimKey] === policy) return undefined;
    return { metadata: { annotations: { [reclaimKey]: policy } } };
  };

const demandThere = (volume: Volume | undefined, name: string): void => {
  if (volume === undefined) throw new Failure("TARGET_UNUSABLE", { what: `There is no PersistentVolume ${name}.` });
};

/** The bytes of a PV stay, whatever happens to its claim. Gives false when there is no such PV (any more). */
export const retain = async (kubernetes: Kubernetes, name: string): Promise<boolean> =>
  (await changing({ kubernetes }, name, withPolicy("Retain"))) !== undefined;

/** Sets what becomes of a PV's bytes when its claim goes. Throws TARGET_UNUSABLE. */
export const setReclaimPolicy = async (world: RebindWorld, name: string, policy: string): Promise<void> =>
  demandThere(await changing(world, name, withPolicy(policy)), name);

/** Reserves a PV for the claim by name, whoever had it before. */
const reserve = async (world: RebindWorld, { namespace, claim, to }: Binding): Promise<void> => {
  const reserved = await changing(world, to, ({ spec: { claimRef } }) => {
    if (claimRef?.name === claim && claimRef.namespace === namespace && claimRef.uid === undefined) return undefined;
    const claimRefNow = { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name: claim };
    return {
      metadata: { annotations: { "pv.kubernetes.io/bound-by-controller": null } },
      spec: { claimRef: { ...claimRefNow, uid: null, resourceVersion: null } },
    };
  });
  demandThere(reserved, to);
};

const names = (claim: Claim | undefined, to: string): boolean =>
  claim?.spec.volumeName === to && claim.metadata.deletionTimestamp === undefined;

/** Removes the claim and waits until it is gone. Its pods must be gone already. */
const removeClaim = async (world: RebindWorld, binding: Binding, claim: Claim): Promise<void> => {
  const name = { namespace: binding.namespace, name: binding.claim };
  const { uid = "" } = claim.metadata;
  await letGo(world.kubernetes, resources.persistentVolumeClaims, claim);
  if (claim.metadata.deletionTimestamp === undefined)
    await world.kubernetes.remove(resources.persistentVolumeClaims, name, { uid });
  await until(world, `The claim ${binding.namespace}/${binding.claim} was not gone`, async () => {
    const now = await claimNamed(world, binding);
    if (now?.metadata.uid !== uid) return true;
    await unprotect(world.kubernetes, now);
    return undefined;
  });
};

/** Waits until the binder has noticed that a PV's claim is gone, or the PV itself is. Throws TIMEOUT. */
export const released = (world: RebindWorld, name: string): Promise<true> =>
  until(world, `The PersistentVolume ${name} was not released`, async () => {
    const volume = await volumeNamed(world, name);
    return volume?.status?.phase === "Bound" ? undefined : true;
  });

/** Made with Kubernetes' own finalizer, nobody has to write to the claim in the moment in which it binds. */
const makeClaim = async (world: RebindWorld, { manifest, to }: Binding): Promise<void> => {
  const metadata = { ...manifest.metadata, finalizers: [protection] };
  const spec = { ...(manifest as Claim).spec, volumeName: to };
  try {
    await world.kubernetes.create(resources.persistentVolumeClaims, { ...manifest, metadata, spec } as KubeObject);
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
    const both = new Set([binding.to, ...(from === undefined ? [] : [from])]);
    await setReclaimPolicy(world, binding.to, "Retain");
    // A claim whose volume is lost has none to keep.
    if (from !== undefined) await retain(world.kubernetes, from);
    if (present !== undefined) await removeClaim(world, binding, present);
    for (const name of both) await released(world, name);
    await reserve(world, binding);
    await until(world, `The PersistentVolume ${binding.to} was not Available`, async () => {
      const phase = (await volumeNamed(world, binding.to))?.status?.phase;
      return phase === "Available" || phase === "Bound" ? true : undefined;
    });
    await makeClaim(world, binding);
  }
  const { claim, volume } = await untilBound(world, binding);
  await guardAgain(world.kubernetes, binding.marks, claim, volume);
};

/** ms after which the binder is told to look again: first soon, then ever later, so that nobody who is slow is disturbed. */
const patience = { first: 200, most: 2000 };
/** It is half bound for one look, or two, on its way; when it stays so, the binder has dropped it. */
const looksHalfBound = 3;
const nudgeKey = "holdfast.dev/waits-for-binding";

const nudge = async ({ kubernetes }: RebindWorld, { metadata }: Claim, value: string | null): Promise<void> => {
  const { namespace = "", name, uid } = metadata;
  const patch = { metadata: { uid, annotations: { [nudgeKey]: value } } };
  try {
    await kubernetes.mergePatch(resources.persistentVolumeClaims, { namespace, name }, patch);
  } catch (error) {
    // It is gone, or another claim has its name by now: the next look shows which.
    if (!isFailure(error, "KUBERNETES_CONFLICT") && apiErrorOf(error)?.status !== 404) throw error;
  }
};

/** The claim was there, or was just made, and is not there any more. */
const deletedAgain = ({ namespace, claim: name, to }: Binding): Failure =>
  new Failure("KUBERNETES_CONFLICT", {
    what: `The claim ${namespace}/${name} was deleted again while it was bound to ${to}.`,
    why: "something deletes it: GitOps, an owner that is going, or somebody",
    todo: "Its bytes stay: the PersistentVolume says Retain. Find out what deletes it, then run it again.",
  });

const untilBound = async (
  world: RebindWorld,
  binding: Binding,
): Promise<{ readonly claim: Claim; readonly volume: Volume }> => {
  let wait = patience.first;
  let next = world.clock.now() + wait;
  let halfBound = 0;
  const bound = await until(world, `${binding.namespace}/${binding.claim} was not bound to ${binding.to}`, async () => {
    const [claim, volume] = [await claimNamed(world, binding), await volumeNamed(world, binding.to)];
    if (claim === undefined) throw deletedAgain(binding);
    if (volume === undefined) return undefined;
    const isBound = names(claim, binding.to) && claim.status?.phase === "Bound" && volume.status?.phase === "Bound";
    if (isBound && volume.spec.claimRef?.uid === claim.metadata.uid) return { claim, volume };
    const now = world.clock.now();
    halfBound += Number(volume.status?.phase === "Bound");
    if (now < next && halfBound !== looksHalfBound) return undefined;
    wait = Math.min(wait * 2, patience.most);
    next = now + wait;
    await nudge(world, claim, new Date(now).toISOString());
    return undefined;
  });
  if (bound.claim.metadata.annotations?.[nudgeKey] !== undefined) await nudge(world, bound.claim, null);
  return bound;
};
