/** Asks Velero's server which version it is, as `velero version` does. */
import type { Context } from "../context.ts";
import type { KubeObject, Kubernetes } from "../systems/kubernetes/port.ts";
import { resources } from "../systems/kubernetes/resources.ts";

interface ServerStatusRequest extends KubeObject {
  readonly status?: { readonly phase?: string; readonly serverVersion?: string };
}

const patience = 10_000;
const interval = 200;

/**
 * What the server answers; undefined when it does not answer within ten seconds. The request is removed in any case but
 * that of a lost answer to its creation, where Velero does it after a minute.
 */
export const askServerVersion = async (
  kubernetes: Kubernetes,
  context: Pick<Context, "clock" | "randomId" | "signal">,
  namespace: string,
): Promise<string | undefined> => {
  const { clock, signal } = context;
  const at = { namespace, name: `holdfast-doctor-${context.randomId(6)}` };
  const { apiVersion, kind } = resources.serverStatusRequests;
  const deadline = clock.now() + patience;
  await kubernetes.create(resources.serverStatusRequests, { apiVersion, kind, metadata: at, spec: {} } as KubeObject);
  try {
    for (;;) {
      const request = await kubernetes.get<ServerStatusRequest>(resources.serverStatusRequests, at);
      if (request?.status?.phase === "Processed") return request.status.serverVersion ?? "";
      if (clock.now() >= deadline) return undefined;
      await clock.sleep(interval, signal);
    }
  } finally {
    await kubernetes.remove(resources.serverStatusRequests, at);
  }
};
