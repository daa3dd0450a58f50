/** Takes Argo CD away again. The apps stay as they are. */
import { rmSync } from "node:fs";
import { paths } from "../lab.ts";
import { veleroNamespace } from "../velero/settings.ts";
import type { Kubectl } from "../site/kubectl.ts";
import { waitFor } from "../wait-for.ts";
import { argoCdNamespace, handedOverNamespaces } from "./homelab.ts";
import type { RunningLab } from "./install.ts";
import { readApplications } from "./state.ts";

const definitions = ["applications", "applicationsets", "appprojects"].map((name) => `${name}.argoproj.io`);

/** Nobody is left who would carry a cascade out, or make an Application anew. */
export const stopControllers = async (kubectl: Kubectl): Promise<void> => {
  const own = ["-n", argoCdNamespace];
  await kubectl([...own, "scale", "--replicas=0", "--all", "deployments,statefulsets"]);
  await kubectl([...own, "wait", "--for=delete", "pods", "--all", "--timeout=60s"]);
};

/** Without the finalizer an Application goes alone. */
const forgetApplications = async (kubectl: Kubectl): Promise<void> => {
  const own = ["-n", argoCdNamespace];
  for (const { metadata } of await readApplications(kubectl)) {
    if (metadata.finalizers === undefined) continue;
    const patch = JSON.stringify({ metadata: { finalizers: null } });
    await kubectl([...own, "patch", "applications.argoproj.io", metadata.name, "--type=merge", "-p", patch]);
  }
  await kubectl([...own, "delete", definitions.join(","), "--all", "--timeout=60s"]);
};

const marks = ["argocd.argoproj.io/tracking-id", "kubectl.kubernetes.io/last-applied-configuration"];

/** What Argo CD wrote onto the apps' objects. */
const removeMarks = async (kubectl: Kubectl): Promise<void> => {
  const kinds = "deployments,configmaps,persistentvolumeclaims";
  for (const namespace of handedOverNamespaces) {
    await kubectl(["-n", namespace, "annotate", kinds, "--all", ...marks.map((mark) => `${mark}-`)]);
  }
};

const isThere = async (kubectl: Kubectl, kind: string, name: string): Promise<boolean> =>
  (await kubectl(["get", kind, name, "--ignore-not-found", "-o", "name"])).trim() !== "";

/**
 * Velero asks every five minutes which kinds there are; until then each that has gone is an error in its backups. The old
 * server has to be gone before the new one comes: of two, one begins a backup that the other takes for a broken one.
 */
const tellVelero = async (kubectl: Kubectl): Promise<void> => {
  const inVelero = (...words: readonly string[]): Promise<string> => kubectl(["-n", veleroNamespace, ...words]);
  await inVelero("scale", "deployment/velero", "--replicas=0");
  const pods = (): Promise<string> => inVelero("get", "pods", "--selector=deploy=velero", "-o", "name");
  await waitFor("the old Velero to end", 60, async () => (await pods()).trim() === "");
  await inVelero("scale", "deployment/velero", "--replicas=1");
  await inVelero("rollout", "status", "deployment/velero", "--timeout=90s");
};

/** Removes everything of Argo CD, and the repositories, but nothing that it had deployed. Does nothing where it is not. */
export const removeArgoCd = async ({ lab, kubectl }: Pick<RunningLab, "lab" | "kubectl">): Promise<void> => {
  if (await isThere(kubectl, "namespace", argoCdNamespace)) {
    await stopControllers(kubectl);
    if (await isThere(kubectl, "crd", "applications.argoproj.io")) await forgetApplications(kubectl);
    await removeMarks(kubectl);
    await kubectl(["delete", "namespace", argoCdNamespace, "--timeout=120s"]);
  }
  const selector = ["--selector", "app.kubernetes.io/part-of=argocd", "--ignore-not-found"];
  await kubectl(["delete", "clusterroles,clusterrolebindings", ...selector]);
  const hadKinds = (await kubectl(["get", "crd", ...definitions, "--ignore-not-found", "-o", "name"])).trim() !== "";
  await kubectl(["delete", "crd", ...definitions, "--ignore-not-found", "--timeout=60s"]);
  if (hadKinds) await tellVelero(kubectl);
  rmSync(paths(lab).gitops, { recursive: true, force: true });
};
