import { parseDocument } from "yaml";
import { dirname, isAbsolute, join } from "node:path";
import { Failure } from "../../model/failure.ts";

/** Fields of a cluster, user or context as they stand in a kubeconfig. */
export type Fields = Readonly<Record<string, unknown>>;

/** Several kubeconfig files as one, merged as kubectl merges them. */
export interface Kubeconfig {
  readonly clusters: ReadonlyMap<string, Fields>;
  readonly users: ReadonlyMap<string, Fields>;
  readonly contexts: ReadonlyMap<string, Fields>;
  readonly currentContext: string | undefined;
}

/** KUBECONFIG_INVALID with a reason. */
export const invalidKubeconfig = (what: string, why?: string, todo?: string): Failure =>
  new Failure("KUBECONFIG_INVALID", {
    what,
    ...(why === undefined ? {} : { why }),
    ...(todo === undefined ? {} : { todo }),
  });

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** A field's text; numbers and booleans as they would stand in YAML. Undefined when absent or empty. */
export const textField = (fields: Fields, name: string): string | undefined => {
  const value = fields[name];
  if (typeof value === "string") return value === "" ? undefined : value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
};

const pathFields: Readonly<Record<"cluster" | "user" | "context", readonly string[]>> = {
  cluster: ["certificate-authority"],
  user: ["client-certificate", "client-key", "tokenFile"],
  context: [],
};

/** Relative paths in a kubeconfig are relative to the file that holds them. */
const withAbsolutePaths = (fields: Fields, names: readonly string[], directory: string): Fields => {
  const absolute: Record<string, unknown> = { ...fields };
  for (const name of names) {
    const path = textField(fields, name);
    if (path !== undefined && !isAbsolute(path)) absolute[name] = join(directory, path);
  }
  const exec = fields["exec"];
  if (isFields(exec)) {
    const command = textField(exec, "command");
    // As for a shell: a bare name is looked up in PATH, anything with a slash is a path.
    if (command !== undefined && command.includes("/") && !isAbsolute(command)) {
      absolute["exec"] = { ...exec, command: join(directory, command) };
    }
  }
  return absolute;
};

type Key = "cluster" | "user" | "context";

const entryOf = (item: unknown, key: Key, where: string): readonly [string, Fields] => {
  const name = isFields(item) ? textField(item, "name") : undefined;
  if (!isFields(item) || name === undefined) throw invalidKubeconfig(`${where} has no name.`);
  const fields = item[key] ?? {};
  if (!isFields(fields)) throw invalidKubeconfig(`${where} ("${name}"): "${key}" is not a map.`);
  return [name, fields];
};

const entriesOf = (document: Fields, file: string, key: Key): Map<string, Fields> => {
  const list = document[`${key}s`] ?? [];
  if (!Array.isArray(list)) throw invalidKubeconfig(`${file}: "${key}s" is not a list.`);
  const entries = new Map<string, Fields>();
  for (const [index, item] of (list as unknown[]).entries()) {
    const [name, fields] = entryOf(item, key, `${file}: ${key}s[${index}]`);
    if (!entries.has(name)) entries.set(name, withAbsolutePaths(fields, pathFields[key], dirname(file)));
  }
  return entries;
};

const contentOf = (document: ReturnType<typeof parseDocument>, file: string): unknown => {
  try {
    return document.toJS() ?? {};
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    throw invalidKubeconfig(`${file} is not valid YAML.`, "It refers to an anchor that is not there, or too often.");
  }
};

/** Reads one kubeconfig file's text. KUBECONFIG_INVALID names the file and the line, never the line's content. */
export const parseKubeconfig = (text: string, file: string): Kubeconfig => {
  // yaml's pretty errors quote the line, which may well be the one with the token.
  const document = parseDocument(text, { prettyErrors: false });
  const [error] = document.errors;
  if (error !== undefined) {
    const line = text.slice(0, error.pos[0]).split("\n").length;
    throw invalidKubeconfig(`${file} is not valid YAML.`, `Line ${line}: ${error.code}.`);
  }
  const content = contentOf(document, file);
  if (!isFields(content)) throw invalidKubeconfig(`${file} is not a kubeconfig.`, "It does not hold a map.");
  return {
    clusters: entriesOf(content, file, "cluster"),
    users: entriesOf(content, file, "user"),
    contexts: entriesOf(content, file, "context"),
    currentContext: textField(content, "current-context"),
  };
};

const firstWins = (maps: readonly ReadonlyMap<string, Fields>[]): Map<string, Fields> => {
  const merged = new Map<string, Fields>();
  for (const [name, fields] of maps.flatMap((map) => Array.from(map))) {
    if (!merged.has(name)) merged.set(name, fields);
  }
  return merged;
};

/** As kubectl: the first file that names a cluster, user, context or the current context wins. */
export const mergeKubeconfigs = (parts: readonly Kubeconfig[]): Kubeconfig => ({
  clusters: firstWins(parts.map((part) => part.clusters)),
  users: firstWins(parts.map((part) => part.users)),
  contexts: firstWins(parts.map((part) => part.contexts)),
  currentContext: parts.find((part) => part.currentContext !== undefined)?.currentContext,
});

/** What one context of a kubeconfig stands for. */
export interface Choice {
  readonly contextName: string;
  readonly clusterName: string;
  readonly userName: string | undefined;
  readonly namespace: string | undefined;
  readonly cluster: Fields;
  readonly user: Fields;
}

const nameList = (names: Iterable<string>): string => [...names].map((name) => `"${name}"`).join(", ") || "none";

const contextOf = (config: Kubeconfig, wanted: string | undefined): [string, Fields] => {
  const existing = `Contexts in it: ${nameList(config.contexts.keys())}.`;
  const name = wanted ?? config.currentContext;
  if (name === undefined) {
    throw invalidKubeconfig("The kubeconfig has no current context.", existing, "Choose one with --context NAME.");
  }
  const fields = config.contexts.get(name);
  if (fields === undefined) {
    throw invalidKubeconfig(`The kubeconfig has no context "${name}".`, existing, "Choose one with --context NAME.");
  }
  return [name, fields];
};

/** The cluster and user of a context. KUBECONFIG_INVALID names what is missing and what there is. */
export const chooseContext = (config: Kubeconfig, wanted: string | undefined): Choice => {
  const [contextName, context] = contextOf(config, wanted);
  const clusterName = textField(context, "cluster");
  if (clusterName === undefined) throw invalidKubeconfig(`Context "${contextName}" names no cluster.`);
  const cluster = config.clusters.get(clusterName);
  if (cluster === undefined) {
    throw invalidKubeconfig(
      `Context "${contextName}" names cluster "${clusterName}", which the kubeconfig does not have.`,
      `Clusters in it: ${nameList(config.clusters.keys())}.`,
    );
  }
  const userName = textField(context, "user");
  const user = userName === undefined ? {} : config.users.get(userName);
  if (user === undefined) {
    throw invalidKubeconfig(
      `Context "${contextName}" names user "${userName}", which the kubeconfig does not have.`,
      `Users in it: ${nameList(config.users.keys())}.`,
    );
  }
  return { contextName, clusterName, userName, namespace: textField(context, "namespace"), cluster, user };
};
