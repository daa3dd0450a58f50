/** The step that makes a claim again whose bytes are gone: on a new, empty volume, for a copy to be put into. */
import { z } from "zod";
import type { Claim } from "../../../inventory/raw.ts";
import { Failure } from "../../../model/failure.ts";
import type { StepKind } from "../../../operation/step-kind.ts";
import { until } from "../../../restore/zfs/rebind.ts";
import { madeByAnnotation } from "../../../restore/zfs/steps.ts";
import { resources } from "../../../systems/kubernetes/resources.ts";
import { guardAgain, isGuardedAgain, letGo } from "../../letting-go.ts";
import { marksInput } from "../../protect/steps/set-marks.ts";
import type { KeepOptions } from "./keep-volumes.ts";

const input = z.strictObject({
  manifest: z.json(),
  /** The guard's: what it is to have again. */
  marks: marksInput,
  /** False where the class waits for a first consumer. */
  bindsAtOnce: z.boolean(),
});
export type MakeClaimInput = z.output<typeof input>;

/** "make-claim". Throws KUBERNETES_CONFLICT when somebody else has made it meanwhile: its files are not ours to replace. */
export const makeClaim = (options: KeepOptions): StepKind<MakeClaimInput> => {
  const { kubernetes } = options;
  const manifestOf = (wanted: MakeClaimInput): Claim => wanted.manifest as unknown as Claim;
  const nameOf = (wanted: MakeClaimInput) => {
    const { namespace = "", name } = manifestOf(wanted).metadata;
    return { namespace, name };
  };
  const find = (wanted: MakeClaimInput) => kubernetes.get<Claim>(resources.persistentVolumeClaims, nameOf(wanted));
  const isOurs = (claim: Claim | undefined, operation: string): boolean =>
    claim?.metadata.annotations?.[madeByAnnotation] === operation;
  /** Its PV is not set to Retain: an empty one that is undone is to go. */
  const guard = async ({ marks }: MakeClaimInput, claim: Claim): Promise<void> => {
    const name = claim.spec.volumeName;
    const pv = name === undefined ? undefined : await kubernetes.get(resources.persistentVolumes, { name });
    await guardAgain(kubernetes, marks, claim, pv);
  };
  return {
    kind: "make-claim",
    input,
    check: async (wanted, { operation }) => {
      const found = await find(wanted);
      if (found === undefined || !isOurs(found, operation)) return "absent";
      return isGuardedAgain(wanted.marks, found) ? "present" : "partial";
    },
    apply: async (wanted, { operation, signal }) => {
      const { namespace, name } = nameOf(wanted);
      const found = await find(wanted);
      if (found !== undefined && !isOurs(found, operation))
        throw new Failure("KUBERNETES_CONFLICT", {
          what: `Somebody has made the claim ${namespace}/${name} meanwhile.`,
          todo: `Look at what is in it, then \`holdfast restore ${namespace}/${name}\`.`,
        });
      const { metadata, ...rest } = manifestOf(wanted);
      const annotations = { ...metadata.annotations, [madeByAnnotation]: operation };
      if (found === undefined)
        await kubernetes.create(resources.persistentVolumeClaims, { ...rest, metadata: { ...metadata, annotations } });
      const made = await until(
        { ...options, signal },
        `The new claim ${namespace}/${name} was not bound to a volume`,
        async () => {
          const claim = await find(wanted);
          return claim?.status?.phase === "Bound" || !wanted.bindsAtOnce ? claim : undefined;
        },
      );
      await guard(wanted, made);
      return null;
    },
    undo: async (wanted, _, { operation, used }) => {
      const found = await find(wanted);
      if (used || found === undefined || !isOurs(found, operation)) return null;
      await letGo(kubernetes, resources.persistentVolumeClaims, found);
      await kubernetes.remove(resources.persistentVolumeClaims, nameOf(wanted), { uid: found.metadata.uid ?? "" });
      return null;
    },
    redo: async () => null,
  };
};
