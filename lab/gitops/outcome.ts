/** What Argo CD has done about a claim that a commit removed from git. */
import type { PersistentVolumeClaim } from "kubernetes-types/core/v1.d.ts";
import type { ClaimName } from "../checking.ts";
import type { Application, Operation } from "./state.ts";

export type Outcome =
  | "gone"
  | "being deleted"
  /** `Prune=false`. */
  | "not pruned, as its annotation says"
  /** By an admission policy, or for want of rights. */
  | "pruning it was refused"
  /** `Prune=confirm`. */
  | "waiting for confirmation"
  /** `IgnoreExtraneous`: there is nothing to sync. */
  | "ignored"
  | "left alone by the sync";

interface Situation {
  readonly claim: ClaimName;
  readonly application: Application;
  /** Read after the Application; undefined when it is not there. */
  readonly object: PersistentVolumeClaim | undefined;
  /** The commit. */
  readonly revision: string;
}

const ended: ReadonlySet<string> = new Set(["Succeeded", "Failed", "Error"]);

const ofOperation = (operation: Operation, { namespace, claim }: ClaimName): Outcome | undefined => {
  const result = operation.syncResult?.resources?.find(
    ({ kind, name, namespace: own }) => kind === "PersistentVolumeClaim" && name === claim && own === namespace,
  );
  if (result?.status === "PruneSkipped") return "not pruned, as its annotation says";
  // Argo CD tries again a few times, and is then still Running.
  if (result?.status === "SyncFailed") return "pruning it was refused";
  if (operation.message?.startsWith("Waiting for pruning confirmation of ") === true) return "waiting for confirmation";
  return ended.has(operation.phase) ? "left alone by the sync" : undefined;
};

/** Undefined while Argo CD has not acted on the commit. */
export const outcomeOf = ({ claim, application, object, revision }: Situation): Outcome | undefined => {
  if (object === undefined) return "gone";
  if (object.metadata?.deletionTimestamp !== undefined) return "being deleted";
  const { operationState, sync } = application.status ?? {};
  if (operationState?.syncResult?.revision === revision) {
    const outcome = ofOperation(operationState, claim);
    if (outcome !== undefined) return outcome;
  }
  return sync?.revision === revision && sync.status === "Synced" ? "ignored" : undefined;
};
