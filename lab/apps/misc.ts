/** Namespace `misc`: the corners of a cluster in which backups go missing. */
import type { Container } from "kubernetes-types/core/v1.d.ts";
import { imageReferences } from "../components/images.ts";
import type { AppDefinition, Claim, KubeManifest } from "./app.ts";
import { claimSpec, hostPathClaim, impossibleClaim, iscsiClaim, nfsClaim } from "./claims.ts";
import {
  deployment,
  idle,
  idleApp,
  mountedClaim,
  mountedScripts,
  podTemplate,
  probes,
  type Program,
  scripts,
  tmp,
} from "./workload.ts";

const namespace = "misc";

const replicas = 2;
const dataDir = "/var/lib/postgresql/data";

/** Two replicas with a claim each, made by the StatefulSet. */
const postgresLike = ((): AppDefinition => {
  const app = { name: "postgres-like", namespace };
  const claimOf = (name: string): Claim =>
    iscsiClaim(namespace, { name, mountPath: dataDir, provision: "template", dynamicPaths: ["*"] });
  const template = claimOf("data");
  const program: Program = {
    command: ["sh", "/app/segments.sh"],
    // A folder in the volume, as PostgreSQL demands it: the volume's root may hold lost+found.
    env: { DATA: `${dataDir}/pgdata`, SEED: `${namespace}/${app.name}` },
    mounted: [mountedClaim(template), mountedScripts(app)],
    ...probes({ exec: { command: ["test", "-s", `${dataDir}/pgdata/PG_VERSION`] } }),
  };
  const pods = podTemplate(app.name, program);
  const statefulSet: KubeManifest = {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { ...app, labels: { "app.kubernetes.io/name": app.name } },
    spec: {
      replicas,
      serviceName: app.name,
      podManagementPolicy: "Parallel",
      selector: { matchLabels: { "app.kubernetes.io/name": app.name } },
      template: {
        ...pods,
        spec: {
          containers: [],
          ...pods.spec,
          // The StatefulSet adds the volume of its template itself.
          volumes: (pods.spec?.volumes ?? []).filter(({ name }) => name !== template.name),
        },
      },
      volumeClaimTemplates: [{ metadata: { name: template.name }, spec: claimSpec(template) }],
    },
  };
  const claims = Array.from({ length: replicas }, (_, ordinal) => claimOf(`${template.name}-${app.name}-${ordinal}`));
  return { ...app, claims, workloads: [scripts(app, ["segments.sh"]), statefulSet] };
})();

/** No pod mounts it; thousands of small files. */
const orphanData: AppDefinition = {
  name: "orphan-data",
  namespace,
  claims: [nfsClaim(namespace, { name: "orphan-data", shape: "many", mountPath: "" })],
  workloads: [],
};

/** Only the init container of a running pod mounts it. */
const initOnly = ((): AppDefinition => {
  const app = { name: "init-only", namespace };
  const claim = nfsClaim(namespace, { name: "init-only", shape: "small", mountPath: "/seed" });
  const { volume, mount } = mountedClaim(claim);
  const prepare: Container = {
    name: "prepare",
    image: imageReferences.app,
    imagePullPolicy: "IfNotPresent",
    command: ["sh", "-c", "find /seed -type f | wc -l"],
    volumeMounts: [mount],
  };
  const workload = deployment(
    app,
    { command: idle, mounted: [] },
    { initContainers: [prepare], volumes: [tmp.volume, volume] },
  );
  return { ...app, claims: [claim], workloads: [workload] };
})();

/** Between two runs of a CronJob no pod mounts its claim. */
const cron = ((): AppDefinition => {
  const app = { name: "cron", namespace };
  const claim = nfsClaim(namespace, { name: "cron-data", shape: "small", mountPath: "/data" });
  const program: Program = { command: ["sh", "-c", "date >>/data/runs.txt"], mounted: [mountedClaim(claim)] };
  const pods = podTemplate(app.name, program, { restartPolicy: "Never" });
  const cronJob: KubeManifest = {
    apiVersion: "batch/v1",
    kind: "CronJob",
    metadata: { ...app, labels: { "app.kubernetes.io/name": app.name } },
    spec: { schedule: "17 3 * * *", suspend: true, jobTemplate: { spec: { template: pods } } },
  };
  return { ...app, claims: [{ ...claim, dynamicPaths: ["runs.txt"] }], workloads: [cronJob] };
})();

/** One volume with every oddity, one that is empty, and one on the node's own disk, which Velero does not copy. */
const toolbox = idleApp({ name: "toolbox", namespace }, [
  nfsClaim(namespace, { name: "odd", shape: "odd", mountPath: "/odd" }),
  nfsClaim(namespace, { name: "empty", mountPath: "/empty" }),
  hostPathClaim(namespace, { name: "host-data", shape: "small", mountPath: "/host-data", provision: "static" }),
]);

/** Waits for ever for a StorageClass that is gone. */
const neverBound: AppDefinition = {
  name: "never-bound",
  namespace,
  claims: [impossibleClaim(namespace, { name: "never-bound", mountPath: "", provision: "never" })],
  workloads: [],
};

export const miscApps: readonly AppDefinition[] = [postgresLike, orphanData, initOnly, cron, toolbox, neverBound];
