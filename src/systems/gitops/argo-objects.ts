/** The fields of Argo CD's objects that Holdfast reads. Everything else in them is left alone. */
import type { KubeObject } from "../kubernetes/port.ts";

export interface ApplicationResource {
  readonly group?: string;
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
  /** In the cluster and not in git. */
  readonly requiresPruning?: boolean;
}

interface Source {
  readonly repoURL?: string;
  readonly path?: string;
  readonly chart?: string;
}

export interface Application extends KubeObject {
  readonly spec: {
    readonly source?: Source;
    readonly sources?: readonly Source[];
    readonly destination?: { readonly namespace?: string };
    readonly syncPolicy?: { readonly automated?: { readonly enabled?: boolean } | null };
  };
  readonly operation?: object;
  readonly status?: {
    readonly resources?: readonly ApplicationResource[];
    readonly sync?: { readonly status?: string; readonly revision?: string; readonly revisions?: readonly string[] };
    readonly operationState?: { readonly phase?: string };
  };
}

export interface ApplicationSet extends KubeObject {
  readonly spec: { readonly syncPolicy?: { readonly applicationsSync?: string } | null };
}

/** "https://git.example/homelab, path apps/sonarr" */
export const sourceText = ({ spec }: Application): string => {
  const sources = spec.sources ?? (spec.source === undefined ? [] : [spec.source]);
  return sources
    .map(({ repoURL = "?", path, chart }) => {
      const place = path === undefined ? undefined : `path ${path}`;
      return [repoURL, chart === undefined ? place : `chart ${chart}`].filter((part) => part !== undefined).join(", ");
    })
    .join("; ");
};

export const revisionOf = ({ status }: Application): string | undefined =>
  status?.sync?.revision ?? status?.sync?.revisions?.join(", ");
