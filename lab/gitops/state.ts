/** What Argo CD shows of its Applications, as its API has it. */
import type { Kubectl } from "../site/kubectl.ts";
import { waitFor } from "../wait-for.ts";
import { argoCdNamespace } from "./homelab.ts";

/** What a sync did to one object. */
export interface ResourceResult {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
  /** "Synced", "SyncFailed", "Pruned" or "PruneSkipped". */
  readonly status?: string;
  readonly message?: string;
}

export interface Operation {
  /** "Running" also between two tries; "Succeeded", "Failed", "Error", "Terminating". */
  readonly phase: string;
  readonly message?: string;
  readonly startedAt?: string;
  readonly syncResult?: { readonly revision?: string; readonly resources?: readonly ResourceResult[] };
}

export interface Application {
  readonly metadata: {
    readonly name: string;
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
  };
  readonly status?: {
    readonly sync?: { readonly status: string; readonly revision?: string };
    readonly health?: { readonly status?: string };
    readonly operationState?: Operation;
    readonly conditions?: readonly { readonly type: string; readonly message: string }[];
  };
}

const resource = "applications.argoproj.io";

/** Every Application, or those of the given names that are there. */
export const readApplications = async (
  kubectl: Kubectl,
  names?: readonly string[],
): Promise<readonly Application[]> => {
  const { items } = JSON.parse(await kubectl(["-n", argoCdNamespace, "get", resource, "-o", "json"])) as {
    readonly items: readonly Application[];
  };
  return names === undefined ? items : items.filter(({ metadata }) => names.includes(metadata.name));
};

/** Makes Argo CD ask git at once, as its "Refresh" button does. */
export const refresh = async (kubectl: Kubectl, names: readonly string[]): Promise<void> => {
  const words = ["annotate", "--overwrite", resource, ...names, "argocd.argoproj.io/refresh=normal"];
  await kubectl(["-n", argoCdNamespace, ...words]);
};

/** As a line: "OutOfSync, Healthy; sync Running: waiting for deletion of …; SyncError: …". */
export const describeApplication = ({ metadata, status = {} }: Application): string => {
  const { sync, health, operationState: operation, conditions = [] } = status;
  const said = operation?.message === undefined ? "" : `: ${operation.message}`;
  return [
    `${sync?.status ?? "not compared yet"}, ${health?.status ?? "health unknown"}`,
    ...(metadata.deletionTimestamp === undefined ? [] : ["being deleted"]),
    ...(operation === undefined ? [] : [`sync ${operation.phase}${said}`]),
    ...conditions.map(({ type, message }) => `${type}: ${message}`),
  ].join("; ");
};

const isSettled = ({ metadata, status }: Application): boolean =>
  metadata.deletionTimestamp === undefined &&
  status?.sync?.status === "Synced" &&
  status.health?.status === "Healthy" &&
  status.operationState?.phase !== "Running";

/** Waits until Applications are what `isWanted` says; when the time is over the error says what each of them shows. */
export const waitForApplications = async (
  kubectl: Kubectl,
  names: readonly string[],
  {
    what = "Synced and Healthy",
    seconds = 180,
    isWanted = isSettled,
  }: {
    /** Ends "Applications that are …". */
    readonly what?: string;
    readonly seconds?: number;
    readonly isWanted?: (application: Application) => boolean;
  } = {},
): Promise<void> => {
  let seen: readonly Application[] = [];
  try {
    await waitFor(`Applications that are ${what}`, seconds, async () => {
      seen = await readApplications(kubectl, names);
      return seen.length === names.length && seen.every((application) => isWanted(application));
    });
  } catch (error) {
    const lines = names.map((name) => {
      const application = seen.find(({ metadata }) => metadata.name === name);
      return `  ${name}: ${application === undefined ? "is not there" : describeApplication(application)}`;
    });
    throw new Error([(error as Error).message, ...lines].join("\n"), { cause: error });
  }
};
