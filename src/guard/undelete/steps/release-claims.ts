/**
 * The step that lets go of claims that are being deleted, or whose namespace is. A deletion cannot be taken back: the
 * object goes, its bytes stay with the PV, and the claim is made again afterwards.
 */
import { z } from "zod";
import type { Claim, Namespace } from "../../../inventory/raw.ts";
import { Failure, isFailure } from "../../../model/failure.ts";
import type { StepContext, StepKind } from "../../../operation/step-kind.ts";
import { until } from "../../../restore/zfs/rebind.ts";
import { unprotect } from "../../../restore/zfs/unprotect.ts";
import { resources } from "../../../systems/kubernetes/resources.ts";
import { letGo } from "../../letting-go.ts";
import type { KeepOptions } from "./keep-volumes.ts";

const input = z.strictObject({
  claims: z.array(z.strictObject({ namespace: z.string(), claim: z.string(), uid: z.string() })),
});
export type ReleaseInput = z.output<typeof input>;
type Wanted = ReleaseInput["claims"][number];

/** "release-claims": the claims are gone. Throws TIMEOUT naming the finalizers that hold one. */
export const releaseClaims = (options: KeepOptions): StepKind<ReleaseInput> => {
  const { kubernetes } = options;
  const find = async ({ namespace, claim, uid }: Wanted): Promise<Claim | undefined> => {
    const found = await kubernetes.get<Claim>(resources.persistentVolumeClaims, { namespace, name: claim });
    return found?.metadata.uid === uid ? found : undefined;
  };
  const release = async ({ claims }: ReleaseInput, context: StepContext): Promise<null> => {
    await Promise.all(claims.map((wanted) => untilGone(options, wanted, () => find(wanted), context)));
    return null;
  };
  return {
    kind: "release-claims",
    input,
    check: async ({ claims }) => {
      const left = (await Promise.all(claims.map(find))).filter((claim) => claim !== undefined).length;
      if (left === 0) return "present";
      return left === claims.length ? "absent" : "partial";
    },
    apply: release,
    undo: async () => null,
    redo: (wanted, _, context) => release(wanted, context),
  };
};

const untilGone = async (
  options: KeepOptions,
  { namespace, claim: name }: Wanted,
  find: () => Promise<Claim | undefined>,
  { signal }: StepContext,
): Promise<void> => {
  let holding: readonly string[] = [];
  const late = (): Failure =>
    new Failure("TIMEOUT", {
      what: `The claim ${namespace}/${name} does not go.`,
      why: `these finalizers hold it: ${holding.join(", ")}`,
      todo: "Find out what they belong to, and let that finish. Its bytes are safe: the PersistentVolume says Retain.",
    });
  await until({ ...options, signal }, late, async () => {
    const claim = await find();
    if (claim === undefined) return true;
    if (claim.metadata.deletionTimestamp === undefined && !(await isNamespaceGoing(options, namespace)))
      throw new Failure("KUBERNETES_CONFLICT", {
        what: `The claim ${namespace}/${name} is not being deleted any more.`,
      });
    holding = claim.metadata.finalizers ?? [];
    await letClaimGo(options, claim);
    return undefined;
  });
};

const isNamespaceGoing = async ({ kubernetes }: KeepOptions, name: string): Promise<boolean> => {
  const namespace = await kubernetes.get<Namespace>(resources.namespaces, { name });
  return namespace?.metadata.deletionTimestamp !== undefined;
};

/** Another controller may be faster, or the claim be gone meanwhile: the next look tells. */
const letClaimGo = async ({ kubernetes }: KeepOptions, claim: Claim): Promise<void> => {
  const { namespace = "", name, uid = "", deletionTimestamp } = claim.metadata;
  try {
    await letGo(kubernetes, resources.persistentVolumeClaims, claim);
    // The guard had the namespace's own deletion refused, or that has not come to the claim yet.
    if (deletionTimestamp === undefined)
      await kubernetes.remove(resources.persistentVolumeClaims, { namespace, name }, { uid });
    await unprotect(kubernetes, claim);
  } catch (error) {
    if (!isFailure(error, "KUBERNETES_CONFLICT", "KUBERNETES_REFUSED")) throw error;
  }
};
