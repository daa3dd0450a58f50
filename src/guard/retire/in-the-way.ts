/** What keeps a volume from being retired: pods that use it, or a state in which nobody knows what would go. Pure. */
import { Failure } from "../../model/failure.ts";
import { type Mount, type Volume, volumeName } from "../../model/volume.ts";
import type { Exception } from "../protect/decide.ts";

/** Claims that nobody has to retire: they come and go by themselves, or hold nothing. */
const nothingToDo: ReadonlySet<Exception["code"]> = new Set(["ephemeral", "owned", "temporary", "ours", "not-bound"]);

/** True for a claim that the guard never holds up, so that there is nothing to do for it. */
export const needsNoRetiring = (exception: Exception | undefined): boolean =>
  exception !== undefined && nothingToDo.has(exception.code);

/** The command that ends what uses a volume. */
const stopCommand = (namespace: string, { workload, pod }: Mount): string => {
  const kind = workload.kind.toLowerCase();
  if (["deployment", "statefulset", "replicaset"].includes(kind))
    return `kubectl -n ${namespace} scale ${kind}/${workload.name} --replicas=0`;
  if (kind === "pod") return `kubectl -n ${namespace} delete pod ${pod}`;
  return `kubectl -n ${namespace} delete ${kind} ${workload.name}`;
};

/** Throws RETIRE_IMPOSSIBLE naming the pods, and the commands that stop them. */
export const demandUnused = (volumes: readonly Volume[]): void => {
  const used = volumes.filter(({ mounts }) => mounts.length > 0);
  if (used.length === 0) return;
  const pods = used.map(
    (volume) => `${volumeName(volume)}: ${volume.mounts.map(({ pod }) => `pod ${pod}`).join(", ")}`,
  );
  const commands = used.flatMap(({ namespace, mounts }) => mounts.map((mount) => stopCommand(namespace, mount)));
  throw new Failure("RETIRE_IMPOSSIBLE", {
    what: `${used.map(volumeName).join(", ")} ${used.length === 1 ? "is" : "are"} in use: an app whose claim is gone cannot start again.`,
    why: pods.join("; "),
    todo: `Stop it first, in git where a GitOps tool would start it again: ${[...new Set(commands)].map((command) => `\`${command}\``).join(", ")}. Then run it again.`,
  });
};

/** Throws RETIRE_IMPOSSIBLE for a claim that is being deleted, or has lost its volume. */
export const demandStanding = (volume: Volume, exception: Exception | undefined): void => {
  if (exception?.code !== "deleting" && exception?.code !== "lost") return;
  throw new Failure("RETIRE_IMPOSSIBLE", {
    what: `${volumeName(volume)} cannot be retired.`,
    why: exception.why,
    ...(exception.code === "deleting"
      ? { todo: `\`holdfast guard allow-delete ${volumeName(volume)}\` lets it go: its bytes stay.` }
      : {}),
  });
};
