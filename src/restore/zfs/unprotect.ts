/** Lets go of a claim in Kubernetes' place, which is slower: its controllers have other things to do when apps stop. */
import type { Claim } from "../../inventory/raw.ts";
import { changeObject } from "../../systems/kubernetes/changing.ts";
import type { Kubernetes } from "../../systems/kubernetes/port.ts";
import { resources } from "../../systems/kubernetes/resources.ts";
import { podsUsing } from "../standstill.ts";

/** What Kubernetes puts on every claim, and takes away when the claim is deleted and no pod uses it. */
export const protection = "kubernetes.io/pvc-protection";

/**
 * Takes it from a claim that is being deleted and that no pod uses. No pod can come to use it meanwhile: scheduler and
 * kubelet take none for such a claim. Its PersistentVolume has to say Retain already. Cost: a list of the namespace's pods.
 */
export const unprotect = async (kubernetes: Kubernetes, claim: Claim): Promise<void> => {
  const { namespace = "", name, uid, deletionTimestamp, finalizers = [] } = claim.metadata;
  if (deletionTimestamp === undefined || !finalizers.includes(protection)) return;
  if ((await podsUsing(kubernetes, [{ namespace, claim: name }])).length > 0) return;
  const named = { namespace, name };
  await changeObject<Claim>({ kubernetes, resource: resources.persistentVolumeClaims, name: named }, ({ metadata }) => {
    const left = (metadata.finalizers ?? []).filter((finalizer) => finalizer !== protection);
    if (metadata.uid !== uid || left.length === metadata.finalizers?.length) return undefined;
    return { metadata: { finalizers: left } };
  });
};
