import { readFile } from "node:fs/promises";
import { messageOf } from "../../model/failure.ts";
import { invalidKubeconfig, textField, type Choice, type Fields } from "./kubeconfig-document.ts";

/** How the connection proves itself, in both directions. PEM texts. */
export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** False only when the kubeconfig says insecure-skip-tls-verify. */
  readonly rejectUnauthorized: boolean;
  /** The name to expect in the server's certificate, when it is not the address. */
  readonly servername?: string;
}

/** What goes with each request to be accepted. Never printed. */
export interface Credentials {
  readonly tls: TlsOptions;
  /** Authorization and impersonation. */
  readonly headers: Readonly<Record<string, string | string[]>>;
}

const fileText = async (path: string, what: string): Promise<string> => {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    throw invalidKubeconfig(`The ${what} that the kubeconfig names cannot be read.`, messageOf(error));
  }
};

/** As client-go: what stands in the kubeconfig wins over the file it also names. */
const pem = async (fields: Fields, name: string): Promise<string | undefined> => {
  const data = textField(fields, `${name}-data`);
  if (data !== undefined) return Buffer.from(data, "base64").toString("utf8");
  const path = textField(fields, name);
  return path === undefined ? undefined : await fileText(path, name);
};

const optional = <K extends string, V>(key: K, value: V | undefined): { [P in K]?: V } =>
  value === undefined ? {} : ({ [key]: value } as { [P in K]: V });

const tlsOptions = async (cluster: Fields, user: Fields): Promise<TlsOptions> => ({
  ...optional("ca", await pem(cluster, "certificate-authority")),
  ...optional("cert", await pem(user, "client-certificate")),
  ...optional("key", await pem(user, "client-key")),
  ...optional("servername", textField(cluster, "tls-server-name")),
  rejectUnauthorized: cluster["insecure-skip-tls-verify"] !== true,
});

/** As client-go: a token's file wins over the token, because the file is renewed. */
const authorization = async (user: Fields): Promise<string | undefined> => {
  const tokenFile = textField(user, "tokenFile");
  const token = tokenFile === undefined ? textField(user, "token") : (await fileText(tokenFile, "tokenFile")).trim();
  if (token !== undefined) return `Bearer ${token}`;
  const username = textField(user, "username");
  if (username === undefined) return undefined;
  return `Basic ${Buffer.from(`${username}:${textField(user, "password") ?? ""}`).toString("base64")}`;
};

const impersonation = (user: Fields): Record<string, string | string[]> => {
  const groups = user["as-groups"];
  return {
    ...optional("Impersonate-User", textField(user, "as")),
    ...optional("Impersonate-Uid", textField(user, "as-uid")),
    ...(Array.isArray(groups) && groups.length > 0 ? { "Impersonate-Group": groups.map(String) } : {}),
  };
};

/** Credentials that stand in the kubeconfig or in files it names. */
export const staticCredentials = async (choice: Choice): Promise<Credentials> => ({
  tls: await tlsOptions(choice.cluster, choice.user),
  headers: {
    ...impersonation(choice.user),
    ...optional("Authorization", await authorization(choice.user)),
  },
});

/** Obtains what a plugin gives for this user. */
export type PluginCredentials = (choice: Choice) => Promise<{
  readonly cert?: string;
  readonly key?: string;
  readonly authorization?: string;
}>;

/** True for users whose credentials come from a program or an identity provider. */
export const needsPlugin = (user: Fields): boolean =>
  (user["exec"] ?? undefined) !== undefined || (user["auth-provider"] ?? undefined) !== undefined;

/** Credentials of any user; `plugin` is asked only where the kubeconfig wants one. */
export const credentialsOf = async (choice: Choice, plugin: PluginCredentials): Promise<Credentials> => {
  const fixed = await staticCredentials(choice);
  if (!needsPlugin(choice.user)) return fixed;
  const given = await plugin(choice);
  return {
    tls: { ...fixed.tls, ...optional("cert", given.cert), ...optional("key", given.key) },
    headers: { ...fixed.headers, ...optional("Authorization", given.authorization) },
  };
};

export const isSameTls = (a: TlsOptions, b: TlsOptions): boolean =>
  a.ca === b.ca &&
  a.cert === b.cert &&
  a.key === b.key &&
  a.servername === b.servername &&
  a.rejectUnauthorized === b.rejectUnauthorized;
