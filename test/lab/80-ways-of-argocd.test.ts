/**
 * The ways by which Argo CD deletes a claim, other than a commit that removes just that: what becomes of one that is bare
 * and of its guarded twin, and what Argo CD shows of each. docs/guard.md tells it to users. Takes Argo CD away at its end.
 */
import type { PersistentVolumeList } from "kubernetes-types/core/v1.d.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AppName } from "../../lab/apps/workload.ts";
import { argoCdNamespace, parentName } from "../../lab/gitops/homelab.ts";
import { prune } from "../../lab/gitops/incident.ts";
import { installArgoCd } from "../../lab/gitops/install.ts";
import { removeArgoCd } from "../../lab/gitops/remove.ts";
import type { Change, Repository } from "../../lab/gitops/repository.ts";
import { refresh, waitForApplications } from "../../lab/gitops/state.ts";
import { silentReport } from "../../lab/shell/report.ts";
import { applyObjects } from "../../lab/site/kubectl.ts";
import { openRunningLab, type RunningLab } from "./running-lab.ts";
import { conditionsOf, settingsOf, shownOf } from "./support/argocd.ts";
import { holdfast, patiently, startHoldfast, succeed } from "./support/cli.ts";
import { setReclaimPolicy } from "./support/cluster.ts";
import { type FirstClaims, markClaims, readMarks, rememberClaims } from "./support/first-claims.ts";
import {
  allFiles,
  handMadeSetOf,
  handMadeSets,
  harm,
  namespaceOf,
  newClaimOf,
  newNameOf,
  preserved,
  preservingSet,
  running,
  setOf,
  spaceOf,
  twins,
  waysOf,
} from "./support/ways.ts";

const bare = waysOf("bare");
const kept = waysOf("kept");
const namespaces = twins.flatMap((twin) => [namespaceOf(twin), spaceOf(twin)]);
const apps = [...Object.values(bare), ...Object.values(kept), preserved, running];

let lab: RunningLab;
let repository: Repository;

const slowly = { timeout: 60_000, interval: 500 };

let claims: FirstClaims;

const becomes = (app: AppName, what: string): Promise<void> => expect.poll(() => claims.is(app), slowly).toBe(what);
/** The driver is told to destroy its bytes, or has done so. */
const losesBytes = (app: AppName): Promise<void> =>
  expect.poll(() => claims.volumeIs(app), slowly).toMatch(/^(?:|(?:Released|Failed) Delete)$/);
const bound = (app: AppName): string => `Bound to ${claims.volumeOf(app)}`;
/** On its own volume again, with what was in it. */
const isBack = async (app: AppName): Promise<void> => {
  expect(await claims.now(app)).toBe(bound(app));
  expect(await readMarks(lab, [app])).toEqual(new Set([app.name]));
};

const shown = (name: string): Promise<string> => shownOf(lab, name);
const shows = (name: string, text: RegExp): Promise<void> => expect.poll(() => shown(name), slowly).toMatch(text);
const goes = (name: string): Promise<void> => expect.poll(() => shown(name), slowly).toBe("not there");
const fine = /^Synced, Healthy; sync Succeeded: successfully synced \(all tasks run\)$/;

const pathOf = ({ namespace, name }: AppName): string => `${namespace}/${name}`;

const commit = async (title: string, change: Change): Promise<void> => {
  await repository.commit(title, change);
  await refresh(lab.kubectl, [parentName]);
};

const inArgoCd = (...words: readonly string[]): Promise<string> => lab.kubectl(["-n", argoCdNamespace, ...words]);
const byHand = (kind: "application" | "applicationset", name: string): Promise<string> =>
  inArgoCd("delete", `${kind}s.argoproj.io`, name, "--wait=false");
const patch = (application: string, change: object): Promise<string> =>
  inArgoCd("patch", "applications.argoproj.io", application, "--type=merge", "-p", JSON.stringify(change));

beforeAll(async () => {
  lab = await openRunningLab();
  repository = await installArgoCd({ ...lab, report: silentReport });
  await applyObjects(
    lab.kubectl,
    twins.map((twin) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name: namespaceOf(twin) } })),
  );
  await commit("Add apps, each with a twin", { write: allFiles() });
  await applyObjects(lab.kubectl, handMadeSets);
  await waitForApplications(
    lab.kubectl,
    apps.map(({ name }) => name),
  );
  claims = await rememberClaims(lab, namespaces);
  await markClaims(lab, claims.all);
  for (const namespace of [namespaceOf("kept"), spaceOf("kept")])
    await succeed(["guard", "on", `${namespace}/`, "--yes"]);
});

afterAll(async () => {
  await holdfast(["guard", "off", "--yes"]);
  await removeArgoCd(lab);
  const { items } = await lab.get<PersistentVolumeList>("persistentvolumes");
  const own = items.filter(({ spec }) => namespaces.includes(spec?.claimRef?.namespace ?? ""));
  for (const { metadata } of own) await setReclaimPolicy(lab, metadata?.name ?? "", "Delete");
  await lab.kubectl(["delete", "namespace", ...namespaces, "--ignore-not-found", "--timeout=120s"]);
});

describe("a claim that is guarded", () => {
  it("is covered on every way", async () => {
    for (const namespace of [namespaceOf("kept"), spaceOf("kept")])
      expect(await succeed(["guard", "check", `${namespace}/`])).toContain("Every way is covered.");
  });
});

describe("a commit that renames and removes", () => {
  const held = { name: "held", namespace: spaceOf("bare"), finalizers: ["example.com/held"] };

  beforeAll(async () => {
    // Those that are to come back. Without pods nothing else would keep them.
    for (const app of [bare.claim, bare.space]) await setReclaimPolicy(lab, claims.volumeOf(app), "Retain");
    await applyObjects(lab.kubectl, [{ apiVersion: "v1", kind: "ConfigMap", metadata: held }]);
    await commit("Tidy up", harm());
    await refresh(
      lab.kubectl,
      [bare, kept].flatMap(({ claim, space }) => [claim.name, space.name]),
    );
  });

  it("a claim: the old one is pruned, a new one is made; the guarded one stays beside the new one", async () => {
    await becomes(bare.claim, "gone");
    for (const twin of twins) {
      const { claim } = waysOf(twin);
      await expect.poll(() => claims.now({ ...claim, name: newClaimOf(twin) }), slowly).toMatch(/^Bound to /);
      await shows(claim.name, fine);
    }
    expect(await claims.is(kept.claim)).toBe("as it was");
  });

  it("a claim: it comes back beside the new one, and the commit prunes it no more", async () => {
    await succeed(["undelete", pathOf(bare.claim), "--yes"]);
    await isBack(bare.claim);
    await refresh(lab.kubectl, [bare.claim.name]);
    await shows(bare.claim.name, fine);
    expect(await claims.now(bare.claim)).toBe(bound(bare.claim));
  });

  it("an Application: it is deleted with all, and another one makes all anew, empty; the guarded one stays beside the new one", async () => {
    await losesBytes(bare.renamed);
    await becomes(bare.renamed, "a new one");
    await shows(newNameOf("bare"), fine);
    expect(await shown(bare.renamed.name)).toBe("not there");
    const [old, young] = [kept.renamed.name, newNameOf("kept")];
    const both = [`${old} and ${young}`, `${young} and ${old}`];
    for (const name of [old, young])
      await shows(
        name,
        new RegExp(`, Healthy; .*SharedResourceWarning: .* is part of applications argocd/(?:${both.join("|")})`),
      );
    expect(await claims.is(kept.renamed)).toBe("as it was");
  });

  it("an Application: the old one goes alone, without its finalizer, as soon as the guard is off", async () => {
    await patch(kept.renamed.name, { metadata: { finalizers: null } });
    const { stdout, stderr } = await holdfast(["guard", "off", pathOf(kept.renamed), "--yes"]);
    const lacks = `Git does not have Application ${argoCdNamespace}/${kept.renamed.name} any more`;
    expect(stdout + stderr).toContain(lacks);
    await goes(kept.renamed.name);
    await succeed(["guard", "on", pathOf(kept.renamed), "--yes"]);
    await shows(newNameOf("kept"), fine);
    expect(await claims.is(kept.renamed)).toBe("as it was");
  });

  it("a Namespace: all that is in it goes, and the app is not synced any more; the guarded one stays, and nothing shows", async () => {
    await becomes(bare.space, "gone");
    const refused =
      'persistentvolumeclaims "bare-space" is forbidden: unable to create new content in namespace ways-bare-space because it is being terminated';
    await shows(
      bare.space.name,
      new RegExp(
        `^OutOfSync, Missing; sync Running: one or more objects failed to apply, reason: .*${refused}.*Retrying attempt #`,
      ),
    );
    await shows(kept.space.name, fine);
    expect(await claims.is(kept.space)).toBe("as it was");
  });

  it("a Namespace: it comes back with its volume, and the commit prunes it no more", async () => {
    const undeleting = startHoldfast(["undelete", pathOf(bare.space), "--yes"]);
    await undeleting.until(/^wait until the namespace/m);
    const { namespace, name } = held;
    await lab.kubectl(["-n", namespace, "patch", "configmap", name, "-p", '{"metadata":{"finalizers":null}}']);
    const { status, stderr } = await undeleting.ended;
    expect(status).toBe(0);
    expect(stderr).toContain(`git does not have the Namespace ${namespace} any more (Application ${bare.space.name}: `);
    const uid = (): Promise<string> => lab.kubectl(["get", "namespace", namespace, "-o", "jsonpath={.metadata.uid}"]);
    const made = await uid();
    // A sync that was ended is not begun again by itself.
    await shows(
      bare.space.name,
      /^OutOfSync, Missing; sync Failed: Operation terminated.*SyncError: Failed last sync attempt to/,
    );
    await patch(bare.space.name, { operation: { sync: { prune: true } } });
    await shows(bare.space.name, fine);
    expect(await uid()).toBe(made);
    await isBack(bare.space);
  });

  it("an ApplicationSet's list: what left it is deleted with all; that the guarded one is not, only a log tells", async () => {
    await losesBytes(bare.listed);
    expect(await shown(bare.listed.name)).toBe("not there");
    const errors = async (): Promise<readonly string[]> => {
      const log = await inArgoCd("logs", "deployment/argocd-applicationset-controller", "--since=10m");
      return log.split("\n").filter((line) => line.includes('"failed to delete Application"'));
    };
    const said =
      /Application argocd\/kept-listed is guarded by Holdfast: it was not deleted \(asked by system:serviceaccount:argocd:argocd-applicationset-controller\)/;
    await expect.poll(errors, slowly).toContainEqual(expect.stringMatching(said));
    await shows(kept.listed.name, fine);
    expect(await conditionsOf(lab, setOf("kept"))).toContainEqual(
      expect.objectContaining({ type: "ErrorOccurred", status: "False" }),
    );
    expect(await claims.is(kept.listed)).toBe("as it was");
  });
});

describe("an undelete that is killed while Argo CD stands still", () => {
  it("is ended by resume, and Argo CD is set exactly as before", async () => {
    const earlier = await settingsOf(lab);
    const { victims } = await prune(lab, [running]);
    expect(victims).toMatchObject([{ outcome: "being deleted" }]);
    const undeleting = startHoldfast(["undelete", pathOf(running), "--yes"]);
    await undeleting.until(/^set PersistentVolume/m);
    undeleting.child.kill("SIGKILL");
    await undeleting.ended;
    const frozen = await settingsOf(lab);
    const names = [running.name, setOf("bare"), parentName];
    for (const name of names) expect(frozen[name]).toHaveProperty(["annotations", "holdfast.dev/frozen"]);
    const resumed = await patiently(["resume", "--yes"]);
    expect(resumed).toMatchObject({ status: 0 });
    await isBack(running);
    expect(await settingsOf(lab)).toEqual(earlier);
    await refresh(lab.kubectl, [running.name]);
    await shows(running.name, /^Synced, Healthy; /);
    expect(await claims.now(running)).toBe(bound(running));
  });
});

describe("what is deleted by hand", () => {
  const refused = /is guarded by Holdfast: it was not deleted/;

  it("an Application without a finalizer leaves its app, and its parent makes it again; the guarded one is refused", async () => {
    await byHand("application", bare.orphan.name);
    await shows(bare.orphan.name, /^Synced, Healthy$/);
    expect(await claims.is(bare.orphan)).toBe("as it was");
    await expect(byHand("application", kept.orphan.name)).rejects.toThrow(refused);
  });

  it("an Application with the background finalizer takes its app along; the guarded one is refused", async () => {
    await byHand("application", bare.background.name);
    await losesBytes(bare.background);
    await becomes(bare.background, "a new one");
    await shows(bare.background.name, fine);
    await expect(byHand("application", kept.background.name)).rejects.toThrow(refused);
    expect(await claims.is(kept.background)).toBe("as it was");
  });

  it("an ApplicationSet takes its apps along; the guarded one is refused", async () => {
    await byHand("applicationset", handMadeSetOf("bare"));
    await losesBytes(bare.generated);
    await goes(bare.generated.name);
    await expect(byHand("applicationset", handMadeSetOf("kept"))).rejects.toThrow(refused);
    await expect(byHand("application", kept.generated.name)).rejects.toThrow(refused);
    await shows(kept.generated.name, fine);
    expect(await claims.is(kept.generated)).toBe("as it was");
  });

  it("an ApplicationSet with preserveResourcesOnDeletion leaves its apps", async () => {
    await byHand("applicationset", preservingSet);
    await goes(preserved.name);
    expect(await claims.is(preserved)).toBe("as it was");
  });
});

describe("at the end", () => {
  it("every guarded claim has its first volume, and what was in it", async () => {
    const all = Object.values(kept);
    for (const app of all) expect(await claims.now(app)).toBe(bound(app));
    expect(await readMarks(lab, all)).toEqual(new Set(all.map(({ name }) => name)));
  });
});
