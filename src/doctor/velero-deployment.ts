/** Velero's server as its Deployment describes it. */
import { Failure } from "../model/failure.ts";
import type { KubeObject, Kubernetes } from "../systems/kubernetes/port.ts";
import { resources } from "../systems/kubernetes/resources.ts";

interface Container {
  readonly name: string;
  readonly image?: string;
  readonly command?: readonly string[];
  readonly args?: readonly string[];
}

interface Deployment extends KubeObject {
  readonly spec?: {
    readonly replicas?: number;
    readonly template?: {
      readonly spec?: { readonly containers?: readonly Container[]; readonly initContainers?: readonly Container[] };
    };
  };
  readonly status?: {
    readonly availableReplicas?: number;
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly message?: string }[];
  };
}

export interface VeleroDeployment {
  /** "velero/velero": namespace and name. */
  readonly name: string;
  readonly image: string;
  /** Command and arguments of the server. */
  readonly arguments: readonly string[];
  /** Images of the plugins: those of the init containers. */
  readonly plugins: readonly string[];
  /** Why it cannot work, when it cannot. */
  readonly unavailable: string | undefined;
}

/** The oldest version that Holdfast works with: older ones lack what a restore by PodVolumeRestore needs. */
const oldest = { major: 1, minor: 18 } as const;

/** The Deployment "velero". Throws VELERO_ABSENT. */
export const readVelero = async (kubernetes: Kubernetes, namespace: string): Promise<VeleroDeployment> => {
  const deployment = await kubernetes.get<Deployment>(resources.deployments, { namespace, name: "velero" });
  if (deployment === undefined) throw absent(namespace);
  const { initContainers = [] } = deployment.spec?.template?.spec ?? {};
  const { image = "", command = [], args = [] } = serverOf(deployment);
  return {
    name: `${namespace}/velero`,
    image,
    arguments: [...command, ...args],
    plugins: initContainers.flatMap(({ image }) => (image === undefined ? [] : [image])),
    unavailable: unavailability(deployment),
  };
};

const serverOf = (deployment: Deployment): Partial<Container> => {
  const containers = deployment.spec?.template?.spec?.containers ?? [];
  return containers.find(({ name }) => name === "velero") ?? containers[0] ?? {};
};

const absent = (namespace: string): Failure =>
  new Failure("VELERO_ABSENT", {
    what: `There is no Velero in the namespace "${namespace}".`,
    why: `the Deployment ${namespace}/velero does not exist`,
    todo: "Install Velero (docs/set-up.md), or correct velero.namespace in holdfast.yaml.",
  });

const unavailability = ({ spec, status }: Deployment): string | undefined => {
  if (spec?.replicas === 0) return "it is scaled to 0";
  if ((status?.availableReplicas ?? 0) > 0) return undefined;
  const told = status?.conditions?.find(({ type, status }) => type === "Available" && status !== "True")?.message;
  return told ?? "none of its pods is available";
};

/** Throws VELERO_UNHEALTHY when no pod of the server is available. */
export const requireAvailable = ({ name, unavailable }: VeleroDeployment): void => {
  if (unavailable === undefined) return;
  const [namespace = ""] = name.split("/");
  throw new Failure("VELERO_UNHEALTHY", {
    what: `The Deployment ${name} is not available.`,
    why: unavailable,
    todo: `kubectl -n ${namespace} describe deployment velero; kubectl -n ${namespace} logs deployment/velero`,
  });
};

/** The tag of an image reference; undefined when it names only a digest, or nothing. */
export const tagOf = (image: string): string | undefined => /:([^:/]+)$/.exec(image.replace(/@.*$/, ""))?.[1];

export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
}

/** "v1.18.3" and "1.18.3-rc.1" as numbers; undefined for "main", "latest" and the like. */
export const parseVersion = (text: string): Version | undefined => {
  const [, major, minor, patch] = /^v?(\d+)\.(\d+)(?:\.(\d+))?(?:[-+].*)?$/.exec(text) ?? [];
  return major === undefined ? undefined : { major: Number(major), minor: Number(minor), patch: Number(patch ?? 0) };
};

/** Throws VELERO_TOO_OLD for a version that is known to be; one that says nothing passes. */
export const requireNewEnough = (version: string): void => {
  const parsed = parseVersion(version);
  if (parsed === undefined || parsed.major > oldest.major) return;
  if (parsed.major === oldest.major && parsed.minor >= oldest.minor) return;
  throw new Failure("VELERO_TOO_OLD", {
    what: `Velero is ${version}; Holdfast needs v${oldest.major}.${oldest.minor} or newer.`,
    todo: "Upgrade Velero, one minor version after the other: https://velero.io/docs/main/upgrade-to-1.18/",
  });
};
