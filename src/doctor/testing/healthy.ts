/** A world in which doctor finds nothing wrong, made of twins; each test breaks one thing in it. */
import { parseConfig } from "../../config/read.ts";
import type { Context } from "../../context.ts";
import type { OperationList } from "../../operation/operations.ts";
import { kitEvidenceKey } from "../../kit/evidence.ts";
import { someKitEvidence } from "../../kit/testing/kits.ts";
import { formatBlobPassword, scryptFormatBlob } from "../../systems/kopia/testing/format-blobs.ts";
import { MemoryKubernetes } from "../../systems/kubernetes/memory.ts";
import type { KubeObject } from "../../systems/kubernetes/port.ts";
import { resources } from "../../systems/kubernetes/resources.ts";
import { jumpingClock } from "../../systems/kubernetes/testing/world.ts";
import { MemoryNas, type MemoryNasOptions, MemoryRemover } from "../../systems/nas/memory.ts";
import { MemoryZfs } from "../../systems/nas/memory-zfs.ts";
import type { Rights } from "../../systems/nas/port.ts";
import { MemoryBucket } from "../../systems/s3/memory.ts";
import type { Check, CheckResult } from "../check.ts";
import { allChecks } from "../examine.ts";
import { runChecks } from "../run.ts";
import type { DoctorWorld } from "../world.ts";

export const namespace = "velero";

const configText = (extra: string): string => `
version: 1
bucket: { endpoint: "https://nas.lab:9000", name: backups, prefix: velero, credentials: { file: keys } }
repository: { password: { file: password } }
${extra}`;

/** Where and as what each part of a healthy Velero lies; a test puts a changed one in its place. */
export const veleroDeployment = {
  metadata: { name: "velero", namespace },
  spec: {
    replicas: 1,
    template: {
      spec: {
        initContainers: [{ name: "plugin", image: "docker.io/velero/velero-plugin-for-aws:v1.14.3" }],
        containers: [
          { name: "velero", image: "docker.io/velero/velero:v1.18.3", args: ["server", "--disable-controllers=gc"] },
        ],
      },
    },
  },
  status: { availableReplicas: 1 },
};

export const daemonSet = {
  metadata: { name: "node-agent", namespace },
  spec: { template: { spec: { containers: [{ name: "node-agent", args: ["--node-agent-configmap=node-agent"] }] } } },
};

export const location = {
  metadata: { name: "default", namespace },
  spec: {
    accessMode: "ReadWrite",
    objectStorage: { bucket: "backups", prefix: "velero" },
    config: { s3Url: "https://nas.lab:9000", region: "home" },
  },
  status: { phase: "Available" },
};

export const agentPod = (node: string, ready = "True"): KubeObject =>
  ({
    metadata: { name: `node-agent-${node}`, namespace, labels: { role: "node-agent" } },
    spec: { nodeName: node },
    status: { conditions: [{ type: "Ready", status: ready }] },
  }) as KubeObject;

export const passwordSecret = (password: string): KubeObject =>
  ({
    metadata: { name: "velero-repo-credentials", namespace },
    data: { "repository-password": Buffer.from(password).toString("base64") },
  }) as KubeObject;

const putHealthy = (kubernetes: MemoryKubernetes): void => {
  kubernetes.put(resources.nodes, { metadata: { name: "node-1" } });
  kubernetes.put(resources.deployments, veleroDeployment);
  kubernetes.put(resources.daemonSets, daemonSet);
  kubernetes.put(resources.pods, agentPod("node-1"));
  kubernetes.put(resources.configMaps, {
    metadata: { name: "node-agent", namespace },
    data: { "node-agent.json": '{"loadConcurrency":{"globalConfig":4}}' },
  } as KubeObject);
  kubernetes.put(resources.backupStorageLocations, location);
  kubernetes.put(resources.secrets, passwordSecret(formatBlobPassword));
};

/** Velero's server, as far as it answers ServerStatusRequests. */
const answerRequests = (kubernetes: MemoryKubernetes, serverVersion: string): void => {
  const velero = kubernetes.as("velero");
  kubernetes.onChange(resources.serverStatusRequests, async ({ type, object }) => {
    if (type !== "ADDED") return;
    const status = { phase: "Processed", serverVersion };
    await velero.mergePatch(resources.serverStatusRequests, object.metadata, { status });
  });
};

interface HealthyOptions {
  /** More of holdfast.yaml. */
  readonly config?: string;
  /** What the server says of itself; absent: v1.18.3; false: it does not answer. */
  readonly serverVersion?: string | false;
  /** API groups beyond the built-in ones; absent: Velero's and Argo CD's. */
  readonly groups?: readonly string[];
  /** How far the store's clock is ahead, ms. */
  readonly ahead?: number;
}

export class HealthyWorld implements DoctorWorld {
  readonly context: Context;
  readonly loaded: DoctorWorld["loaded"];
  readonly cluster: MemoryKubernetes;
  readonly store: MemoryBucket;
  /** What `operations` gives. */
  begun: OperationList = { operations: [], unreadable: [] };
  /** What `password` gives, or throws. */
  secret: string | Error = formatBlobPassword;

  constructor(options: HealthyOptions = {}) {
    const clock = jumpingClock();
    let ids = 0;
    const silent = { isTTY: false, write: () => undefined };
    this.context = {
      clock,
      randomId: (length) => String((ids += 1)).padStart(length, "0"),
      env: {},
      cwd: "/",
      stdin: { isTTY: false, readLine: async () => undefined },
      stdout: silent,
      stderr: silent,
      signal: new AbortController().signal,
    };
    const config = parseConfig(configText(options.config ?? ""), "holdfast.yaml");
    this.loaded = { config, file: "/etc/holdfast.yaml", path: (name) => `/etc/${name}` };
    this.cluster = new MemoryKubernetes(this.context, options.groups === undefined ? {} : { groups: options.groups });
    this.zfs = new MemoryZfs(clock);
    this.zfs.create("tank/k8s/v/pvc-1");
    this.store = new MemoryBucket({ now: () => clock.now() + (options.ahead ?? 0) });
    this.store.seed("velero/kopia/media/kopia.repository", scryptFormatBlob);
    this.store.seed(kitEvidenceKey(config.holdfast.cluster), JSON.stringify(someKitEvidence({ time: clock.now() })));
    putHealthy(this.cluster);
    const { serverVersion = "v1.18.3" } = options;
    if (serverVersion !== false) answerRequests(this.cluster, serverVersion);
  }

  kubernetes = async (): Promise<MemoryKubernetes> => this.cluster;
  bucket = async (): Promise<MemoryBucket> => this.store;
  bucketWithoutFence = async (): Promise<MemoryBucket> => this.store;
  operations = async (): Promise<OperationList> => this.begun;
  /** What stands on the NAS; looked at only where `config` names one. */
  readonly zfs: MemoryZfs;
  nasOptions: MemoryNasOptions = {};
  removerRights: Partial<Rights> = {};
  nas = async (): Promise<MemoryNas> => new MemoryNas(this.zfs, this.nasOptions);
  nasRemover = async (): Promise<MemoryRemover> => new MemoryRemover(this.zfs, this.removerRights);

  password = async (): Promise<string> => {
    if (this.secret instanceof Error) throw this.secret;
    return this.secret;
  };

  /** All results. */
  examine(): Promise<readonly CheckResult[]> {
    return runChecks(allChecks(this, "0.1.0"));
  }

  /** The result of one check; no other is looked at but those that it needs. */
  async result(id: string): Promise<CheckResult> {
    const checks = allChecks(this, "0.1.0");
    const wanted = new Set(withNeeds(checks, id));
    const results = await runChecks(checks.filter((check) => wanted.has(check.id)));
    const found = results.find((result) => result.id === id);
    if (found === undefined) throw new Error(`there is no check ${id}`);
    return found;
  }
}

const withNeeds = (checks: readonly Check[], id: string): readonly string[] => {
  const needs = checks.find((check) => check.id === id)?.needs ?? [];
  return [id, ...needs.flatMap((needed) => withNeeds(checks, needed))];
};
