/**
 * The steps that let the present files of volumes go before the copy comes, for volumes that cannot hold both. The first
 * proves that the copy is whole and fits: until it has ended everything can still be gone back over. The second frees what
 * nobody can bring back, so it is only ever settled, and from its beginning on an operation goes forward alone.
 */
import type { ClearJob, StoreReference } from "../../agent/job.ts";
import type { StepContext, StepKind } from "../../operation/step-kind.ts";
import { targetsOf } from "../movers/replacement.ts";
import { type FilesInput, filesInput } from "./files-input.ts";
import { type OnVolumes, runAlone } from "./on-volumes.ts";

export interface ClearOptions extends OnVolumes {
  readonly store: StoreReference;
}

const run = (options: ClearOptions, part: ClearJob["part"], wanted: FilesInput, context: StepContext): Promise<void> =>
  runAlone(options, wanted, context, {
    job: { kind: "clear", part, store: options.store, targets: targetsOf(wanted.items) },
  });

/** "prove-copies". Changes nothing. */
export const proveCopies = (options: ClearOptions): StepKind<FilesInput, null> => {
  const prove = async (wanted: FilesInput, context: StepContext): Promise<null> => {
    await run(options, "prove", wanted, context);
    return null;
  };
  return {
    kind: "prove-copies",
    input: filesInput,
    // It leaves nothing to look at, and half a clearing later there is nothing to measure any more.
    check: async () => "present",
    apply: prove,
    undo: async () => null,
    redo: (wanted, _, context) => prove(wanted, context),
  };
};

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
  settle: (wanted, _, context) => run(options, "remove", wanted, context),
});
