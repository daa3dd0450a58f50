/** Argo CD on a running lab, with the apps handed over to it. */
import { chmodSync, mkdirSync } from "node:fs";
import { waitForApps } from "../apps/readiness.ts";
import { type Lab, paths } from "../lab.ts";
import { importImage } from "../node/images.ts";
import type { Report } from "../shell/report.ts";
import { applyObjects, type Kubectl } from "../site/kubectl.ts";
import { waitFor } from "../wait-for.ts";
import { applicationNames, argoCdNamespace, firstObjects, homelabFiles, parentName, repositoryDir } from "./homelab.ts";
import { adaptManifests } from "./manifests.ts";
import { ensureArgoCd } from "./parts.ts";
import { isRepository, makeRepository, openRepository, type Repository } from "./repository.ts";
import { waitForApplications } from "./state.ts";

/** A lab that is up. */
export interface RunningLab {
  readonly lab: Lab;
  readonly kubectl: Kubectl;
  readonly report: Report;
}

/** The homelab's repository; made when it is not there. What somebody has committed to it stays. */
const ensureRepository = async (lab: Lab): Promise<Repository> => {
  const dir = repositoryDir(lab);
  if (isRepository(dir)) return openRepository(dir);
  mkdirSync(paths(lab).gitops, { recursive: true });
  // Argo CD's user must come through, whatever the umask is.
  chmodSync(paths(lab).gitops, 0o755);
  return makeRepository(dir, "The homelab as it is", homelabFiles());
};

/** Objects of Argo CD's manifests name no namespace. */
const inArgoCd =
  (kubectl: Kubectl): Kubectl =>
  (args, input) =>
    kubectl(["-n", argoCdNamespace, ...args], input);

const define = async (kubectl: Kubectl, definitions: string): Promise<void> => {
  const words = ["apply", "--server-side", "--force-conflicts", "--field-manager=lab", "-f", "-"];
  await kubectl(words, definitions);
  const names = ["applications", "applicationsets", "appprojects"].map((name) => `crd/${name}.argoproj.io`);
  // Of one without any condition yet kubectl says that it is broken.
  await waitFor("Argo CD's definitions", 30, async () => {
    await kubectl(["wait", "--for=condition=Established", ...names, "--timeout=30s"]);
    return true;
  });
};

const startArgoCd = async ({ lab, kubectl, report }: RunningLab): Promise<void> => {
  const { image, manifests } = await ensureArgoCd(lab, report);
  const { definitions, objects } = adaptManifests(manifests, paths(lab).gitops);
  await report.step("Argo CD", async () => {
    await Promise.all([importImage(lab, image), define(kubectl, definitions)]);
    await applyObjects(kubectl, [{ apiVersion: "v1", kind: "Namespace", metadata: { name: argoCdNamespace } }]);
    await applyObjects(inArgoCd(kubectl), objects);
    await waitForApps(kubectl);
  });
};

/** Whether Argo CD has been installed and knows the apps. */
export const hasArgoCd = async (kubectl: Kubectl): Promise<boolean> => {
  const definition = await kubectl(["get", "crd", "applications.argoproj.io", "--ignore-not-found", "-o", "name"]);
  if (definition.trim() === "") return false;
  const words = ["get", "applications.argoproj.io", parentName, "--ignore-not-found", "-o", "name"];
  return (await kubectl(["-n", argoCdNamespace, ...words])).trim() !== "";
};

/**
 * Installs Argo CD, makes the homelab's repository and hands the apps over, without restarting any of them. Returns when
 * every Application is Synced and Healthy. Does no harm where it is all there already.
 */
export const installArgoCd = async (running: RunningLab): Promise<Repository> => {
  const { lab, kubectl, report } = running;
  const repository = await ensureRepository(lab);
  await startArgoCd(running);
  await report.step("apps handed over to Argo CD", async (note) => {
    await applyObjects(kubectl, firstObjects);
    await waitForApplications(kubectl, applicationNames);
    note(`${applicationNames.length} Applications`);
  });
  return repository;
};
