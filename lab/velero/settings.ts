/** How the lab's Velero is set up beyond what `velero install` writes. */
import { network } from "../lab.ts";

export const veleroNamespace = "velero";
export const policyName = "holdfast-volume-policy";
export const nodeAgentConfigName = "node-agent-config";

/** A password that is not Velero's public default. The lab's own; it protects nothing. */
export const repositoryPassword = "correct-horse-battery-staple-lab";

const namespace = veleroNamespace;

/** What is never copied: throw-away directories and the films on the NAS. */
const volumePolicy = `version: v1
volumePolicies:
- conditions:
    volumeTypes: [emptyDir]
  action:
    type: skip
- conditions:
    nfs:
      server: ${network.nas}
  action:
    type: skip
`;

/** node-agent's configuration: how many volumes it copies or restores at a time. Velero's default is 1. */
export const nodeAgentConfig = (concurrency: number): object => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: nodeAgentConfigName, namespace },
  data: { "node-agent.json": JSON.stringify({ loadConcurrency: { globalConfig: concurrency } }) },
});

export const defaultConcurrency = 4;

/** Objects that must exist before Velero starts for the first time. */
export const beforeVelero: readonly object[] = [
  {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "velero-repo-credentials", namespace },
    stringData: { "repository-password": repositoryPassword },
  },
  {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: policyName, namespace },
    data: { "policy.yaml": volumePolicy },
  },
  nodeAgentConfig(defaultConcurrency),
];

/**
 * Expiry must obey evidence, so nothing but Holdfast's retention may delete: Velero's garbage collector stays off.
 * Pods are backed up side by side: one at a time, as by default, node-agent's concurrency would have no effect.
 */
export const serverArguments = ["--disable-controllers=gc", `--item-block-worker-count=${defaultConcurrency}`];
