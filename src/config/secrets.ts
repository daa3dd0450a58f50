/** Reads the secrets that holdfast.yaml refers to. No text here ever contains one. */
import { readFile } from "node:fs/promises";
import type { Context } from "../context.ts";
import { Failure } from "../model/failure.ts";
import type { LoadedConfig } from "./load.ts";
import type { CredentialsReference, SecretReference } from "./schema.ts";

/** Reads one key of a Secret of the cluster; undefined when it is not there. */
export type ReadSecret = (reference: {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
}) => Promise<string | undefined>;

export interface SecretSources {
  readonly context: Context;
  readonly loaded: LoadedConfig;
  readonly readSecret: ReadSecret;
}

export interface S3Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const unreadable = (setting: string, why: string, cause?: unknown): Failure =>
  new Failure("SECRET_UNREADABLE", {
    what: `What ${setting} refers to cannot be read.`,
    why,
    todo: `Correct ${setting} in holdfast.yaml, or put the secret where it points.`,
    cause,
  });

/** Text of a file, an environment variable or a Secret, without the newline that editors add. */
const textOf = async (sources: SecretSources, setting: string, reference: SecretReference): Promise<string> => {
  const text = await rawText(sources, setting, reference);
  const trimmed = text.replace(/\r?\n$/, "");
  if (trimmed === "") throw unreadable(setting, "it is empty");
  return trimmed;
};

const rawText = async (sources: SecretSources, setting: string, reference: SecretReference): Promise<string> => {
  if (reference.env !== undefined) return environment(sources, setting, reference.env);
  if (reference.file !== undefined) return fileText(sources, setting, reference.file);
  if (reference.secret === undefined) throw unreadable(setting, "it names no source");
  const { namespace, name, key } = reference.secret;
  const found = await sources.readSecret({ namespace, name, key });
  if (found === undefined) throw unreadable(setting, `there is no Secret ${namespace}/${name} with the key "${key}"`);
  return found;
};

const environment = (sources: SecretSources, setting: string, name: string): string => {
  const value = sources.context.env[name];
  if (value === undefined || value === "") throw unreadable(setting, `the environment variable ${name} is not set`);
  return value;
};

const fileText = async (sources: SecretSources, setting: string, name: string): Promise<string> => {
  const file = sources.loaded.path(name);
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw unreadable(setting, `${file}: ${(error as NodeJS.ErrnoException).code ?? "cannot be read"}`, error);
  }
};

/** Password of Velero's kopia repositories. */
export const repositoryPassword = (sources: SecretSources): Promise<string> =>
  textOf(sources, "repository.password", sources.loaded.config.repository.password);

export interface NasKeys {
  readonly key: string;
  /** Of the user who removes, when one is configured. */
  readonly remover: string | undefined;
}

/** Keys of the NAS' users; undefined when no NAS is configured. */
export const nasKeys = async (sources: SecretSources): Promise<NasKeys | undefined> => {
  const { nas } = sources.loaded.config;
  if (nas === undefined) return undefined;
  const [key, remover] = await Promise.all([
    textOf(sources, "nas.key", nas.key),
    nas.remover === undefined ? undefined : textOf(sources, "nas.remover.key", nas.remover.key),
  ]);
  return { key, remover };
};

/** Keys of the S3 store. */
export const s3Keys = async (sources: SecretSources): Promise<S3Keys> => {
  const reference = sources.loaded.config.bucket.credentials;
  const setting = "bucket.credentials";
  if (reference.env !== undefined) {
    return {
      accessKeyId: environment(sources, setting, reference.env.accessKeyId),
      secretAccessKey: environment(sources, setting, reference.env.secretAccessKey),
    };
  }
  return keysInIni(await textOf(sources, setting, iniReference(reference)), reference.profile, setting);
};

const iniReference = (reference: CredentialsReference): SecretReference => ({
  ...(reference.file === undefined ? {} : { file: reference.file }),
  ...(reference.secret === undefined ? {} : { secret: reference.secret }),
});

/** An AWS credentials file: sections in brackets, KEY = VALUE below them. */
const keysInIni = (text: string, profile: string, setting: string): S3Keys => {
  const values = new Map<string, string>();
  let section: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    section = /^\s*\[\s*(?:profile\s+)?([^\]]+?)\s*\]\s*$/.exec(line)?.[1] ?? section;
    const pair = /^\s*([\w]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (section === profile && pair?.[1] !== undefined) values.set(pair[1], pair[2] ?? "");
  }
  const accessKeyId = values.get("aws_access_key_id");
  const secretAccessKey = values.get("aws_secret_access_key");
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw unreadable(setting, `the section [${profile}] lacks aws_access_key_id or aws_secret_access_key`);
  }
  return { accessKeyId, secretAccessKey };
};
