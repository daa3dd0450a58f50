/** Puts a kit together from holdfast.yaml and the secrets that it refers to. */
import { stringify } from "yaml";
import type { Config } from "../config/schema.ts";
import type { Kit, KitNas } from "./kit.ts";
import { runbook, variables } from "./runbook.ts";

/** Secrets and certificates of a kit, read from where holdfast.yaml says. */
export interface KitSecrets {
  readonly s3: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly password: string;
  /** PEM text. */
  readonly bucketCa: string | undefined;
  readonly nas: { readonly key: string; readonly remover: string | undefined } | undefined;
  /** PEM text. */
  readonly nasCa: string | undefined;
}

export interface KitFacts {
  /** ms since 1970. */
  readonly now: number;
  /** UID of kube-system, when the cluster answers. */
  readonly uid: string | undefined;
  readonly versions: Kit["versions"];
}

/** Pure. */
export const makeKit = (config: Config, secrets: KitSecrets, facts: KitFacts): Kit => {
  const { endpoint, name, region, prefix } = config.bucket;
  const nas = nasOf(config, secrets);
  const kit: Omit<Kit, "runbook"> = {
    kind: "holdfast-kit",
    version: 1,
    made: new Date(facts.now).toISOString(),
    cluster: { name: config.holdfast.cluster, ...(facts.uid === undefined ? {} : { uid: facts.uid }) },
    versions: facts.versions,
    bucket: {
      endpoint,
      name,
      region,
      prefix,
      ...(secrets.bucketCa === undefined ? {} : { ca: secrets.bucketCa }),
      ...secrets.s3,
    },
    repository: { password: secrets.password },
    ...(nas === undefined ? {} : { nas }),
    holdfastYaml: portableConfig(config),
  };
  return { ...kit, runbook: runbook(kit) };
};

const nasOf = ({ nas }: Config, secrets: KitSecrets): KitNas | undefined => {
  if (nas === undefined || secrets.nas === undefined) return undefined;
  const { kind, url, user, hostKey, parents, remover } = nas;
  return {
    kind,
    url,
    user,
    key: secrets.nas.key,
    ...(remover === undefined || secrets.nas.remover === undefined
      ? {}
      : { remover: { user: remover.user, key: secrets.nas.remover } }),
    ...(secrets.nasCa === undefined ? {} : { ca: secrets.nasCa }),
    ...(hostKey === undefined ? {} : { hostKey }),
    parents,
  };
};

/** holdfast.yaml as it works on any machine with the kit: secrets from the environment, certificates beside it. */
const portableConfig = (config: Config): string => {
  const { cluster: _, nas, bucket, ...rest } = config;
  const { caFile: bucketCa, ...ownBucket } = bucket;
  const portable = {
    ...rest,
    bucket: {
      ...ownBucket,
      ...(bucketCa === undefined ? {} : { caFile: variables.bucketCaFile }),
      credentials: { env: { accessKeyId: variables.accessKeyId, secretAccessKey: variables.secretAccessKey } },
    },
    repository: { password: { env: variables.password } },
    ...(nas === undefined ? {} : { nas: portableNas(nas) }),
  };
  return stringify(portable);
};

const portableNas = ({ remover, caFile, ...nas }: NonNullable<Config["nas"]>): object => ({
  ...nas,
  key: { env: variables.nasKey },
  ...(remover === undefined ? {} : { remover: { user: remover.user, key: { env: variables.nasRemoverKey } } }),
  ...(caFile === undefined ? {} : { caFile: variables.nasCaFile }),
});
