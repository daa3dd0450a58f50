/** The step that saves the bytes: whatever becomes of the claims, their PVs are not reclaimed. */
import { z } from "zod";
import type { Clock } from "../../../context.ts";
import type { PersistentVolume } from "../../../inventory/raw.ts";
import { Failure } from "../../../model/failure.ts";
import type { StepKind } from "../../../operation/step-kind.ts";
import { retain } from "../../../restore/zfs/rebind.ts";
import type { Kubernetes } from "../../../systems/kubernetes/port.ts";
import { resources } from "../../../systems/kubernetes/resources.ts";

export interface KeepOptions {
  readonly kubernetes: Kubernetes;
  readonly clock: Clock;
  /** ms for each wait. */
  readonly timeout: number;
}

const input = z.strictObject({
  /** What is brought back. */
  pvs: z.array(z.string()),
  /** What has the names now: kept as far as it is there. */
  beside: z.array(z.string()).default([]),
});
export type KeepInput = z.output<typeof input>;

const isKept = ({ spec }: PersistentVolume): boolean => spec.persistentVolumeReclaimPolicy === "Retain";

/**
 * "keep-volumes": reclaim policy Retain. Going back leaves it: nothing that was deleted once is let go again. Throws
 * KUBERNETES_CONFLICT when one of them went since the plan was made: a driver was quicker, and what is left is looked for anew.
 */
export const keepVolumes = (options: KeepOptions): StepKind<KeepInput> => {
  const find = (name: string) => options.kubernetes.get<PersistentVolume>(resources.persistentVolumes, { name });
  return {
    kind: "keep-volumes",
    input,
    check: async ({ pvs, beside }) => {
      const [found, others] = await Promise.all([Promise.all(pvs.map(find)), Promise.all(beside.map(find))]);
      const isDone =
        found.every((pv) => pv !== undefined && isKept(pv)) && others.every((pv) => pv === undefined || isKept(pv));
      return isDone ? "present" : "partial";
    },
    apply: async ({ pvs, beside }) => {
      for (const name of beside) await retain(options.kubernetes, name);
      for (const name of pvs) {
        if (await retain(options.kubernetes, name)) continue;
        throw new Failure("KUBERNETES_CONFLICT", {
          what: `PersistentVolume ${name} is gone: whoever was deleting it was quicker.`,
          todo: "Nothing else was changed. Run it again: it looks for what is left.",
        });
      }
      return null;
    },
    undo: async () => null,
    redo: async () => null,
  };
};
