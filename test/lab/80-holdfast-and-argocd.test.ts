/**
 * What Holdfast does about Argo CD, and Argo CD about Holdfast: volumes that it has pruned come back, those that are guarded
 * stay, and either of the two can go. Takes Argo CD away at its end.
 */
import type { PersistentVolume, PersistentVolumeClaim } from "kubernetes-types/core/v1.d.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { iscsiClaim, nfsClaim } from "../../lab/apps/claims.ts";
import { idleApp } from "../../lab/apps/workload.ts";
import { applicationFile, appWithApplication, parentName } from "../../lab/gitops/homelab.ts";
import { prune, revert } from "../../lab/gitops/incident.ts";
import { installArgoCd } from "../../lab/gitops/install.ts";
import { removeArgoCd, stopControllers } from "../../lab/gitops/remove.ts";
import type { Repository } from "../../lab/gitops/repository.ts";
import { describeApplication, readApplications, refresh, waitForApplications } from "../../lab/gitops/state.ts";
import { silentReport } from "../../lab/shell/report.ts";
import { applyObjects } from "../../lab/site/kubectl.ts";
import { openRunningLab, type RunningLab } from "./running-lab.ts";
import { holdfast, succeed } from "./support/cli.ts";
import { pods, pvOf, setReclaimPolicy } from "./support/cluster.ts";

const namespace = "argocd-holdfast";
const idle = (name: string, claim: typeof nfsClaim) =>
  idleApp({ name, namespace }, [claim(namespace, { name, mountPath: "/data" })]);
/** Its claim is brought back while it is being deleted. */
const early = idle("early", nfsClaim);
/** Its claim is brought back when Argo CD has made an empty one. */
const late = idle("late", iscsiClaim);
const guarded = idle("guarded", nfsClaim);
const apps = [early, late, guarded];
const appNames = apps.map(({ name }) => name);

let lab: RunningLab;
let repository: Repository;

const slowly = { timeout: 90_000, interval: 500 };

const claim = (name: string): Promise<PersistentVolumeClaim> => lab.get("persistentvolumeclaim", "-n", namespace, name);
const volumeOf = (name: string): Promise<string> => pvOf(lab, [namespace, name]);
const uidOf = async (name: string): Promise<string | undefined> => (await claim(name)).metadata?.uid;
const isDeleted = async (name: string): Promise<boolean> =>
  (await lab.kubectl(["-n", namespace, "get", "persistentvolumeclaim", name, "--ignore-not-found"])) === "";

const policyOf = async (volume: string): Promise<string | undefined> =>
  (await lab.get<PersistentVolume>("persistentvolume", volume)).spec?.persistentVolumeReclaimPolicy;

const inData = (name: string, script: string): Promise<string> =>
  lab.kubectl(["-n", namespace, "exec", `deployment/${name}`, "--", "sh", "-c", script]);

interface Settings {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
  readonly spec: object;
}

/** What Argo CD is told of an app; a request to look again left out. */
const settings = async (name: string): Promise<object> => {
  const { metadata, spec } = await lab.get<Settings>("applications.argoproj.io", "-n", "argocd", name);
  const { "argocd.argoproj.io/refresh": _, ...annotations } = metadata.annotations ?? {};
  return { annotations, spec };
};

const shown = async (name: string): Promise<string> => {
  const [application] = await readApplications(lab.kubectl, [name]);
  return application === undefined ? "not there" : describeApplication(application);
};

const commit = async (title: string, change: Parameters<Repository["commit"]>[1]): Promise<void> => {
  await repository.commit(title, change);
  await refresh(lab.kubectl, [parentName]);
};

/** The claim has its old volume, with what was in it, and the Application is set as it was. */
const isBack = async (name: string, volume: string, before: object): Promise<void> => {
  const { spec, status, metadata } = await claim(name);
  expect([spec?.volumeName, status?.phase, metadata?.deletionTimestamp]).toEqual([volume, "Bound", undefined]);
  expect(await inData(name, "cat /data/mark.txt")).toBe(`${name}\n`);
  expect(await settings(name)).toEqual(before);
};

beforeAll(async () => {
  lab = await openRunningLab();
  repository = await installArgoCd({ ...lab, report: silentReport });
  await applyObjects(lab.kubectl, [{ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }]);
  const files = apps.flatMap((app) => Object.entries(appWithApplication(app)));
  await commit("Add three apps", { write: Object.fromEntries(files) });
  await waitForApplications(lab.kubectl, appNames);
  for (const name of appNames) await inData(name, `echo ${name} >/data/mark.txt; sync /data/mark.txt`);
});

afterAll(async () => {
  await holdfast(["guard", "off", "--yes"]);
  await removeArgoCd(lab);
  await lab.kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=120s"]);
});

describe("two claims that Argo CD prunes", () => {
  const volumes = { early: "", late: "" };

  it("come back while their apps run: same bytes, Argo CD set as before, and the same commit prunes them no more", async () => {
    for (const name of ["early", "late"] as const) volumes[name] = await volumeOf(name);
    const before = await settings("early");
    await prune(lab, [early, late]);
    await succeed(["undelete", `${namespace}/early`, "--yes"]);
    await isBack("early", volumes.early, before);
    const uid = await uidOf("early");
    await refresh(lab.kubectl, ["early"]);
    await expect.poll(() => shown("early"), slowly).toMatch(/^Synced, Healthy; /);
    expect(await uidOf("early")).toBe(uid);
    // Whatever was in danger has been saved, named or not.
    expect(await policyOf(volumes.late)).toBe("Retain");
  });

  it("come back when Argo CD has made an empty one in their place, which is kept too", async () => {
    const old = await uidOf("late");
    await revert(lab, [early, late]);
    await lab.kubectl(["-n", namespace, "delete", "pods", "-l", "app.kubernetes.io/name=late"]);
    await expect.poll(() => uidOf("late").catch(() => old), slowly).not.toBe(old);
    await waitForApplications(lab.kubectl, ["late"]);
    const [empty, before] = [await volumeOf("late"), await settings("late")];
    expect(empty).not.toBe(volumes.late);
    await succeed(["undelete", `${namespace}/late`, "--yes"]);
    await isBack("late", volumes.late, before);
    expect(await policyOf(empty)).toBe("Retain");
    await setReclaimPolicy(lab, empty, "Delete");
  });
});

describe("a guarded volume", () => {
  let uid: string | undefined;
  const isWhole = async (): Promise<void> => {
    const { metadata, status } = await claim("guarded");
    expect([metadata?.uid, metadata?.deletionTimestamp, status?.phase]).toEqual([uid, undefined, "Bound"]);
  };

  beforeAll(async () => {
    uid = await uidOf("guarded");
    await succeed(["guard", "on", `${namespace}/guarded`, "--yes"]);
  });
  afterAll(() => succeed(["guard", "off", "--yes"]));

  it("is covered on each of Argo CD's ways", async () => {
    const text = await succeed(["guard", "check", `${namespace}/guarded`]);
    for (const way of ["Argo CD prunes it", "its Application is deleted", "is pruned by a parent's"])
      expect(text).toMatch(new RegExp(`${way}.*yes`));
  });

  it("stays when a commit removes its claim, and Argo CD shows nothing", async () => {
    expect((await prune(lab, [guarded])).victims.map(({ outcome }) => outcome)).toEqual(["ignored"]);
    expect(await shown("guarded")).toMatch(/^Synced, Healthy; /);
    await isWhole();
    await revert(lab, [guarded]);
    await waitForApplications(lab.kubectl, ["guarded"]);
  });

  it("stays when a commit removes its Application", async () => {
    await commit("Remove an app", { remove: [applicationFile(guarded)] });
    const revision = await repository.head();
    await waitForApplications(lab.kubectl, [parentName], {
      what: "at the commit",
      isWanted: ({ status }) =>
        status?.sync?.revision === revision && !["Running", undefined].includes(status.operationState?.phase),
    });
    expect((await readApplications(lab.kubectl, ["guarded"]))[0]?.metadata.deletionTimestamp).toBeUndefined();
    expect(await shown(parentName)).toMatch(/^Synced, Healthy; /);
    await isWhole();
    await commit("Put an app back", { write: appWithApplication(guarded) });
    await waitForApplications(lab.kubectl, [parentName, "guarded"]);
  });

  it("stays when somebody deletes its Application by hand", async () => {
    const words = ["-n", "argocd", "delete", "applications.argoproj.io", "guarded", "--wait=false"];
    await expect(lab.kubectl(words)).rejects.toThrow(/is guarded by Holdfast: it was not deleted/);
    await isWhole();
  });
});

describe("an Application that is deleted with all that it owns", () => {
  it("leaves what undelete brings back, where the volume says Retain", async () => {
    const volume = await volumeOf("guarded");
    await setReclaimPolicy(lab, volume, "Retain");
    await commit("Remove an app", { remove: [applicationFile(guarded)] });
    await expect.poll(() => readApplications(lab.kubectl, ["guarded"]), slowly).toEqual([]);
    await expect.poll(() => isDeleted("guarded"), slowly).toBe(true);
    await succeed(["undelete", `${namespace}/guarded`, "--yes"]);
    expect(await volumeOf("guarded")).toBe(volume);
    await commit("Put an app back", { write: appWithApplication(guarded) });
    await waitForApplications(lab.kubectl, ["guarded"]);
    expect(await inData("guarded", "cat /data/mark.txt")).toBe("guarded\n");
  });

  it("leaves claims that were brought back once: they say Delete=false", async () => {
    const uids = await Promise.all(appNames.map(uidOf));
    await commit("Remove three apps", { remove: apps.map(applicationFile) });
    await expect.poll(() => readApplications(lab.kubectl, appNames), slowly).toEqual([]);
    expect(await Promise.all(appNames.map(uidOf))).toEqual(uids);
    for (const name of appNames) await setReclaimPolicy(lab, await volumeOf(name), "Delete");
    await lab.kubectl(["delete", "namespace", namespace, "--timeout=120s"]);
  });
});

describe("Argo CD that goes", () => {
  it("is uninstalled with its definitions while volumes are guarded, and the guard goes on without it", async () => {
    await succeed(["guard", "on", "media/", "--yes"]);
    await stopControllers(lab.kubectl);
    const definition = "applications.argoproj.io";
    await lab.kubectl(["delete", "crd", definition, "--wait=false"]);
    const patch = JSON.stringify({ metadata: { finalizers: null } });
    const held = (await readApplications(lab.kubectl)).filter(({ metadata }) => metadata.finalizers !== undefined);
    for (const { metadata } of held)
      await lab.kubectl(["-n", "argocd", "patch", definition, metadata.name, "--type=merge", "-p", patch]);
    await lab.kubectl(["wait", "--for=delete", "crd", definition, "--timeout=60s"]);
    expect((await holdfast(["guard", "check", "media/"])).status).toBe(0);
    await succeed(["guard", "off", "media/", "--yes"]);
  });

  it("leaves the apps as they were", async () => {
    const running = async () => (await pods(lab, "-n", "media")).map(({ metadata }) => metadata?.uid ?? "").toSorted();
    const before = await running();
    await removeArgoCd(lab);
    expect(await running()).toEqual(before);
    const left = await lab.kubectl(["get", "crd,clusterroles,clusterrolebindings,namespaces", "-o", "name"]);
    expect(left.split("\n").filter((line) => line.includes("argo") && !line.endsWith(namespace))).toEqual([]);
    const objects = await lab.kubectl(["get", "deployments,configmaps,persistentvolumeclaims", "-A", "-o", "json"]);
    expect(objects).not.toContain("argocd.argoproj.io/tracking-id");
  });
});
