/** Variants of the lab's holdfast.yaml and kubeconfig, in a folder that goes with the test file. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { parse, stringify } from "yaml";

/** holdfast.yaml as the lab writes it. */
export interface LabConfig {
  version: number;
  cluster: { kubeconfig?: string };
  bucket: {
    endpoint: string;
    name: string;
    prefix: string;
    region: string;
    caFile?: string;
    credentials: { file: string };
  };
  repository: { password: { file: string } };
  velero: { namespace: string; policyConfigMap: string };
  holdfast: { cluster: string; image: string; namespace?: string };
  policy: { rpo: string };
  volumes: { exclude: { volume: string; reason: string }[]; expectEmpty: string[] };
}

export const environment = (name: string): string => {
  const value = process.env[name];
  if (value === undefined || value === "") throw new Error(`${name} is not set: run this through the lab`);
  return value;
};

export interface Folder {
  readonly path: string;
  /** Writes a file and gives its path. */
  write(name: string, text: string): string;
  /** A holdfast.yaml that differs from the lab's in what `change` does to it. */
  config(name: string, change: (config: LabConfig) => void): string;
}

/** Call it at the top of a test file. */
export const openFolder = (): Folder => {
  const path = mkdtempSync(join(tmpdir(), "holdfast-lab-test-"));
  afterAll(() => rmSync(path, { recursive: true }));
  const write = (name: string, text: string): string => {
    const file = join(path, name);
    writeFileSync(file, text, { mode: 0o600 });
    return file;
  };
  return {
    path,
    write,
    config: (name, change) => {
      const config = parse(readFileSync(environment("HOLDFAST_CONFIG"), "utf8")) as LabConfig;
      change(config);
      return write(`${name}.yaml`, stringify(config));
    },
  };
};

interface KubeconfigFile {
  clusters: { cluster: { server: string; "certificate-authority-data"?: string } }[];
  users: { user: object }[];
}

/** The lab's kubeconfig, changed. */
export const kubeconfigWith = (folder: Folder, name: string, change: (config: KubeconfigFile) => void): string => {
  const config = parse(readFileSync(environment("KUBECONFIG"), "utf8")) as KubeconfigFile;
  change(config);
  return folder.write(name, stringify(config));
};
