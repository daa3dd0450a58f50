/** Deployments as homelabs have them: one replica, Recreate, a claim for the app's state, an emptyDir for the rest. */
import { readFileSync } from "node:fs";
import type { Deployment } from "kubernetes-types/apps/v1.d.ts";
import type {
  ConfigMap,
  Container,
  PodSpec,
  PodTemplateSpec,
  Probe,
  Volume,
  VolumeMount,
} from "kubernetes-types/core/v1.d.ts";
import { imageReferences } from "../components/images.ts";
import { network, poolMountpoint } from "../lab.ts";
import type { AppDefinition, Claim, KubeManifest } from "./app.ts";

/** A volume and where the main container sees it. */
export interface Mounted {
  readonly volume: Volume;
  readonly mount: VolumeMount;
}

export const mountedClaim = ({ name, mountPath }: Pick<Claim, "name" | "mountPath">): Mounted => ({
  volume: { name, persistentVolumeClaim: { claimName: name } },
  mount: { name, mountPath },
});

/** The films and series: on the NAS, far too large for a backup, and not meant to be in one. */
export const media: Mounted = {
  volume: { name: "media", nfs: { server: network.nas, path: `${poolMountpoint}/media` } },
  mount: { name: "media", mountPath: "/media" },
};

/** Every app has one. */
export const tmp: Mounted = { volume: { name: "tmp", emptyDir: {} }, mount: { name: "tmp", mountPath: "/tmp" } };

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface Program {
  readonly image?: string;
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Root when absent. */
  readonly runAs?: Owner;
  readonly mounted: readonly Mounted[];
  readonly startupProbe?: Probe;
  readonly readinessProbe?: Probe;
}

export interface AppName {
  readonly name: string;
  readonly namespace: string;
}

/** Waits for its end without using the processor. */
export const idle: readonly string[] = ["sh", "-c", "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"];

const readScript = (name: string): string => readFileSync(new URL(name, import.meta.url), "utf8");

/** A ConfigMap with the shell programs of this folder, mounted at /app. */
export const scripts = ({ name, namespace }: AppName, files: readonly string[]): ConfigMap & KubeManifest => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: `${name}-scripts`, namespace, labels: labels(name) },
  data: Object.fromEntries(files.map((file) => [file, readScript(file)])),
});

export const mountedScripts = ({ name }: AppName): Mounted => ({
  volume: { name: "scripts", configMap: { name: `${name}-scripts` } },
  mount: { name: "scripts", mountPath: "/app", readOnly: true },
});

const labels = (name: string): Record<string, string> => ({ "app.kubernetes.io/name": name });

/** Looks every second while the app starts, and now and then later: each look costs a process in the container. */
export const probes = (how: Probe): Pick<Program, "startupProbe" | "readinessProbe"> => ({
  startupProbe: { ...how, periodSeconds: 1, failureThreshold: 120, timeoutSeconds: 5 },
  readinessProbe: { ...how, periodSeconds: 5, failureThreshold: 2, timeoutSeconds: 5 },
});

const container = (name: string, program: Program): Container => ({
  name,
  image: program.image ?? imageReferences.app,
  imagePullPolicy: "IfNotPresent",
  command: [...program.command],
  env: Object.entries({ TMPDIR: "/tmp", HOME: "/tmp", ...program.env }).map(([key, value]) => ({ name: key, value })),
  volumeMounts: [...program.mounted, tmp].map(({ mount }) => mount),
  ...(program.startupProbe === undefined ? {} : { startupProbe: program.startupProbe }),
  ...(program.readinessProbe === undefined ? {} : { readinessProbe: program.readinessProbe }),
  ...(program.runAs === undefined
    ? {}
    : {
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
      }),
});

/** The pods of an app; `more` is laid over the pod's spec. */
export const podTemplate = (name: string, program: Program, more: Partial<PodSpec> = {}): PodTemplateSpec => ({
  metadata: { labels: labels(name) },
  spec: {
    automountServiceAccountToken: false,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: 2,
    ...(program.runAs === undefined
      ? {}
      : { securityContext: { runAsUser: program.runAs.uid, runAsGroup: program.runAs.gid, runAsNonRoot: true } }),
    containers: [container(name, program)],
    volumes: [...program.mounted, tmp].map(({ volume }) => volume),
    ...more,
  },
});

export const deployment = (
  { name, namespace }: AppName,
  program: Program,
  more: Partial<PodSpec> = {},
): Deployment & KubeManifest => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name, namespace, labels: labels(name) },
  spec: {
    replicas: 1,
    revisionHistoryLimit: 2,
    strategy: { type: "Recreate" },
    selector: { matchLabels: labels(name) },
    template: podTemplate(name, program, more),
  },
});

/** An app that does nothing with its claims. */
export const idleApp = (app: AppName, claims: readonly Claim[]): AppDefinition => ({
  ...app,
  claims,
  workloads: [deployment(app, { command: idle, mounted: claims.map(mountedClaim) })],
});
