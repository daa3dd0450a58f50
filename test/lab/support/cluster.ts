/** What the tests see of the cluster from outside of Holdfast: replicas, what is left behind, and files. */
import { randomBytes } from "node:crypto";
import type { Deployment, StatefulSet } from "kubernetes-types/apps/v1.d.ts";
import type { Container, PersistentVolumeClaim, Pod, PodList, VolumeMount } from "kubernetes-types/core/v1.d.ts";
import { claimSpec } from "../../../lab/apps/claims.ts";
import { checkClaim, type CheckedVolume, type ClaimToCheck } from "../../../lab/checking.ts";
import { imageReferences } from "../../../lab/components/images.ts";
import { holdingPod, readDirectories } from "../../../lab/claim-directory.ts";
import { applyObjects } from "../../../lab/site/kubectl.ts";
import { runInside } from "../../../lab/site/daemon.ts";
import type { RunningLab } from "../running-lab.ts";
import { holdsSecret } from "./cli.ts";

interface List<T> {
  readonly items: readonly T[];
}

interface Left {
  readonly kind: string;
  readonly metadata: { readonly namespace?: string; readonly name: string };
}

const ours = ["holdfast.dev/operation!=namespace,holdfast.dev/operation", "holdfast.dev/staging"];
const kinds = "pods,secrets,configmaps,podvolumerestores.velero.io";

/** Everything temporary of Holdfast that the cluster still holds: objects by label, and records on workloads. */
export const leftovers = async ({ get }: RunningLab): Promise<readonly string[]> => {
  const labelled = await Promise.all(ours.map((selector) => get<List<Left>>(kinds, "-A", "-l", selector)));
  const workloads = await get<List<Left>>("deployments,statefulsets", "-A");
  const marked = workloads.items.filter((item) => JSON.stringify(item.metadata).includes("holdfast.dev/"));
  return [...labelled.flatMap(({ items }) => items), ...marked].map(
    ({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`,
  );
};

/** Replicas wanted and Ready of every workload, by "Deployment media/sonarr". */
export const replicas = async ({ get }: RunningLab): Promise<Readonly<Record<string, string>>> => {
  const { items } = await get<List<Deployment | StatefulSet>>("deployments,statefulsets", "-A");
  return Object.fromEntries(
    items.map(({ kind, metadata, spec, status }) => [
      `${kind} ${metadata?.namespace}/${metadata?.name}`,
      `${status?.readyReplicas ?? 0} of ${spec?.replicas}`,
    ]),
  );
};

export const pods = async ({ get }: RunningLab, ...words: readonly string[]): Promise<readonly Pod[]> =>
  (await get<PodList>("pods", ...words)).items;

/** Objects in which a secret stands that is not theirs to hold. Velero's own Secrets are not looked at. */
export const objectsWithSecrets = async ({ get }: RunningLab): Promise<readonly string[]> => {
  const seen = await Promise.all([
    get<List<Left>>("pods,events,configmaps,deployments,backups.velero.io,podvolumebackups.velero.io", "-A"),
    get<List<Left>>("secrets", "-n", "holdfast"),
  ]);
  return seen
    .flatMap(({ items }) => items)
    .filter((item) => holdsSecret(JSON.stringify(item)))
    .map(({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`);
};

/** In the first pod of an app, as its user. */
export const inApp = async (
  { kubectl }: RunningLab,
  [namespace, app]: readonly [string, string],
  script: string,
): Promise<string> => (await kubectl(["-n", namespace, "exec", `deployment/${app}`, "--", "sh", "-c", script])).trim();

export type ClaimPath = readonly [namespace: string, claim: string];

const running = (pod: Pod): boolean => pod.status?.phase === "Running" && pod.metadata?.deletionTimestamp === undefined;

/** Runs a shell script as root on the node, in the directory of a claim. Mounts the claim when nothing else does. */
export const inClaim = async (lab: RunningLab, [namespace, claim]: ClaimPath, script: string): Promise<string> => {
  const present = (await pods(lab, "-n", namespace)).find(
    (pod) =>
      running(pod) &&
      pod.spec?.volumes?.some(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName === claim),
  );
  const temporary = { namespace, name: `lab-looking-${randomBytes(4).toString("hex")}` };
  const name = present?.metadata?.name ?? temporary.name;
  if (present === undefined) {
    await applyObjects(lab.kubectl, [holdingPod(temporary, [claim])]);
    await lab.kubectl(["-n", namespace, "wait", "--for=condition=Ready", `pod/${name}`, "--timeout=90s"]);
  }
  try {
    const directory = (await readDirectories(lab.kubectl))({ namespace, name }, claim);
    return (await runInside(lab.lab, "node", ["sh", "-ec", `cd "$1"; ${script}`, "sh", directory])).stdout;
  } finally {
    if (present === undefined) await lab.kubectl(["-n", namespace, "delete", "pod", name, "--grace-period=0"]);
  }
};

const treeScript = [
  String.raw`find . -mindepth 1 \( -name lost+found -o -path './.holdfast-kept-*' \) -prune -o -printf '%P\t%y\t%m\t%U:%G\t%s\t%T@\t%l\n' | LC_ALL=C sort`,
  "find . -path './.holdfast-kept-*' -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum",
].join("; ");

/** Every entry of a claim with its attributes, and the checksum of every file. Folders' sizes are the file system's own. */
export const treeOf = async (lab: RunningLab, claim: ClaimPath): Promise<string> =>
  (await inClaim(lab, claim, treeScript)).replaceAll(/^([^\t\n]*\td\t[^\t]*\t[^\t]*\t)\d+/gm, "$1-");

/** What a restore may have left in a claim by mistake: what it keeps for its undo is none of it. */
export const ownEntries = async (lab: RunningLab, claim: ClaimPath): Promise<readonly string[]> =>
  (await inClaim(lab, claim, "ls -A"))
    .split("\n")
    .filter((name) => /^\.(?:holdfast|velero)/.test(name) && !name.startsWith(".holdfast-kept-"));

/** Does a claim hold what its seed says, as far as a kopia copy can? */
export const checkRestored = (lab: RunningLab, claim: ClaimToCheck): Promise<CheckedVolume> =>
  checkClaim(lab.lab, lab.kubectl, { restored: true, ...claim });

/** A new, empty claim that no workload mounts. */
export const makeClaim = async (
  { kubectl }: RunningLab,
  [namespace, name]: ClaimPath,
  { storageClass, size }: { readonly storageClass: string; readonly size: string },
): Promise<void> => {
  const spec = claimSpec({ name, storageClass, size, provision: "dynamic", seed: "", mountPath: "", dynamicPaths: [] });
  const claim: PersistentVolumeClaim = {
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: { name, namespace },
    spec,
  };
  await applyObjects(kubectl, [claim]);
  await kubectl([
    "-n",
    namespace,
    "wait",
    "--for=jsonpath={.status.phase}=Bound",
    `persistentvolumeclaim/${name}`,
    "--timeout=60s",
  ]);
};

/** The name of the PersistentVolume that a claim has. */
export const pvOf = async ({ kubectl }: RunningLab, [namespace, claim]: ClaimPath): Promise<string> =>
  (await kubectl(["-n", namespace, "get", "pvc", claim, "-o", "jsonpath={.spec.volumeName}"])).trim();

/** Sets what becomes of a volume's bytes when its claim goes. */
export const setReclaimPolicy = ({ kubectl }: RunningLab, pv: string, policy: string): Promise<string> =>
  kubectl(["patch", "pv", pv, "-p", JSON.stringify({ spec: { persistentVolumeReclaimPolicy: policy } })]);

/** A container that does nothing, with one volume. */
export const sleeper = (mount: VolumeMount): Container => ({
  name: "main",
  image: imageReferences.app,
  imagePullPolicy: "IfNotPresent",
  command: ["sleep", "3600"],
  volumeMounts: [mount],
});

export const removeClaim = async ({ kubectl }: RunningLab, [namespace, name]: ClaimPath): Promise<void> => {
  await kubectl(["-n", namespace, "delete", "persistentvolumeclaim", name, "--ignore-not-found", "--wait=false"]);
};
