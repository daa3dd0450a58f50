/** The step that makes deleted claims again, each bound to the PV that it had. */
import { z } from "zod";
import type { Claim } from "../../../inventory/raw.ts";
import { mapLimited, mapTogether } from "../../../model/concurrency.ts";
import type { Presence, StepContext, StepKind } from "../../../operation/step-kind.ts";
import { rebind } from "../../../restore/zfs/rebind.ts";
import type { KubeObject } from "../../../systems/kubernetes/port.ts";
import { resources } from "../../../systems/kubernetes/resources.ts";
import { isGuardedAgain } from "../../letting-go.ts";
import { marksInput } from "../../protect/steps/set-marks.ts";
import type { KeepOptions } from "./keep-volumes.ts";

const binding = z.strictObject({
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
const input = z.strictObject({ bindings: z.array(binding) });
export type BindBackInput = z.output<typeof input>;
export type BackBinding = BindBackInput["bindings"][number];
type Target = Pick<BackBinding, "pv" | "manifest" | "marks">;

const atATime = 8;

/** "bind-back". Going back binds to what was there before, if anything was; a deleted claim is not deleted again. */
export const bindBack = (options: KeepOptions): StepKind<BindBackInput> => {
  const bindAll = async (
    { bindings }: BindBackInput,
    target: (wanted: BackBinding) => Target | null,
    { signal }: StepContext,
  ): Promise<null> => {
    const bind = async (wanted: BackBinding, each: AbortSignal): Promise<void> => {
      const { namespace, claim } = wanted;
      const to = target(wanted);
      if (to === null) return;
      const manifest = to.manifest as unknown as KubeObject;
      await rebind({ ...options, signal: each }, { namespace, claim, to: to.pv, manifest, marks: to.marks });
    };
    await mapTogether(bindings, atATime, bind, signal);
    return null;
  };
  const isBack = async ({ namespace, claim, pv, marks }: BackBinding): Promise<boolean> => {
    const found = await options.kubernetes.get<Claim>(resources.persistentVolumeClaims, { namespace, name: claim });
    if (found?.spec.volumeName !== pv || found.status?.phase !== "Bound") return false;
    return found.metadata.deletionTimestamp === undefined && isGuardedAgain(marks, found);
  };
  const check = async ({ bindings }: BindBackInput): Promise<Presence> =>
    (await mapLimited(bindings, atATime, isBack)).every(Boolean) ? "present" : "partial";
  return {
    kind: "bind-back",
    input,
    check,
    apply: (wanted, context) => bindAll(wanted, (each) => each, context),
    undo: (wanted, _, context) => bindAll(wanted, ({ successor }) => successor, context),
    redo: (wanted, _, context) => bindAll(wanted, (each) => each, context),
  };
};
