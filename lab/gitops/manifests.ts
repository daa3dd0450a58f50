/** Argo CD's own manifests, changed where the lab differs from a cluster with a registry and patience. Names and rights stay. */
import type { Deployment, StatefulSet } from "kubernetes-types/apps/v1.d.ts";
import type { ConfigMap, Container, PodSpec, Secret } from "kubernetes-types/core/v1.d.ts";
import { parse } from "yaml";
import { imageReferences } from "../components/images.ts";
import { gitMount } from "./homelab.ts";

interface ArgoCdManifests {
  /** As released, since parsing a megabyte of YAML takes seconds. */
  readonly definitions: string;
  /** Everything else, without namespaces. */
  readonly objects: readonly object[];
}

/**
 * Git is asked every ten seconds and not every three minutes. What was changed by hand is put back after a second, and
 * after ten at most when that happens again and again; Argo CD's own limit of five minutes would have tests wait.
 */
const settings: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "argocd-cm": { "timeout.reconciliation": "10s", "timeout.reconciliation.jitter": "0s" },
  "argocd-cmd-params-cm": {
    "controller.self.heal.backoff.timeout.seconds": "1",
    "controller.self.heal.backoff.cap.seconds": "10",
  },
};

type Manifest = { readonly kind?: string; readonly metadata?: { readonly name?: string } } & object;

const isWorkload = (manifest: Manifest): manifest is Deployment | StatefulSet =>
  manifest.kind === "Deployment" || manifest.kind === "StatefulSet";

/** The lab's image holds redis too. A probe each ten seconds would be what one waits for. */
const adaptContainer = (container: Container): Container => ({
  ...container,
  image: imageReferences.argocd,
  imagePullPolicy: "IfNotPresent",
  ...(container.name === "redis" ? { command: ["redis-server"] } : {}),
  ...(container.readinessProbe === undefined
    ? {}
    : { readinessProbe: { ...container.readinessProbe, initialDelaySeconds: 1, periodSeconds: 2 } }),
});

/** Sees the repositories, wants no signed commits, and has no use for the program of its plugins, which is copied at start. */
const adaptRepoServer = (spec: PodSpec, gitopsDir: string): PodSpec => ({
  ...spec,
  initContainers: [],
  containers: spec.containers.map((container) => ({
    ...container,
    env: [...(container.env ?? []), { name: "ARGOCD_GPG_ENABLED", value: "false" }],
    volumeMounts: [...(container.volumeMounts ?? []), { name: "git", mountPath: gitMount, readOnly: true }],
  })),
  volumes: [...(spec.volumes ?? []), { name: "git", hostPath: { path: gitopsDir, type: "Directory" } }],
});

const adaptPod = (name: string | undefined, spec: PodSpec, gitopsDir: string): PodSpec => {
  const adapted: PodSpec = {
    ...spec,
    terminationGracePeriodSeconds: 2,
    containers: spec.containers.map(adaptContainer),
    ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(adaptContainer) }),
  };
  return name === "argocd-repo-server" ? adaptRepoServer(adapted, gitopsDir) : adapted;
};

const adaptWorkload = <T extends Deployment | StatefulSet>(workload: T, gitopsDir: string): T => {
  const { spec } = workload;
  if (spec?.template.spec === undefined) return workload;
  const pod = adaptPod(workload.metadata?.name, spec.template.spec, gitopsDir);
  return { ...workload, spec: { ...spec, template: { ...spec.template, spec: pod } } };
};

const isConfigMap = (manifest: Manifest): manifest is ConfigMap => manifest.kind === "ConfigMap";

const adaptConfigMap = (map: ConfigMap): ConfigMap => {
  const more = settings[map.metadata?.name ?? ""];
  return more === undefined ? map : { ...map, data: { ...map.data, ...more } };
};

/** Made up by the API server, which the lab has not; nothing works without it. The lab's own; it protects nothing. */
const serverKey = { "server.secretkey": "lab" };

const isServerSecret = (manifest: Manifest): manifest is Secret =>
  manifest.kind === "Secret" && manifest.metadata?.name === "argocd-secret";

const adapt = (manifest: Manifest, gitopsDir: string): Manifest => {
  if (isWorkload(manifest)) return adaptWorkload(manifest, gitopsDir);
  if (isServerSecret(manifest)) return { ...manifest, stringData: serverKey } as Secret;
  return isConfigMap(manifest) ? adaptConfigMap(manifest) : manifest;
};

/** What to apply. `released` is core-install.yaml, `gitopsDir` the folder with the repositories, on the node. */
export const adaptManifests = (released: string, gitopsDir: string): ArgoCdManifests => {
  const documents = released.split(/^---$/m);
  const isDefinition = (text: string): boolean => /^kind: CustomResourceDefinition$/m.test(text);
  return {
    definitions: documents.filter(isDefinition).join("---"),
    objects: documents
      .filter((text) => !isDefinition(text) && text.trim() !== "")
      .map((text) => adapt(parse(text) as Manifest, gitopsDir)),
  };
};
