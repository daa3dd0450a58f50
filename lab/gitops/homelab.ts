/**
 * What is in the homelab's git repository, made from the very objects that the lab applies: apps/NAMESPACE/APP with one
 * object a file, and argocd/ with an Application for each app of namespace `media` and an ApplicationSet for the household's.
 * Namespaces are not in it: whoever removes a file by mistake loses one object.
 */
import { join } from "node:path";
import { stringify } from "yaml";
import type { AppDefinition, KubeManifest } from "../apps/app.ts";
import { claimManifests } from "../apps/claims.ts";
import { householdApps } from "../apps/household.ts";
import { mediaApps } from "../apps/media.ts";
import type { AppName } from "../apps/workload.ts";
import { type Lab, paths } from "../lab.ts";
import { branch } from "./repository.ts";

export const argoCdNamespace = "argocd";
/** Where Argo CD's pods see the lab's repositories. */
export const gitMount = "/git";

const name = "homelab";
const repoURL = `file://${gitMount}/${name}`;
/** The folder that the parent Application watches. */
const parentPath = "argocd";

/** The Application that makes all others; it is not in git itself. */
export const parentName = "apps";
export const setName = "household";
const cascade = "resources-finalizer.argocd.argoproj.io";

export const repositoryDir = (lab: Lab): string => join(paths(lab).gitops, name);

const automated = { automated: { prune: true, selfHeal: true } };
const source = (path: string): object => ({ repoURL, targetRevision: branch, path });
const destination = (namespace: string): object => ({ server: "https://kubernetes.default.svc", namespace });
const argoCdObject = (kind: string, name: string): { apiVersion: string; kind: string; metadata: object } => ({
  apiVersion: "argoproj.io/v1alpha1",
  kind,
  metadata: { name, namespace: argoCdNamespace },
});

const directoryOf = ({ name, namespace }: AppName): string => `apps/${namespace}/${name}`;

/** A claim's file: apps/media/sonarr/pvc-sonarr.yaml. */
export const claimFile = (app: AppName, claim: string): string => `${directoryOf(app)}/pvc-${claim}.yaml`;

const shortKinds: Readonly<Record<string, string>> = { PersistentVolume: "pv" };

/** Where an object of an app lies. */
export const fileOf = (app: AppName, { kind, metadata }: KubeManifest): string => {
  if (kind === undefined) throw new Error(`${metadata.name} has no kind`);
  if (kind === "PersistentVolumeClaim") return claimFile(app, metadata.name);
  const short = shortKinds[kind] ?? kind.toLowerCase();
  const isMain = metadata.name === app.name && kind !== "PersistentVolume";
  return `${directoryOf(app)}/${isMain ? short : `${short}-${metadata.name}`}.yaml`;
};

/** An app's objects as files. */
export const appFiles = (app: AppDefinition): Readonly<Record<string, string>> =>
  Object.fromEntries(
    [...claimManifests(app), ...app.workloads].map((manifest) => [fileOf(app, manifest), stringify(manifest)]),
  );

/** The file of an app's Application. */
export const applicationFile = ({ name }: AppName): string => `${parentPath}/${name}.yaml`;

/** The Application of one app, as the parent makes it. By its finalizer, when it is deleted, all of the app goes with it. */
export const application = (
  app: AppName,
  { name = app.name, finalizers = [cascade] }: { readonly name?: string; readonly finalizers?: readonly string[] } = {},
): object => {
  const object = argoCdObject("Application", name);
  return {
    ...object,
    metadata: { ...object.metadata, ...(finalizers.length === 0 ? {} : { finalizers }) },
    spec: {
      project: "default",
      source: source(directoryOf(app)),
      destination: destination(app.namespace),
      syncPolicy: automated,
    },
  };
};

/** An app with its Application: what one adds to the repository to have Argo CD run the app. */
export const appWithApplication = (app: AppDefinition): Readonly<Record<string, string>> => ({
  ...appFiles(app),
  [applicationFile(app)]: stringify(application(app)),
});

/** One Application for every directory of the namespaces. */
const applicationSet = (setName: string, namespaces: readonly string[]): object => ({
  ...argoCdObject("ApplicationSet", setName),
  spec: {
    goTemplate: true,
    goTemplateOptions: ["missingkey=error"],
    generators: [
      {
        git: {
          repoURL,
          revision: branch,
          directories: namespaces.map((namespace) => ({ path: `apps/${namespace}/*` })),
          requeueAfterSeconds: 10,
        },
      },
    ],
    template: {
      metadata: { name: "{{.path.basename}}", finalizers: [cascade] },
      spec: {
        project: "default",
        source: source("{{.path.path}}"),
        destination: destination("{{index .path.segments 1}}"),
        syncPolicy: automated,
      },
    },
  },
});

/** One Application for every app of a list. Whether its deletion takes the app along is for the set to say. */
export const listedSet = (setName: string, apps: readonly AppName[], syncPolicy?: object): object => ({
  ...argoCdObject("ApplicationSet", setName),
  spec: {
    goTemplate: true,
    goTemplateOptions: ["missingkey=error"],
    generators: [{ list: { elements: apps.map(({ name, namespace }) => ({ name, namespace })) } }],
    template: {
      metadata: { name: "{{.name}}" },
      spec: {
        project: "default",
        source: source("apps/{{.namespace}}/{{.name}}"),
        destination: destination("{{.namespace}}"),
        syncPolicy: automated,
      },
    },
    ...(syncPolicy === undefined ? {} : { syncPolicy }),
  },
});

const namespacesOf = (apps: readonly AppDefinition[]): readonly string[] => [
  ...new Set(apps.map(({ namespace }) => namespace)),
];

/** Apps that Argo CD has in the lab: with an Application in git, and by the ApplicationSet. */
const inGit: readonly AppDefinition[] = mediaApps;
const bySet: readonly AppDefinition[] = householdApps;

/** Namespaces with objects that belong to Argo CD. */
export const handedOverNamespaces = namespacesOf([...inGit, ...bySet]);

/** Names of all Applications. */
export const applicationNames: readonly string[] = [parentName, ...[...inGit, ...bySet].map(({ name }) => name)];

/** Every file of the repository's first commit. */
export const homelabFiles = (): Readonly<Record<string, string>> =>
  Object.fromEntries([
    [`${parentPath}/${setName}.yaml`, stringify(applicationSet(setName, namespacesOf(bySet)))],
    ...inGit.flatMap((app) => Object.entries(appWithApplication(app))),
    ...bySet.flatMap((app) => Object.entries(appFiles(app))),
  ]);

/** Objects that a user applies by hand when Argo CD is new: the project, and the parent of all Applications. */
export const firstObjects: readonly object[] = [
  {
    ...argoCdObject("AppProject", "default"),
    spec: {
      sourceRepos: ["*"],
      destinations: [{ namespace: "*", server: "*" }],
      clusterResourceWhitelist: [{ group: "*", kind: "*" }],
    },
  },
  {
    ...argoCdObject("Application", parentName),
    spec: {
      project: "default",
      source: source(parentPath),
      destination: destination(argoCdNamespace),
      syncPolicy: automated,
    },
  },
];
