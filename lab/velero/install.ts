/** Installs Velero as its users do (the manifests of `velero install`), with the lab's settings. */
import { parseAllDocuments } from "yaml";
import { type Lab, paths } from "../lab.ts";
import { bucketName, s3Endpoint, veleroPrefix } from "../nas/nas.ts";
import type { Binaries } from "../node/control-plane.ts";
import { output } from "../site/daemon.ts";
import { applyObjects, type Kubectl } from "../site/kubectl.ts";
import { waitFor } from "../wait-for.ts";
import { beforeVelero, nodeAgentConfigName, serverArguments, veleroNamespace } from "./settings.ts";

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec?: {
    readonly template?: { readonly spec: { readonly containers: readonly { readonly args?: string[] }[] } };
  };
}

const location = `region=home,s3ForcePathStyle=true,s3Url=${s3Endpoint},checksumAlgorithm=`;

/** What `velero install` would create, as objects. */
const manifests = async (lab: Lab, binary: Binaries): Promise<readonly Manifest[]> => {
  const text = await output(lab, "site", [
    "env",
    `KUBECONFIG=${paths(lab).kubeconfig}`,
    binary("velero"),
    "install",
    "--dry-run",
    "-o",
    "json",
    "--provider=aws",
    "--image=docker.io/velero/velero:v1.18.3",
    "--plugins=docker.io/velero/velero-plugin-for-aws:v1.14.3",
    `--bucket=${bucketName}`,
    `--prefix=${veleroPrefix}`,
    `--secret-file=${paths(lab).s3Credentials}`,
    `--cacert=${paths(lab).caFile}`,
    `--backup-location-config=${location}`,
    "--use-volume-snapshots=false",
    "--use-node-agent",
    "--default-volumes-to-fs-backup",
    `--node-agent-configmap=${nodeAgentConfigName}`,
    // Requests of a whole core each would not leave room for the apps on a small machine.
    "--velero-pod-cpu-request=50m",
    "--node-agent-pod-cpu-request=10m",
  ]);
  return parseAllDocuments(text).flatMap((document) => {
    const value = document.toJS() as Manifest | { readonly items: readonly Manifest[] };
    return "items" in value ? value.items : [value];
  });
};

const addServerArguments = (manifest: Manifest): Manifest => {
  if (manifest.kind === "Deployment" && manifest.metadata.name === "velero") {
    manifest.spec?.template?.spec.containers[0]?.args?.push(...serverArguments);
  }
  return manifest;
};

const isDefinition = (manifest: Manifest): boolean => manifest.kind === "CustomResourceDefinition";

/** Creates everything; does not wait until Velero runs. The password comes first: Velero makes up one that it cannot find. */
export const installVelero = async (lab: Lab, binary: Binaries, kubectl: Kubectl): Promise<void> => {
  await applyObjects(kubectl, [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: veleroNamespace } },
    ...beforeVelero,
  ]);
  const all = (await manifests(lab, binary)).map(addServerArguments);
  await applyObjects(kubectl, all.filter(isDefinition));
  await kubectl(["wait", "--for=condition=Established", "crd", "--selector=component=velero", "--timeout=30s"]);
  await applyObjects(
    kubectl,
    all.filter((manifest) => !isDefinition(manifest)),
  );
};

/** The status of a Deployment may still be that of a cluster before its reset; the pods themselves cannot. */
const waitForPods = (kubectl: Kubectl): Promise<void> =>
  waitFor("Velero", 120, async () => {
    const path = 'jsonpath={range .items[*]}{.status.conditions[?(@.type=="Ready")].status} {end}';
    const named = (name: string): Promise<string> =>
      kubectl(["-n", veleroNamespace, "get", "pods", "--selector", name, "-o", path]);
    const states = await Promise.all([named("deploy=velero"), named("name=node-agent")]);
    return states.every((state) => state.trim() === "True");
  });

/** Waits until Velero's server and node-agent run and the bucket is found Available. */
export const waitForVelero = async (kubectl: Kubectl): Promise<void> => {
  await waitForPods(kubectl);
  await kubectl([
    "-n",
    veleroNamespace,
    "wait",
    "--for=jsonpath={.status.phase}=Available",
    "backupstoragelocation/default",
    "--timeout=60s",
  ]);
};
