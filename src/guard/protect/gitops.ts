/** What GitOps tools must be told of a guarded object, and who may tell them: Holdfast, or git alone. Pure. */
import { trackedBy } from "../../systems/gitops/tracking.ts";
import type { KubeObject } from "../../systems/kubernetes/port.ts";
import { otherOwners } from "./marks.ts";
import { hasOptions, withOptions } from "./options.ts";

/** A line of an object's manifest that somebody else owns. */
export interface GitLine {
  /** "PersistentVolumeClaim media/sonarr-config". */
  readonly object: string;
  readonly key: string;
  /** Who owns the key now. */
  readonly owner: string;
  /** As it must stand under `metadata.annotations`, what is there already merged in. */
  readonly line: string;
  /** True when it stands so already. */
  readonly done: boolean;
}

/** The change that only git can make. */
export const gitLineText = ({ object, owner, line }: GitLine): string =>
  `${object}: ${owner} owns the key. In git, under metadata.annotations: ${line}`;

/** What an object's annotations should say to GitOps tools. */
export interface ToolKeys {
  /** Annotations for Holdfast to write: nobody else owns them. */
  readonly write: Readonly<Record<string, string>>;
  readonly git: readonly GitLine[];
}

export const noToolKeys: ToolKeys = { write: {}, git: [] };

export const argoSyncKey = "argocd.argoproj.io/sync-options";
const argoCompareKey = "argocd.argoproj.io/compare-options";
export const fluxPruneKey = "kustomize.toolkit.fluxcd.io/prune";
const fluxNameKey = "kustomize.toolkit.fluxcd.io/name";
const fluxNamespaceKey = "kustomize.toolkit.fluxcd.io/namespace";
const helmReleaseKey = "meta.helm.sh/release-name";

/** Neither pruned nor deleted with its Application: each option covers only one of the two. */
export const argoWanted = { [argoSyncKey]: ["Prune=false", "Delete=false"], [argoCompareKey]: ["IgnoreExtraneous"] };

/** The Helm release that an object says it belongs to. */
export const helmReleaseOf = ({ metadata }: KubeObject): string | undefined => metadata.annotations?.[helmReleaseKey];

const isDisabled = (text: string | undefined): boolean => text?.toLowerCase() === "disabled";

const fluxValue = (object: KubeObject): string | undefined =>
  object.metadata.labels?.[fluxPruneKey] ?? object.metadata.annotations?.[fluxPruneKey];

/** The Flux Kustomization that an object's labels name: "flux-system/apps". */
export const fluxOwnerOf = ({ metadata: { labels = {} } }: KubeObject): string | undefined => {
  const name = labels[fluxNameKey];
  return name === undefined ? undefined : `${labels[fluxNamespaceKey] ?? "flux-system"}/${name}`;
};

/** The key by which Flux is told not to prune an object, and whether it is told so. */
export const fluxDisabled = (object: KubeObject): readonly [string, boolean] => [
  fluxPruneKey,
  isDisabled(fluxValue(object)),
];

interface Wish {
  readonly key: string;
  readonly value: string;
  readonly isMet: boolean;
}

const argoWishes = ({ metadata }: KubeObject): readonly Wish[] =>
  Object.entries(argoWanted).map(([key, options]) => {
    const present = metadata.annotations?.[key];
    return { key, value: withOptions(present, options), isMet: hasOptions(present, options) };
  });

const fluxWishes = (object: KubeObject): readonly Wish[] => {
  if (fluxOwnerOf(object) === undefined) return [];
  const [key, isMet] = fluxDisabled(object);
  return [{ key, value: "disabled", isMet }];
};

const settled = (name: string, object: KubeObject, { key, value, isMet }: Wish): ToolKeys => {
  const labelled = object.metadata.labels?.[key] !== undefined;
  const owners = labelled ? ["its label"] : otherOwners(object, key);
  if (owners.length === 0) return { write: { [key]: value }, git: [] };
  return { write: {}, git: [{ object: name, key, owner: owners.join(", "), line: `${key}: ${value}`, done: isMet }] };
};

/** `argo`: whether Argo CD may come to prune or delete the object. `name`: as it is told to a person. */
export const toolKeysOf = (name: string, object: KubeObject, { argo }: { readonly argo: boolean }): ToolKeys => {
  const isArgos = argo || trackedBy(object.metadata) !== undefined;
  const wishes = [...(isArgos ? argoWishes(object) : []), ...fluxWishes(object)];
  const keys = wishes.map((wish) => settled(name, object, wish));
  return {
    write: Object.assign({}, ...keys.map(({ write }) => write)) as Readonly<Record<string, string>>,
    git: keys.flatMap(({ git }) => git),
  };
};
