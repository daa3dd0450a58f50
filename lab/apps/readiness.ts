/** Whether the apps of the cluster run, and if not, what holds each of them up. */
import type { Deployment, StatefulSet } from "kubernetes-types/apps/v1.d.ts";
import type { Event, Pod } from "kubernetes-types/core/v1.d.ts";
import type { Kubectl } from "../site/kubectl.ts";
import { waitFor } from "../wait-for.ts";
import { describePod } from "./describe-pod.ts";

type App = Deployment | StatefulSet;

const nameOf = ({ metadata }: App): string => `${metadata?.namespace}/${metadata?.name}`;

const list = async <T>(kubectl: Kubectl, kinds: string): Promise<readonly T[]> =>
  (JSON.parse(await kubectl(["get", kinds, "-A", "-o", "json"])) as { items: T[] }).items;

const describe = async (kubectl: Kubectl, apps: readonly App[]): Promise<string> => {
  const [pods, events] = await Promise.all([list<Pod>(kubectl, "pods"), list<Event>(kubectl, "events")]);
  const isOf = (app: App, pod: Pod): boolean =>
    pod.metadata?.namespace === app.metadata?.namespace &&
    Object.entries(app.spec?.selector.matchLabels ?? {}).every(([key, value]) => pod.metadata?.labels?.[key] === value);
  return apps
    .map((app) => {
      const own = pods.filter((pod) => isOf(app, pod)).map((pod) => describePod(pod, events));
      const ready = `${app.status?.readyReplicas ?? 0} of ${app.spec?.replicas} Ready`;
      return [`${nameOf(app)}: ${ready}`, ...(own.length === 0 ? ["it has no pod"] : own)].join("\n  ");
    })
    .join("\n");
};

const isReady = ({ spec, status }: App): boolean =>
  spec?.replicas === 0 || (status?.readyReplicas ?? 0) === spec?.replicas;

/** Waits until every Deployment and StatefulSet of the cluster has all its replicas Ready; says of each that has not why. */
export const waitForApps = async (kubectl: Kubectl): Promise<void> => {
  let late: readonly App[] = [];
  try {
    await waitFor("every app", 120, async () => {
      late = (await list<App>(kubectl, "deployments,statefulsets")).filter((app) => !isReady(app));
      return late.length === 0;
    });
  } catch (error) {
    if (late.length === 0) throw error;
    throw new Error(`${(error as Error).message}:\n${await describe(kubectl, late)}`, { cause: error });
  }
};
