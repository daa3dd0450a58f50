import type * as ClientNode from "@kubernetes/client-node";
import { access, readFile } from "node:fs/promises";
import { delimiter, join, resolve } from "node:path";
import type { Clock } from "../../context.ts";
import { Failure, messageOf } from "../../model/failure.ts";
import { credentialsOf, type Credentials, type PluginCredentials } from "./credentials.ts";
import {
  chooseContext,
  invalidKubeconfig,
  mergeKubeconfigs,
  parseKubeconfig,
  textField,
  type Choice,
  type Fields,
  type Kubeconfig,
} from "./kubeconfig-document.ts";

/** What the user says about the cluster to use. */
export interface KubeconfigOptions {
  /** --kubeconfig: this file and no other. */
  readonly kubeconfig?: string;
  /** --context: instead of the file's current context. */
  readonly contextName?: string;
}

/** What of the world a kubeconfig depends on. */
export interface KubeconfigWorld {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly clock: Clock;
  /** Where a pod finds its service account. */
  readonly serviceAccountRoot?: string;
}

/** The way to one API server as one user. */
export interface ClusterAccess {
  /** Without a slash at the end. */
  readonly server: string;
  readonly contextName: string;
  readonly clusterName: string;
  readonly userName: string | undefined;
  readonly namespace: string | undefined;
  readonly proxyUrl: string | undefined;
  /** Kept for a minute, so that renewed token files are seen and plugins do not run for every call. */
  credentials(): Promise<Credentials>;
  /** Forgets what was read: the next credentials come from the files and plugins again. */
  renew(): void;
}

const credentialsLifetime = 60_000;
const serviceAccountRoot = "/var/run/secrets/kubernetes.io/serviceaccount";

/** client-node costs 0.3 s and 80 MB, so it is loaded where nothing else will do: credential plugins and exec. */
export const loadClientNode = (): Promise<typeof ClientNode> => import("@kubernetes/client-node");

const exists = async (path: string): Promise<boolean> => {
  try {
    await access(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw unreadable(path, error);
  }
};

const unreadable = (path: string, error: unknown): Failure =>
  invalidKubeconfig(`${path} cannot be read.`, messageOf(error));

const readKubeconfig = async (path: string): Promise<Kubeconfig> => {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw unreadable(path, error);
  }
  return parseKubeconfig(text, path);
};

/** The files that kubectl would look at, whether or not they exist. */
export const kubeconfigPaths = (options: KubeconfigOptions, world: KubeconfigWorld): string[] => {
  if (options.kubeconfig !== undefined) return [resolve(world.cwd, options.kubeconfig)];
  const listed = (world.env["KUBECONFIG"] ?? "").split(delimiter).filter((path) => path !== "");
  if (listed.length > 0) return [...new Set(listed)].map((path) => resolve(world.cwd, path));
  const home = world.env["HOME"];
  return home === undefined || home === "" ? [] : [join(home, ".kube", "config")];
};

const inClusterConfig = async (world: KubeconfigWorld): Promise<Kubeconfig | undefined> => {
  const host = world.env["KUBERNETES_SERVICE_HOST"];
  const port = world.env["KUBERNETES_SERVICE_PORT"];
  const root = world.serviceAccountRoot ?? serviceAccountRoot;
  if (!host || !port || !(await exists(join(root, "token")))) return undefined;
  const address = host.includes(":") ? `[${host}]` : host;
  const namespace = (await exists(join(root, "namespace")))
    ? await readFile(join(root, "namespace"), "utf8")
    : "default";
  const name = "in-cluster";
  return {
    clusters: new Map([
      [name, { server: `https://${address}:${port}`, "certificate-authority": join(root, "ca.crt") }],
    ]),
    users: new Map([[name, { tokenFile: join(root, "token") }]]),
    contexts: new Map([[name, { cluster: name, user: name, namespace: namespace.trim() }]]),
    currentContext: name,
  };
};

const missing = (paths: readonly string[]): Failure =>
  new Failure("KUBECONFIG_MISSING", {
    what: "No kubeconfig was found.",
    why: paths.length === 0 ? "KUBECONFIG and HOME are not set." : `There is no ${paths.join(" and no ")}.`,
  });

/** All files that exist, merged; else the service account of the pod we run in. */
const loadKubeconfig = async (options: KubeconfigOptions, world: KubeconfigWorld): Promise<Kubeconfig> => {
  const paths = kubeconfigPaths(options, world);
  const existing: Kubeconfig[] = [];
  for (const path of paths) if (await exists(path)) existing.push(await readKubeconfig(path));
  if (existing.length > 0) return mergeKubeconfigs(existing);
  const inCluster = options.kubeconfig === undefined ? await inClusterConfig(world) : undefined;
  if (inCluster === undefined) throw missing(paths);
  return inCluster;
};

/** What kubectl tells a plugin about the cluster; some plugins do not start without it. */
const execInfo = (exec: Fields, cluster: Fields): string =>
  JSON.stringify({
    apiVersion: textField(exec, "apiVersion") ?? "client.authentication.k8s.io/v1",
    kind: "ExecCredential",
    spec: {
      interactive: false,
      ...(exec["provideClusterInfo"] === true
        ? {
            cluster: {
              server: cluster["server"],
              "certificate-authority-data": cluster["certificate-authority-data"],
              "insecure-skip-tls-verify": cluster["insecure-skip-tls-verify"],
            },
          }
        : {}),
    },
  });

const execWithInfo = (exec: Fields | undefined, cluster: Fields): Fields | undefined => {
  if (exec === undefined) return undefined;
  const env = Array.isArray(exec["env"]) ? (exec["env"] as unknown[]) : [];
  return { ...exec, env: [...env, { name: "KUBERNETES_EXEC_INFO", value: execInfo(exec, cluster) }] };
};

/** Credentials from exec plugins and auth providers, by client-node. */
const pluginCredentials: PluginCredentials = async (choice) => {
  const { KubeConfig } = await loadClientNode();
  const config = new KubeConfig();
  const name = choice.userName ?? "user";
  config.loadFromOptions({
    // Only the user matters here; the server's address and trust are ours.
    clusters: [{ name: "cluster", server: "https://localhost", skipTLSVerify: false }],
    users: [
      {
        name,
        exec: execWithInfo(choice.user["exec"] as Fields | undefined, choice.cluster),
        authProvider: choice.user["auth-provider"],
      },
    ],
    contexts: [{ name: "context", cluster: "cluster", user: name }],
    currentContext: "context",
  });
  const given: { headers?: Record<string, string>; cert?: string; key?: string } = {};
  try {
    await config.applyToHTTPSOptions(given);
  } catch (error) {
    throw pluginFailed(name, error);
  }
  const authorization = given.headers?.["Authorization"];
  return {
    ...(given.cert === undefined ? {} : { cert: given.cert }),
    ...(given.key === undefined ? {} : { key: given.key }),
    ...(authorization === undefined ? {} : { authorization }),
  };
};

const pluginFailed = (userName: string, error: unknown): Failure => {
  if ((error as NodeJS.ErrnoException).code === "ENOENT") {
    return invalidKubeconfig(`The credential plugin of user "${userName}" cannot be started.`, messageOf(error));
  }
  // The parser quotes what it could not read, and that is where the token would be.
  const why = error instanceof SyntaxError ? "It did not print JSON." : messageOf(error).trim().slice(0, 300);
  return new Failure("KUBERNETES_UNAUTHORIZED", {
    what: `The credential plugin of user "${userName}" failed.`,
    ...(why === "" ? {} : { why }),
    todo: "Run the plugin's command of the kubeconfig by hand, or log in again.",
  });
};

const serverOf = (choice: Choice): string => {
  const server = textField(choice.cluster, "server");
  if (server === undefined) throw invalidKubeconfig(`Cluster "${choice.clusterName}" has no server.`);
  if (!URL.canParse(server) || !/^https?:$/.test(new URL(server).protocol)) {
    throw invalidKubeconfig(`The server of cluster "${choice.clusterName}" is not an http(s) address.`);
  }
  return server.replace(/\/+$/, "");
};

const proxyOf = (choice: Choice): string | undefined => {
  const proxy = textField(choice.cluster, "proxy-url");
  if (proxy === undefined || (URL.canParse(proxy) && /^https?:$/.test(new URL(proxy).protocol))) return proxy;
  throw invalidKubeconfig(`The proxy-url of cluster "${choice.clusterName}" is not an http(s) address.`);
};

const optionalPath = (root: string | undefined): Pick<KubeconfigWorld, "serviceAccountRoot"> =>
  root === undefined ? {} : { serviceAccountRoot: root };

/**
 * Finds the kubeconfig as kubectl does: --kubeconfig, else the files of KUBECONFIG merged, else ~/.kube/config, else
 * the pod's service account. KUBECONFIG_MISSING or KUBECONFIG_INVALID when there is none to use.
 */
export const loadAccess = async (options: KubeconfigOptions, outside: KubeconfigWorld): Promise<ClusterAccess> => {
  const world = {
    env: outside.env,
    cwd: outside.cwd,
    clock: outside.clock,
    ...optionalPath(outside.serviceAccountRoot),
  };
  const choose = async (): Promise<Choice> => chooseContext(await loadKubeconfig(options, world), options.contextName);
  const choice = await choose();
  const proxyUrl = proxyOf(choice);
  let kept: { readonly credentials: Promise<Credentials>; readonly until: number } | undefined;
  return {
    server: serverOf(choice),
    contextName: choice.contextName,
    clusterName: choice.clusterName,
    userName: choice.userName,
    namespace: choice.namespace,
    proxyUrl,
    credentials: () => {
      const now = world.clock.now();
      if (kept === undefined || now >= kept.until) {
        const credentials = choose().then((current) => credentialsOf(current, pluginCredentials));
        kept = { credentials, until: now + credentialsLifetime };
        // A failure is told to whoever asked, and the next call tries again.
        credentials.catch(() => (kept = undefined));
      }
      return kept.credentials;
    },
    renew: () => {
      kept = undefined;
    },
  };
};
