/** A pod in words, for whoever has to find out from a log alone what went wrong. */
import type {
  ContainerState,
  ContainerStateTerminated,
  ContainerStatus,
  Event,
  Pod,
} from "kubernetes-types/core/v1.d.ts";

/** As `kubectl get` would show the state of a container: "app is waiting: CrashLoopBackOff: back-off 20s". */
const describeContainer = ({ name, ready, restartCount, state, lastState = {} }: ContainerStatus): string => {
  const before = "terminated" in lastState ? `, the last time ${describeState(lastState)}` : "";
  return `${name} is ${describeState(state)}, ${ready ? "" : "not "}ready, restarted ${restartCount} times${before}`;
};

const describeState = (state: ContainerState = {}): string => {
  const [phase, detail] = Object.entries(state)[0] ?? ["unknown", {}];
  const { reason, message, exitCode, finishedAt } = detail as Partial<ContainerStateTerminated>;
  const words = [reason, message, exitCode === undefined ? undefined : `exit code ${exitCode}`, finishedAt];
  return [phase, ...words].filter((word) => word !== undefined).join(": ");
};

/** What `kubectl describe` would tell of a pod that is in trouble: unmet conditions, containers, its last five events. */
export const describePod = (pod: Pod, events: readonly Event[]): string => {
  const { phase, message, conditions = [], containerStatuses = [], initContainerStatuses = [] } = pod.status ?? {};
  const unmet = conditions.filter(({ status, message }) => status !== "True" && message !== undefined);
  const about = events.filter(({ involvedObject }) => involvedObject.uid === pod.metadata?.uid);
  return [
    `pod ${pod.metadata?.name}: ${phase}${pod.metadata?.deletionTimestamp === undefined ? "" : ", being deleted"}`,
    // Only a pod that was evicted or refused has one.
    ...(message === undefined ? [] : [message]),
    ...unmet.map(({ type, message }) => `${type}: ${message}`),
    ...[...initContainerStatuses, ...containerStatuses].map(describeContainer),
    ...about.slice(-5).map(({ reason, count = 1, message }) => `event ${reason} (${count}): ${message}`),
  ].join("\n    ");
};
