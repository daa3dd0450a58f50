/**
 * Argo CD runs the lab's apps as it runs those of a homelab, and does to a claim what cost its owner two apps' data. It stays
 * for the file that comes after this one.
 */
import type { Deployment } from "kubernetes-types/apps/v1.d.ts";
import type { PersistentVolume, PersistentVolumeClaim } from "kubernetes-types/core/v1.d.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { AppDefinition } from "../../lab/apps/app.ts";
import { iscsiClaim, nfsClaim } from "../../lab/apps/claims.ts";
import { idleApp } from "../../lab/apps/workload.ts";
import {
  applicationFile,
  applicationNames,
  appWithApplication,
  handedOverNamespaces,
  parentName,
} from "../../lab/gitops/homelab.ts";
import { describeIncident, type Incident, prune, revert } from "../../lab/gitops/incident.ts";
import { installArgoCd } from "../../lab/gitops/install.ts";
import type { Repository } from "../../lab/gitops/repository.ts";
import {
  type Application,
  describeApplication,
  type Operation,
  readApplications,
  refresh,
  type ResourceResult,
  waitForApplications,
} from "../../lab/gitops/state.ts";
import { silentReport } from "../../lab/shell/report.ts";
import { applyObjects } from "../../lab/site/kubectl.ts";
import { openRunningLab, type RunningLab } from "./running-lab.ts";
import { pods } from "./support/cluster.ts";

const namespace = "argocd-test";

/** As Sonarr's claim is on iSCSI and Radarr's on NFS. What they hold is nobody's loss. */
const doomed: readonly AppDefinition[] = [
  idleApp({ name: "doomed-one", namespace }, [iscsiClaim(namespace, { name: "doomed-one", mountPath: "/data" })]),
  idleApp({ name: "doomed-two", namespace }, [nfsClaim(namespace, { name: "doomed-two", mountPath: "/data" })]),
];
const doomedNames = doomed.map(({ name }) => name);
/** One whose claim stays in git. */
const whole = idleApp({ name: "doomed-whole", namespace }, [
  nfsClaim(namespace, { name: "doomed-whole", mountPath: "/data" }),
]);
const allNames = [...doomedNames, whole.name];

let lab: RunningLab;
let repository: Repository;
let before: readonly string[];

/** Pods that Argo CD is given, each with how often its containers were restarted. */
const running = async (): Promise<readonly string[]> => {
  const all = await Promise.all(handedOverNamespaces.map((name) => pods(lab, "-n", name)));
  return all
    .flat()
    .map(({ metadata, status }) => {
      const restarts = (status?.containerStatuses ?? []).map(({ restartCount }) => restartCount);
      return `${metadata?.namespace}/${metadata?.name} ${metadata?.uid} ${status?.phase} ${restarts.join()}`;
    })
    .toSorted();
};

const claim = (name: string): Promise<PersistentVolumeClaim> => lab.get("persistentvolumeclaim", "-n", namespace, name);
/** The claim's uid, when it is there. */
const uidsOf = async (name: string): Promise<readonly string[]> => {
  const uid = await lab.kubectl([
    "-n",
    namespace,
    "get",
    "persistentvolumeclaim",
    name,
    "--ignore-not-found",
    "-o",
    "jsonpath={.metadata.uid}",
  ]);
  return uid === "" ? [] : [uid];
};
const deployment = (name: string): Promise<Deployment> => lab.get("deployment", "-n", namespace, name);
const names = async (kind: string): Promise<string> =>
  (await lab.kubectl(["-n", namespace, "get", kind, "-o", "name", "--ignore-not-found"])).trim();

const applicationOf = async (name: string): Promise<Application | undefined> =>
  (await readApplications(lab.kubectl, [name]))[0];

const shown = async (name: string): Promise<string> => {
  const application = await applicationOf(name);
  return application === undefined ? "not there" : describeApplication(application);
};

const slowly = { timeout: 60_000, interval: 500 };
const shows = (name: string, text: string): Promise<void> => expect.poll(() => shown(name), slowly).toBe(text);
const showsLike = (name: string, text: RegExp): Promise<void> => expect.poll(() => shown(name), slowly).toMatch(text);

const operationOf = async (name: string): Promise<Operation | undefined> =>
  (await applicationOf(name))?.status?.operationState;

/** What the last sync of an app did to its claim. Between two syncs, and while one has just begun, there is nothing to see. */
const resultOf = async (name: string): Promise<ResourceResult | undefined> => {
  const results = (await operationOf(name))?.syncResult?.resources ?? [];
  return results.find(({ kind }) => kind === "PersistentVolumeClaim");
};
const results = (name: string, expected: Partial<ResourceResult>): Promise<void> =>
  expect.poll(() => resultOf(name), slowly).toMatchObject(expected);

/** Ends a sync that waits or tries again, as "Terminate" does; only then Argo CD tries its commit no more. */
const terminate = async (name: string): Promise<void> => {
  const patch = JSON.stringify({ status: { operationState: { phase: "Terminating" } } });
  await lab.kubectl(["-n", "argocd", "patch", "applications.argoproj.io", name, "--type=merge", "-p", patch]);
  await expect.poll(async () => (await operationOf(name))?.phase, slowly).toBe("Failed");
};

const syncOptions = "argocd.argoproj.io/sync-options";
const compareOptions = "argocd.argoproj.io/compare-options";

const policyName = { metadata: { name: "argocd-test" } };
/** Refuses to have claims of the test's namespace deleted. */
const refusal: readonly object[] = [
  {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicy",
    ...policyName,
    spec: {
      failurePolicy: "Fail",
      matchConstraints: {
        namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
        resourceRules: [
          { apiGroups: [""], apiVersions: ["v1"], operations: ["DELETE"], resources: ["persistentvolumeclaims"] },
        ],
      },
      validations: [{ expression: "false", reason: "Forbidden", message: "kept by a test" }],
    },
  },
  {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingAdmissionPolicyBinding",
    ...policyName,
    spec: { policyName: policyName.metadata.name, validationActions: ["Deny"] },
  },
];

const refusalList = JSON.stringify({ apiVersion: "v1", kind: "List", items: refusal });

const refuse = async (): Promise<void> => {
  await applyObjects(lab.kubectl, refusal);
  // A new policy is not heeded at once.
  const tried = (): Promise<string> =>
    lab
      .kubectl(["-n", namespace, "delete", "persistentvolumeclaim", whole.name, "--dry-run=server"])
      .catch((error: unknown) => String(error));
  await expect.poll(tried, slowly).toContain("kept by a test");
};
const allow = (): Promise<string> => lab.kubectl(["delete", "--ignore-not-found", "-f", "-"], refusalList);

const commit = async (title: string, change: Parameters<Repository["commit"]>[1]): Promise<void> => {
  await repository.commit(title, change);
  await refresh(lab.kubectl, [parentName]);
};

beforeAll(async () => {
  lab = await openRunningLab();
  before = await running();
  repository = await installArgoCd({ ...lab, report: silentReport });
});

afterAll(async () => {
  await allow();
  await lab.kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--timeout=120s"]);
});

describe("Argo CD in the lab", () => {
  it("has every app Synced and Healthy, and has restarted none", async () => {
    const applications = await readApplications(lab.kubectl);
    expect(applications.map(({ metadata }) => metadata.name).toSorted()).toEqual(applicationNames.toSorted());
    for (const { status } of applications) {
      expect([status?.sync?.status, status?.health?.status]).toEqual(["Synced", "Healthy"]);
    }
    expect(await running()).toEqual(before);
    const sonarr = await lab.get<PersistentVolumeClaim>("persistentvolumeclaim", "-n", "media", "sonarr");
    expect(sonarr.metadata?.annotations?.["argocd.argoproj.io/tracking-id"]).toBe(
      "sonarr:/PersistentVolumeClaim:media/sonarr",
    );
  });

  it("runs under its real names, and may do anything", async () => {
    const workloads = await lab.kubectl(["-n", "argocd", "get", "deployments,statefulsets", "-o", "name"]);
    expect(workloads.trim().split("\n").toSorted()).toEqual([
      "deployment.apps/argocd-applicationset-controller",
      "deployment.apps/argocd-redis",
      "deployment.apps/argocd-repo-server",
      "statefulset.apps/argocd-application-controller",
    ]);
    const controller = "--as=system:serviceaccount:argocd:argocd-application-controller";
    expect((await lab.kubectl(["auth", "can-i", "*", "*", "-A", controller])).trim()).toBe("yes");
  });

  it("deploys what is committed", async () => {
    await applyObjects(lab.kubectl, [{ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }]);
    const files = [...doomed, whole].flatMap((app) => Object.entries(appWithApplication(app)));
    await commit("Add three apps", { write: Object.fromEntries(files) });
    await waitForApplications(lab.kubectl, allNames);
    for (const name of allNames) expect((await claim(name)).status?.phase).toBe("Bound");
  });

  it("gives a Deployment that is scaled down its replicas back", async () => {
    const { generation = 0 } = (await deployment("doomed-one")).metadata ?? {};
    await lab.kubectl(["-n", namespace, "scale", "deployment/doomed-one", "--replicas=0"]);
    await expect.poll(async () => (await deployment("doomed-one")).metadata?.generation, slowly).toBe(generation + 2);
    expect((await deployment("doomed-one")).spec?.replicas).toBe(1);
    await waitForApplications(lab.kubectl, doomedNames);
  });
});

describe("a commit that removes the claims of two running apps", () => {
  let incident: Incident;
  let alive: readonly string[];

  const living = async (): Promise<readonly string[]> =>
    (await pods(lab, "-n", namespace, "-l", `app.kubernetes.io/name in (${doomedNames.join()})`))
      // That which was scaled down before takes a moment to end.
      .filter(({ metadata }) => metadata?.deletionTimestamp === undefined)
      .map(({ metadata, status }) => `${metadata?.uid} ${status?.phase}`)
      .toSorted();

  it("has Argo CD delete them, and only that their pods run keeps them", async () => {
    alive = await living();
    incident = await prune(lab, doomed);
    expect(incident.victims.map(({ outcome }) => outcome)).toEqual(["being deleted", "being deleted"]);
    for (const name of doomedNames) {
      const { metadata, status, spec } = await claim(name);
      expect(metadata?.deletionTimestamp).toBeDefined();
      expect(metadata?.finalizers).toContain("kubernetes.io/pvc-protection");
      expect(status?.phase).toBe("Bound");
      const volume = await lab.get<PersistentVolume>("persistentvolume", spec?.volumeName ?? "");
      expect(volume.status?.phase).toBe("Bound");
      expect(volume.spec?.persistentVolumeReclaimPolicy).toBe("Delete");
    }
    expect(alive).toHaveLength(2);
    expect(await living()).toEqual(alive);
  });

  it("is shown as a success, over and over, of an app that is OutOfSync and Progressing", async () => {
    for (const name of doomedNames) {
      await shows(name, "OutOfSync, Progressing; sync Succeeded: successfully synced (all tasks run)");
      await results(name, { status: "Pruned", message: "pruned" });
    }
    const begun = async (): Promise<string | undefined> => (await operationOf("doomed-two"))?.startedAt;
    const first = await begun();
    await expect.poll(async () => [first, undefined].includes(await begun()), slowly).toBe(false);
    expect(describeIncident(incident).join("\n")).toContain(`claim ${namespace}/doomed-one: being deleted`);
  });

  it("does its harm even when it is reverted: what is being deleted stays so", async () => {
    await revert(lab, doomed);
    expect(await repository.files()).toContain(`apps/${namespace}/doomed-one/pvc-doomed-one.yaml`);
    for (const name of doomedNames) {
      await shows(name, "Synced, Progressing; sync Succeeded: successfully synced (all tasks run)");
      expect((await claim(name)).metadata?.deletionTimestamp).toBeDefined();
    }
    expect(await living()).toEqual(alive);
  });

  it("ends, with the next start of a pod, in an empty claim on a new volume, and everything looks fine", async () => {
    const { metadata, spec } = await claim("doomed-one");
    await lab.kubectl(["-n", namespace, "delete", "pods", "-l", "app.kubernetes.io/name=doomed-one"]);
    await expect.poll(() => uidsOf("doomed-one"), slowly).not.toContain(metadata?.uid);
    await expect.poll(() => uidsOf("doomed-one"), slowly).toHaveLength(1);
    await waitForApplications(lab.kubectl, ["doomed-one"]);
    expect((await claim("doomed-one")).spec?.volumeName).not.toBe(spec?.volumeName);
    const old = (): Promise<string> =>
      lab.kubectl(["get", "persistentvolume", spec?.volumeName ?? "", "--ignore-not-found", "-o", "name"]);
    await expect.poll(old, slowly).toBe("");
  });
});

describe("a commit that removes a claim that something keeps", () => {
  const annotate = (...words: readonly string[]): Promise<string> =>
    lab.kubectl(["-n", namespace, "annotate", "persistentvolumeclaim", whole.name, ...words]);

  /** Argo CD must have seen the annotations before the commit. */
  const keeping = async (...annotations: readonly string[]): Promise<void> => {
    await annotate("--overwrite", ...annotations);
    await sleep(1000);
  };

  const outcomes = async (): Promise<readonly (string | undefined)[]> =>
    (await prune(lab, [whole])).victims.map(({ outcome }) => outcome);

  let uid: string | undefined;
  const isWhole = async (): Promise<void> => {
    const { metadata } = await claim(whole.name);
    expect([metadata?.uid, metadata?.deletionTimestamp]).toEqual([uid, undefined]);
  };

  beforeAll(async () => {
    uid = (await claim(whole.name)).metadata?.uid;
  });

  afterEach(async () => {
    await revert(lab, [whole]);
    await annotate(`${syncOptions}-`, `${compareOptions}-`);
    await allow();
    await waitForApplications(lab.kubectl, [whole.name], { seconds: 30 });
    await isWhole();
  });

  it("by Prune=false: the sync succeeds, and the app stays OutOfSync", async () => {
    await keeping(`${syncOptions}=Prune=false`);
    expect(await outcomes()).toEqual(["not pruned, as its annotation says"]);
    await results(whole.name, { status: "PruneSkipped", message: "ignored (no prune)" });
    await shows(whole.name, "OutOfSync, Healthy; sync Succeeded: successfully synced (all tasks run)");
  });

  it("by Prune=false with IgnoreExtraneous: nothing is to be seen at all", async () => {
    await keeping(`${syncOptions}=Prune=false`, `${compareOptions}=IgnoreExtraneous`);
    expect(await outcomes()).toEqual(["ignored"]);
    expect(await shown(whole.name)).toMatch(/^Synced, Healthy; /);
  });

  const refused = "one or more objects failed to apply, reason: .*denied request: kept by a test";

  it("by an admission policy: the sync fails and tries again, and a revert does not stop it", async () => {
    await refuse();
    expect(await outcomes()).toEqual(["pruning it was refused"]);
    await results(whole.name, {
      status: "SyncFailed",
      message: expect.stringContaining("denied request: kept by a test") as string,
    });
    await showsLike(whole.name, new RegExp(`^OutOfSync, Healthy; sync Running: ${refused}\\. Retrying attempt #1 at `));
    await revert(lab, [whole]);
    await showsLike(whole.name, /^Synced, Healthy; sync Running: .*Retrying/);
    await terminate(whole.name);
    await shows(whole.name, "Synced, Healthy; sync Failed: Operation terminated (retried 1 times).");
  });

  const asks = `sync Running: Waiting for pruning confirmation of v1/PersistentVolumeClaim/${whole.name}`;

  it("by Prune=confirm: the sync waits for an answer, and a revert is none", async () => {
    await keeping(`${syncOptions}=Prune=confirm`);
    expect(await outcomes()).toEqual(["waiting for confirmation"]);
    await shows(whole.name, `OutOfSync, Healthy; ${asks}`);
    await revert(lab, [whole]);
    await shows(whole.name, `Synced, Healthy; ${asks}`);
    await terminate(whole.name);
    await shows(whole.name, "Synced, Healthy; sync Failed: Operation terminated");
  });
});

describe("a claim that an admission policy kept, and no longer does", () => {
  it("is deleted by the sync that still tries the commit, though git has the claim again", async () => {
    await refuse();
    expect((await prune(lab, [whole])).victims).toMatchObject([{ outcome: "pruning it was refused" }]);
    const { revision } = await revert(lab, [whole]);
    expect((await claim(whole.name)).metadata?.deletionTimestamp).toBeUndefined();
    await allow();
    await results(whole.name, { status: "Pruned", message: "pruned" });
    expect((await claim(whole.name)).metadata?.deletionTimestamp).toBeDefined();
    const { sync, operationState } = (await applicationOf(whole.name))?.status ?? {};
    expect([sync?.status, sync?.revision]).toEqual(["Synced", revision]);
    expect(operationState?.syncResult?.revision).not.toBe(revision);
  });
});

describe("an Application that is removed from git", () => {
  const waiting = ["doomed-two", whole.name];
  const present = async (): Promise<readonly string[]> =>
    (await readApplications(lab.kubectl, allNames)).map(({ metadata }) => metadata.name).toSorted();
  let volumes: readonly string[];

  it("takes everything of its app with it, but waits where a claim is being deleted already", async () => {
    volumes = await Promise.all(allNames.map(async (name) => (await claim(name)).spec?.volumeName ?? ""));
    await commit("Remove three apps", { remove: [...doomed, whole].map(applicationFile) });
    await expect.poll(present, slowly).toEqual(waiting);
    for (const name of waiting) {
      await shows(name, "Synced, Progressing; being deleted; sync Succeeded: successfully synced (all tasks run)");
      expect((await deployment(name)).metadata?.deletionTimestamp).toBeUndefined();
    }
  });

  it("goes on when the pods of such an app end, and the bytes are gone", async () => {
    await lab.kubectl(["-n", namespace, "scale", "--replicas=0", ...waiting.map((name) => `deployment/${name}`)]);
    await expect.poll(present, slowly).toEqual([]);
    await expect.poll(() => names("persistentvolumeclaims,deployments,pods"), slowly).toBe("");
    const left = (): Promise<string> => lab.kubectl(["get", "persistentvolumes", ...volumes, "--ignore-not-found"]);
    await expect.poll(left, slowly).toBe("");
  });
});
