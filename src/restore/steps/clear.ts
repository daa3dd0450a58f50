/**
 * The step that lets the present files of volumes go before the copy comes, for volumes that cannot hold both. It frees
 * what nobody can bring back, so it is only ever settled: from its beginning on an operation goes forward alone.
 */
import type { StoreReference } from "../../agent/job.ts";
import type { StepKind } from "../../operation/step-kind.ts";
import { targetsOf } from "../movers/replacement.ts";
import { type FilesInput, filesInput } from "./files-input.ts";
import { type OnVolumes, runAlone } from "./on-volumes.ts";

export interface ClearOptions extends OnVolumes {
  readonly store: StoreReference;
}

const onlySettled = async (): Promise<never> => {
  throw new Error("a step that frees is neither applied nor taken back");
};

/** "clear-files". */
export const clearFiles = (options: ClearOptions): StepKind<FilesInput> => ({
  kind: "clear-files",
  input: filesInput,
  // Half a removal looks like a volume that its app has changed; it is begun again in any case.
  check: async () => "absent",
  apply: onlySettled,
  undo: onlySettled,
  redo: onlySettled,
  settle: (wanted, _, context) =>
    runAlone(options, wanted, context, {
      job: { kind: "clear", store: options.store, targets: targetsOf(wanted.items) },
    }),
});
