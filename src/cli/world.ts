/** Makes the ports that a command asks for, from holdfast.yaml, flags and environment. Nothing is opened before it is used. */
import { readFile } from "node:fs/promises";
import { type LoadedConfig, loadConfig } from "../config/load.ts";
import { type NasKeys, nasKeys, type ReadSecret, repositoryPassword, type S3Keys, s3Keys } from "../config/secrets.ts";
import type { StoreReference } from "../agent/job.ts";
import type { Context } from "../context.ts";
import manifest from "../../package.json" with { type: "json" };
import { FencedBucket } from "../inventory/fenced-bucket.ts";
import { clusterUid, type Self } from "../inventory/identity.ts";
import { Failure } from "../model/failure.ts";
import { OpenedOnce } from "../model/opened-once.ts";
import type { PointsSource } from "../inventory/points.ts";
import type { Agents } from "../systems/agent/port.ts";
import type { Kubernetes, KubeObject } from "../systems/kubernetes/port.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import type { Nas, NasRemover } from "../systems/nas/port.ts";
import type { Bucket } from "../systems/s3/port.ts";
import { normalPrefix } from "../systems/velero/bucket-layout.ts";
import type { WorldFlags } from "./flags.ts";
import { type NasAccess, openNas, openNasRemover } from "./nas-systems.ts";
import { configuredNas } from "./nas-view.ts";

/** The outside as commands see it; tests make their own from twins. */
export interface World {
  readonly context: Context;
  readonly loaded: LoadedConfig;
  kubernetes(): Promise<Kubernetes>;
  /** Writes nothing while the bucket names another cluster (design §4). */
  bucket(): Promise<Bucket>;
  /** For doctor, whose tries leave nothing behind, and for `adopt`, which settles whose it is. */
  bucketWithoutFence(): Promise<Bucket>;
  /** Which cluster this is. */
  self(): Promise<Self>;
  /** Throws NAS_UNSUPPORTED where holdfast.yaml names none. */
  nas(): Promise<Nas>;
  /** With the credential that removes. Throws NAS_UNSUPPORTED where holdfast.yaml names none. */
  nasRemover(): Promise<NasRemover>;
  points(): Promise<PointsSource>;
  /** `kubernetes`: the cluster as a process under a lock has it; else as `kubernetes()` gives it. */
  agents(kubernetes?: Kubernetes): Promise<Agents>;
  /** The store as an agent is told of it. */
  store(): StoreReference;
  /** Password of the kopia repositories. */
  password(): Promise<string>;
  /** Everything that holdfast.yaml refers to, for the kit. */
  secrets(): Promise<Secrets>;
  /** Ends connections, so that the process can end. */
  close(): Promise<void>;
}

/** What holdfast.yaml refers to, read. */
export interface Secrets {
  readonly s3: S3Keys;
  readonly password: string;
  /** PEM text. */
  readonly bucketCa: string | undefined;
  readonly nas: NasKeys | undefined;
  /** PEM text. */
  readonly nasCa: string | undefined;
}

interface Secret extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** Opens the world of a command. Throws CONFIG_MISSING or CONFIG_INVALID; everything else comes when it is asked for. */
export const openWorld = async (context: Context, flags: WorldFlags): Promise<World> => {
  const loaded = await loadConfig(context, flags.config);
  return new RealWorld(context, loaded, flags);
};

class RealWorld implements World {
  readonly context: Context;
  readonly loaded: LoadedConfig;
  readonly #flags: WorldFlags;
  readonly #kubernetes = new OpenedOnce(() => this.#connect());
  readonly #bucket = new OpenedOnce(() => this.#openBucket());
  readonly #fencedBucket = new OpenedOnce(() => this.#fenceBucket());
  readonly #nas = new OpenedOnce(async () => openNas(this.context, await this.#nasAccess()));
  readonly #remover = new OpenedOnce(async () => openNasRemover(this.context, await this.#nasAccess()));

  constructor(context: Context, loaded: LoadedConfig, flags: WorldFlags) {
    this.context = context;
    this.loaded = loaded;
    this.#flags = flags;
  }

  kubernetes(): Promise<Kubernetes> {
    return this.#kubernetes.get();
  }

  bucket(): Promise<Bucket> {
    return this.#fencedBucket.get();
  }

  bucketWithoutFence(): Promise<Bucket> {
    return this.#bucket.get();
  }

  async self(): Promise<Self> {
    const { cluster: name } = this.loaded.config.holdfast;
    return { uid: await clusterUid(await this.kubernetes()), name, holdfast: manifest.version };
  }

  nas(): Promise<Nas> {
    return this.#nas.get();
  }

  nasRemover(): Promise<NasRemover> {
    return this.#remover.get();
  }

  async close(): Promise<void> {
    const opened = await Promise.all([this.#nas.ifOpened(), this.#remover.ifOpened()]);
    await Promise.all(opened.map(async (one) => one?.close()));
  }

  async #nasAccess(): Promise<NasAccess> {
    const { kind, url, user, remover, caFile, hostKey, parents } = configuredNas(this);
    const [keys, ca] = await Promise.all([nasKeys(this.#secretSources()), this.#pem("nas.caFile", caFile)]);
    if (keys === undefined) throw new Error("a NAS that is configured has a key");
    const removing =
      remover === undefined || keys.remover === undefined ? undefined : { user: remover.user, key: keys.remover };
    return { kind, url, user, key: keys.key, remover: removing, ca, hostKey, parents };
  }

  async points(): Promise<PointsSource> {
    const { bucket, holdfast } = this.loaded.config;
    return { bucket: await this.bucket(), prefix: normalPrefix(bucket.prefix), cluster: holdfast.cluster };
  }

  store(): StoreReference {
    const { endpoint, name, region, prefix, caFile } = this.loaded.config.bucket;
    return { endpoint, bucket: name, region, prefix: normalPrefix(prefix), privateCa: caFile !== undefined };
  }

  password(): Promise<string> {
    return repositoryPassword(this.#secretSources());
  }

  async secrets(): Promise<Secrets> {
    const [s3, password, bucketCa, nas, nasCa] = await Promise.all([
      this.#keys(),
      this.password(),
      this.#ca(),
      nasKeys(this.#secretSources()),
      this.#pem("nas.caFile", this.loaded.config.nas?.caFile),
    ]);
    return { s3, password, bucketCa, nas, nasCa };
  }

  async agents(through?: Kubernetes): Promise<Agents> {
    const [{ PodAgents }, { agentFiles }] = await Promise.all([
      import("../systems/agent/pod.ts"),
      import("../systems/agent/files.ts"),
    ]);
    const { holdfast } = this.loaded.config;
    const [kubernetes, keys, password, ca] = await Promise.all([
      through ?? this.kubernetes(),
      this.#keys(),
      this.password(),
      this.#ca(),
    ]);
    return new PodAgents({
      kubernetes,
      context: this.context,
      namespace: holdfast.namespace,
      image: holdfast.image,
      kubeletDir: holdfast.kubeletDir,
      timeout: 120_000,
      secretFiles: agentFiles({ ...keys, password, ca }),
    });
  }

  async #connect(): Promise<Kubernetes> {
    const { connect } = await import("../systems/kubernetes/connect.ts");
    const { cluster } = this.loaded.config;
    const named =
      this.#flags.kubeconfig ?? (this.context.env.KUBECONFIG === undefined ? cluster.kubeconfig : undefined);
    const kubeconfig = this.#flags.kubeconfig === undefined && named !== undefined ? this.loaded.path(named) : named;
    const contextName = this.#flags.context ?? cluster.context;
    return connect(
      { ...(kubeconfig === undefined ? {} : { kubeconfig }), ...(contextName === undefined ? {} : { contextName }) },
      this.context,
    );
  }

  async #fenceBucket(): Promise<Bucket> {
    const { cluster } = this.loaded.config.holdfast;
    const fence = { cluster, self: () => this.self(), clock: this.context.clock };
    return new FencedBucket(await this.bucketWithoutFence(), fence);
  }

  async #openBucket(): Promise<Bucket> {
    const { AwsBucket } = await import("../systems/s3/aws.ts");
    const { endpoint, name, region } = this.loaded.config.bucket;
    const [keys, ca] = await Promise.all([this.#keys(), this.#ca()]);
    return new AwsBucket({ endpoint, bucket: name, region, ...keys, ...(ca === undefined ? {} : { ca }) });
  }

  #keys(): Promise<S3Keys> {
    return s3Keys(this.#secretSources());
  }

  /** PEM text of the bucket's CA. */
  #ca(): Promise<string | undefined> {
    return this.#pem("bucket.caFile", this.loaded.config.bucket.caFile);
  }

  async #pem(setting: string, name: string | undefined): Promise<string | undefined> {
    if (name === undefined) return undefined;
    const file = this.loaded.path(name);
    try {
      return await readFile(file, "utf8");
    } catch (error) {
      throw new Failure("SECRET_UNREADABLE", {
        what: `The file under ${setting} cannot be read.`,
        why: `${file}: ${(error as NodeJS.ErrnoException).code ?? ""}`,
        cause: error,
      });
    }
  }

  #secretSources(): Parameters<typeof s3Keys>[0] {
    const readSecret: ReadSecret = async ({ namespace, name, key }) => {
      const secret = await (await this.kubernetes()).get<Secret>(resources.secrets, { namespace, name });
      const value = secret?.data?.[key];
      return value === undefined ? undefined : Buffer.from(value, "base64").toString("utf8");
    };
    return { context: this.context, loaded: this.loaded, readSecret };
  }
}
