/** The step that deletes claims on purpose. Going back makes them again, on the volumes that they had. */
import { z } from "zod";
import type { Claim } from "../../../inventory/raw.ts";
import { Failure } from "../../../model/failure.ts";
import type { StepContext, StepKind } from "../../../operation/step-kind.ts";
import { othersUsing } from "../../../restore/standstill.ts";
import { rebind, released, retain, until } from "../../../restore/zfs/rebind.ts";
import type { KubeObject } from "../../../systems/kubernetes/port.ts";
import { resources } from "../../../systems/kubernetes/resources.ts";
import { letGo } from "../../letting-go.ts";
import { marksInput } from "../../protect/steps/set-marks.ts";
import type { KeepOptions } from "../../undelete/steps/keep-volumes.ts";

const input = z.strictObject({
  claims: z.array(
    z.strictObject({
      namespace: z.string(),
      claim: z.string(),
      /** A claim of that name on another PV is another volume. */
      pv: z.string(),
      /** For the way back: `claimManifest`, and the guard's marks. */
      manifest: z.json(),
      marks: marksInput,
    }),
  ),
});
export type RetireInput = z.output<typeof input>;
type Wanted = RetireInput["claims"][number];

const findClaim = ({ kubernetes }: KeepOptions, { namespace, claim }: Wanted): Promise<Claim | undefined> =>
  kubernetes.get<Claim>(resources.persistentVolumeClaims, { namespace, name: claim });

const isMeant = (found: Claim | undefined, { pv }: Wanted): boolean => found?.spec.volumeName === pv;

const late = ({ namespace, claim }: Wanted, found: Claim): Failure =>
  new Failure("TIMEOUT", {
    what: `The claim ${namespace}/${claim} does not go: ${(found.metadata.finalizers ?? []).join(", ")} holds it.`,
    todo: "Find out what they belong to, and let that finish. kubernetes.io/pvc-protection is a pod's that uses it.",
  });

const remove = async (options: KeepOptions, wanted: Wanted, { signal }: StepContext): Promise<void> => {
  const { kubernetes } = options;
  const found = await findClaim(options, wanted);
  if (found !== undefined && isMeant(found, wanted)) {
    // A deletion is not taken back: a claim that a pod holds would wait, and nothing be able to use it.
    if (found.metadata.deletionTimestamp === undefined) await demandNoPod(options, wanted);
    if (!(await retain(kubernetes, wanted.pv)))
      throw new Failure("KUBERNETES_CONFLICT", { what: `PersistentVolume ${wanted.pv} is gone.` });
    await letGo(kubernetes, resources.persistentVolumeClaims, found);
    const { uid = "" } = found.metadata;
    await kubernetes.remove(
      resources.persistentVolumeClaims,
      { namespace: wanted.namespace, name: wanted.claim },
      { uid },
    );
    let last = found;
    await until(
      { ...options, signal },
      () => late(wanted, last),
      async () => {
        const now = await findClaim(options, wanted);
        if (now?.metadata.uid !== uid) return true;
        last = now;
        return undefined;
      },
    );
  }
  await released({ ...options, signal }, wanted.pv);
};

const demandNoPod = async ({ kubernetes }: KeepOptions, { namespace, claim }: Wanted): Promise<void> => {
  const users = await othersUsing(kubernetes, [{ namespace, claim }]);
  if (users.length === 0) return;
  throw new Failure("RETIRE_IMPOSSIBLE", {
    what: `Something has begun to use ${namespace}/${claim} meanwhile.`,
    why: `${namespace}/${claim}: ${users.map(({ metadata }) => `pod ${metadata.name}`).join(", ")}`,
  });
};

const bringBack = async (options: KeepOptions, wanted: Wanted, { signal }: StepContext): Promise<void> => {
  const { namespace, claim, pv, marks } = wanted;
  const found = await findClaim(options, wanted);
  if (found !== undefined && !isMeant(found, wanted))
    throw new Failure("KUBERNETES_CONFLICT", {
      what: `Another claim has the name ${namespace}/${claim} by now.`,
      why: `it is on ${found.spec.volumeName ?? "no volume yet"}, not on ${pv}`,
      todo: `\`holdfast trash restore ${namespace}/${claim}\` puts the earlier volume in its place, and keeps that one.`,
    });
  const manifest = wanted.manifest as unknown as KubeObject;
  await rebind({ ...options, signal }, { namespace, claim, to: pv, manifest, marks });
};

/** "retire-claims". Throws TIMEOUT naming the finalizers that hold one. */
export const retireClaims = (options: KeepOptions): StepKind<RetireInput, null> => {
  const forth = async ({ claims }: RetireInput, context: StepContext): Promise<null> => {
    for (const wanted of claims) await remove(options, wanted, context);
    return null;
  };
  return {
    kind: "retire-claims",
    input,
    check: async ({ claims }) => {
      const left = (
        await Promise.all(claims.map(async (wanted) => isMeant(await findClaim(options, wanted), wanted)))
      ).filter(Boolean).length;
      if (left === 0) return "present";
      return left === claims.length ? "absent" : "partial";
    },
    apply: forth,
    undo: async ({ claims }, _, context) => {
      for (const wanted of claims) await bringBack(options, wanted, context);
      return null;
    },
    redo: (wanted, _, context) => forth(wanted, context),
  };
};
