import type { Context } from "../../context.ts";
import { KubernetesClient, type ClientOptions } from "./client.ts";
import { loadAccess, type KubeconfigOptions } from "./kubeconfig.ts";
import type { Kubernetes } from "./port.ts";
import { retrying } from "./retrying.ts";

/** The API, and the connections behind it. */
export interface KubernetesConnection {
  readonly kubernetes: Kubernetes;
  /** Host and port of the API server. */
  readonly host: string;
  readonly contextName: string;
  /** The context's namespace, for names without one. */
  readonly namespace: string | undefined;
  /** Ends all connections. Idle ones do not keep the process alive, so this is for those who want them gone now. */
  close(): Promise<void>;
}

type ConnectContext = Pick<Context, "clock" | "randomId" | "env" | "cwd">;

/**
 * Finds the kubeconfig as kubectl does and gives the port over it, with retries. Nothing is sent yet.
 * KUBECONFIG_MISSING, KUBECONFIG_INVALID. The context's signal is not obeyed here, so that clean-up can still speak to
 * the cluster: see `interruptible`.
 */
export const openConnection = async (
  options: KubeconfigOptions,
  context: ConnectContext,
  clientOptions: ClientOptions = {},
): Promise<KubernetesConnection> => {
  const access = await loadAccess(options, context);
  const client = new KubernetesClient(access, context, clientOptions);
  return {
    kubernetes: retrying(client, context),
    host: new URL(access.server).host,
    contextName: access.contextName,
    namespace: access.namespace,
    close: () => client.close(),
  };
};

/** The port over the cluster that the user means. */
export const connect = async (options: KubeconfigOptions, context: ConnectContext): Promise<Kubernetes> =>
  (await openConnection(options, context)).kubernetes;
