/** What happened to pods without anybody's asking: containers that ended and were started again, pods that were evicted. */
import type { ContainerStatus, Event, Pod } from "kubernetes-types/core/v1.d.ts";
import type { Kubectl } from "../site/kubectl.ts";
import { describePod } from "./describe-pod.ts";

const lastLines = 40;

const restarted = ({ status }: Pod): readonly ContainerStatus[] =>
  (status?.containerStatuses ?? []).filter(({ restartCount }) => restartCount > 0);

/** What a container said before it ended. Its log may be gone already, which is told in its place. */
const lastWords = async (kubectl: Kubectl, { metadata }: Pod, { name }: ContainerStatus): Promise<string> => {
  const { namespace = "", name: pod = "" } = metadata ?? {};
  const words = ["-n", namespace, "logs", pod, "-c", name, "--previous", `--tail=${lastLines}`];
  const log = await kubectl(words).catch((error: Error) => error.message);
  return `${name} said before it ended:\n${log.trim().replaceAll(/^/gm, "  ")}`;
};

/**
 * One text for each pod with a container that was started again, and for each pod that failed as a whole. Where a test
 * failed for no fault of its own, this is what tells why. Cost: the lists of pods and events, and a log each.
 */
export const unaskedRestarts = async (kubectl: Kubectl): Promise<readonly string[]> => {
  const list = async <T>(kind: string): Promise<readonly T[]> =>
    (JSON.parse(await kubectl(["get", kind, "-A", "-o", "json"])) as { items: T[] }).items;
  const [pods, events] = [await list<Pod>("pods"), await list<Event>("events")];
  const affected = pods.filter((pod) => restarted(pod).length > 0 || pod.status?.phase === "Failed");
  return Promise.all(
    affected.map(async (pod) => {
      const said = await Promise.all(restarted(pod).map((container) => lastWords(kubectl, pod, container)));
      return [`${pod.metadata?.namespace}: ${describePod(pod, events)}`, ...said].join("\n");
    }),
  );
};
