/** The step that makes a deleted claim again, bound to the PV that it had. */
import { z } from "zod";
import type { Claim } from "../../../inventory/raw.ts";
import type { StepContext, StepKind } from "../../../operation/step-kind.ts";
import { rebind } from "../../../restore/zfs/rebind.ts";
import type { KubeObject } from "../../../systems/kubernetes/port.ts";
import { resources } from "../../../systems/kubernetes/resources.ts";
import { isGuardedAgain } from "../../letting-go.ts";
import { marksInput } from "../../protect/steps/set-marks.ts";
import type { KeepOptions } from "./keep-volumes.ts";

const input = z.strictObject({
  namespace: z.string(),
  claim: z.string(),
  pv: z.string(),
  /** Of the claim: `claimManifest`. */
  manifest: z.json(),
  /** The guard's. */
  marks: marksInput,
  /** What has the claim's name now, and stays: its PV, and the claim to make when one goes back. */
  successor: z.strictObject({ pv: z.string(), manifest: z.json(), marks: marksInput }).nullable(),
});
export type BindBackInput = z.output<typeof input>;
type Target = Pick<BindBackInput, "pv" | "manifest" | "marks">;

/** "bind-back". Going back binds to what was there before, if anything was; a deleted claim is not deleted again. */
export const bindBack = (options: KeepOptions): StepKind<BindBackInput> => {
  const bind = ({ namespace, claim }: BindBackInput, to: Target, { signal }: StepContext): Promise<void> => {
    const manifest = to.manifest as unknown as KubeObject;
    return rebind({ ...options, signal }, { namespace, claim, to: to.pv, manifest, marks: to.marks });
  };
  const forth = async (wanted: BindBackInput, context: StepContext): Promise<null> => {
    await bind(wanted, wanted, context);
    return null;
  };
  return {
    kind: "bind-back",
    input,
    check: async ({ namespace, claim, pv, marks }) => {
      const found = await options.kubernetes.get<Claim>(resources.persistentVolumeClaims, { namespace, name: claim });
      if (found?.spec.volumeName !== pv || found.status?.phase !== "Bound") return "partial";
      return found.metadata.deletionTimestamp === undefined && isGuardedAgain(marks, found) ? "present" : "partial";
    },
    apply: forth,
    undo: async (wanted, _, context) => {
      const { successor } = wanted;
      if (successor !== null) await bind(wanted, successor, context);
      return null;
    },
    redo: (wanted, _, context) => forth(wanted, context),
  };
};
