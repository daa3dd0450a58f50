/** The guard turned on, in other modes, and off again, carried out by the engine against the twin. */
import { describe, expect, it } from "vitest";
import type { Plan } from "../../model/plan.ts";
import type { Call } from "../../systems/kubernetes/call.ts";
import { resources } from "../../systems/kubernetes/resources.ts";
import { guardKey } from "./mode.ts";
import { putVolume } from "./testing/cluster.ts";
import { aGuardScene, planNow } from "./testing/scene.ts";

const claims = resources.persistentVolumeClaims;
const sonarr = { namespace: "media", name: "sonarr-config" };
const refused = (text: string) => ({ code: "KUBERNETES_REFUSED", why: expect.stringContaining(text) as string });

const open = async () => {
  const scene = await aGuardScene("on");
  const { kubernetes } = scene;
  let count = 0;
  const carryOut = (plan: Plan) => scene.process().operations.start(`op-${(count += 1)}`, plan);
  return { ...scene, carryOut, user: kubernetes.as("argocd") };
};

const guarded = async () => {
  const scene = await open();
  await scene.carryOut(scene.plan);
  return scene;
};

describe("guard on", () => {
  it("sets Retain before anything else, then marks, holds, and lets the API server refuse", async () => {
    const { plan } = await open();
    expect(plan.steps.map(({ kind }) => kind)).toEqual([
      "retain-volumes",
      "mark-objects",
      "hold-claims",
      "guard-policy",
    ]);
    expect(plan.locks).toEqual(["db/data-postgres-0", "media/radarr-config", "media/sonarr-config", "guard"]);
  });

  it("leaves what the documents say, and nothing else", async () => {
    const scene = await guarded();
    const argo = {
      "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
      "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
    };
    const deny = { "holdfast.dev/guard": "deny" };
    const claim = { annotations: { ...deny, ...argo }, finalizers: ["holdfast.dev/guard"] };
    const volume = { annotations: { "holdfast.dev/reclaim-policy-before-guard": "Delete", ...deny } };
    const found = await scene.traces();
    expect(found).toMatchObject({
      "PersistentVolumeClaim media/sonarr-config": claim,
      "PersistentVolumeClaim media/radarr-config": claim,
      "PersistentVolumeClaim db/data-postgres-0": claim,
      "PersistentVolume /pv-sonarr-config": volume,
      "PersistentVolume /pv-radarr-config": { annotations: deny },
      "policy of pv-sonarr-config": "Retain",
      "Namespace /media": { annotations: deny },
      "Namespace /db": { annotations: deny },
      "StatefulSet db/postgres": { annotations: { ...deny, ...argo } },
      "Application argocd/root": { annotations: deny },
      "Application argocd/media": { annotations: { ...deny, ...argo } },
      "ApplicationSet argocd/homelab": { annotations: deny },
    });
    expect(Object.keys(found)).toHaveLength(17);
    // The ApplicationSet would overwrite its annotations: it stands in the policy's list.
    expect(JSON.stringify(found["ValidatingAdmissionPolicy /holdfast-guard"])).toContain("in ['argocd/db']");
  });

  it("refuses deletions of everything that leads to a volume, in a dry run and in earnest, and by whomever", async () => {
    const { user } = await guarded();
    for (const [resource, name] of [
      [claims, sonarr],
      [resources.persistentVolumes, { name: "pv-sonarr-config" }],
      [resources.namespaces, { name: "media" }],
      [resources.statefulSets, { namespace: "db", name: "postgres" }],
      [resources.applications, { namespace: "argocd", name: "root" }],
      [resources.applications, { namespace: "argocd", name: "db" }],
      [resources.applicationSets, { namespace: "argocd", name: "homelab" }],
    ] as const) {
      await expect(user.remove(resource, name, { dryRun: true })).rejects.toMatchObject(refused("asked by argocd"));
      await expect(user.remove(resource, name)).rejects.toMatchObject(refused("holdfast-guard"));
    }
  });

  it("finds nothing to do the second time", async () => {
    const { kubernetes } = await guarded();
    expect((await planNow(kubernetes, "deny")).steps).toEqual([]);
  });

  it("guards what comes later when it is run again, and touches nothing that is guarded already", async () => {
    const { kubernetes } = await guarded();
    putVolume(kubernetes, "media/lidarr-config");
    const { steps } = await planNow(kubernetes, "deny");
    expect(steps.flatMap(({ touches }) => touches)).toEqual([
      "PersistentVolume pv-lidarr-config",
      "PersistentVolumeClaim media/lidarr-config",
      "PersistentVolume pv-lidarr-config",
      "PersistentVolumeClaim media/lidarr-config",
    ]);
  });

  it("is taken back whole by undo", async () => {
    const scene = await open();
    const before = await scene.traces();
    const { id } = await scene.carryOut(scene.plan);
    await scene.process().operations.undo(id);
    expect(await scene.traces()).toEqual(before);
  });

  it("passes over what somebody deletes between its look and its write", async () => {
    const { kubernetes, user, plan, carryOut } = await open();
    const set = { namespace: "db", name: "postgres" };
    const deleteFirst = ({ verb, resource }: Call): boolean => {
      if (verb === "patch" && resource?.plural === "statefulsets") void user.remove(resources.statefulSets, set);
      return false;
    };
    kubernetes.fail(deleteFirst, new Error("never"));
    expect(await carryOut(plan)).toMatchObject({ status: "done", failure: undefined });
    expect(await user.get(resources.statefulSets, set)).toBeUndefined();
  });

  it("does not give Delete back to the volume of a claim that is being deleted meanwhile", async () => {
    const scene = await open();
    const { id } = await scene.carryOut(scene.plan);
    const patch = {
      metadata: { annotations: { "holdfast.dev/allow-delete": (await scene.user.get(claims, sonarr))?.metadata.uid } },
    };
    await scene.user.mergePatch(claims, sonarr, patch);
    await scene.user.remove(claims, sonarr);
    await scene.process().operations.undo(id);
    expect((await scene.traces())["policy of pv-sonarr-config"]).toBe("Retain");
    expect((await scene.traces())["policy of pv-data-postgres-0"]).toBe("Delete");
  });

  it("refuses, and changes nothing, when a claim was made anew since the plan", async () => {
    const scene = await open();
    await scene.user.remove(claims, sonarr);
    putVolume(scene.kubernetes, "media/sonarr-config", { metadata: { uid: "another" } });
    const before = await scene.traces();
    await expect(scene.carryOut(scene.plan)).rejects.toMatchObject({ code: "KUBERNETES_CONFLICT" });
    expect(await scene.traces()).toEqual(before);
  });
});

describe("what would disarm the guard", () => {
  it.each([
    ["the annotation", claims, sonarr, { metadata: { annotations: { [guardKey]: null } } }],
    ["a weaker mode", claims, sonarr, { metadata: { annotations: { [guardKey]: "bin" } } }],
    ["the finalizer", claims, sonarr, { metadata: { finalizers: null } }],
    [
      "Retain",
      resources.persistentVolumes,
      { name: "pv-sonarr-config" },
      { spec: { persistentVolumeReclaimPolicy: "Delete" } },
    ],
    [
      "the Namespace's mark",
      resources.namespaces,
      { name: "media" },
      { metadata: { annotations: { [guardKey]: null } } },
    ],
  ] as const)("is refused: %s", async (_, resource, name, patch) => {
    const { user } = await guarded();
    await expect(user.mergePatch(resource, name, patch)).rejects.toMatchObject(refused("would take"));
  });
});

describe("guard off", () => {
  it("leaves nothing, and gives back what the PersistentVolumes said before", async () => {
    const scene = await open();
    const before = await scene.traces();
    await scene.carryOut(scene.plan);
    const plan = await planNow(scene.kubernetes, "off");
    expect(plan.steps.map(({ kind }) => kind)).toEqual([
      "guard-policy",
      "hold-claims",
      "mark-objects",
      "retain-volumes",
    ]);
    await scene.carryOut(plan);
    expect(await scene.traces()).toEqual(before);
  });

  it("of one volume leaves the others, and what they share, as they are", async () => {
    const scene = await guarded();
    await scene.carryOut(await planNow(scene.kubernetes, "off", "media/sonarr-config"));
    const found = await scene.traces();
    expect(found["PersistentVolumeClaim media/sonarr-config"]).toBeUndefined();
    expect(found).toMatchObject({
      "policy of pv-sonarr-config": "Delete",
      "PersistentVolumeClaim media/radarr-config": { finalizers: ["holdfast.dev/guard"] },
      "Namespace /media": { annotations: { "holdfast.dev/guard": "deny" } },
      "ValidatingAdmissionPolicyBinding /holdfast-guard": {},
    });
    // No guarded volume hangs on these any more.
    expect(found["Application argocd/root"]).toBeUndefined();
    await scene.user.remove(claims, sonarr);
  });

  it("lets a claim end that was deleted and only held", async () => {
    const scene = await open();
    await scene.carryOut(await planNow(scene.kubernetes, "hold"));
    await scene.user.remove(claims, sonarr);
    expect((await scene.user.get(claims, sonarr))?.metadata.deletionTimestamp).toBeDefined();
    await scene.carryOut(await planNow(scene.kubernetes, "off", "media/sonarr-config"));
    expect(await scene.user.get(claims, sonarr)).toBeUndefined();
    expect((await scene.traces())["policy of pv-sonarr-config"]).toBe("Retain");
  });
});

describe("the other modes", () => {
  it("hold: a deletion is accepted and waits, and what takes more than the claim along is refused", async () => {
    const scene = await open();
    await scene.carryOut(await planNow(scene.kubernetes, "hold"));
    await scene.user.remove(claims, sonarr);
    expect((await scene.user.get(claims, sonarr))?.metadata.finalizers).toEqual(["holdfast.dev/guard"]);
    await expect(scene.user.remove(resources.namespaces, { name: "media" })).rejects.toMatchObject(refused("deleted"));
    await expect(scene.user.remove(resources.persistentVolumes, { name: "pv-radarr-config" })).rejects.toMatchObject(
      refused("deleted"),
    );
  });

  it("bin: deletions and prunes pass, the bytes stay, and nobody turns Retain into Delete", async () => {
    const scene = await open();
    await scene.carryOut(await planNow(scene.kubernetes, "bin"));
    const found = await scene.traces();
    expect(found["PersistentVolumeClaim media/sonarr-config"]).toEqual({
      annotations: { "holdfast.dev/guard": "bin" },
    });
    expect(found["Namespace /media"]).toBeUndefined();
    const change = { spec: { persistentVolumeReclaimPolicy: "Delete" } };
    const pv = { name: "pv-sonarr-config" };
    await expect(scene.user.mergePatch(resources.persistentVolumes, pv, change)).rejects.toMatchObject(
      refused("Retain"),
    );
    await scene.user.remove(claims, sonarr);
    expect(await scene.user.get(claims, sonarr)).toBeUndefined();
  });

  it("are changed into each other in spite of the policy, and leave no opening behind", async () => {
    const scene = await guarded();
    const strong = await scene.traces();
    await scene.carryOut(await planNow(scene.kubernetes, "bin"));
    await scene.carryOut(await planNow(scene.kubernetes, "deny"));
    expect(await scene.traces()).toEqual(strong);
  });
});

describe("the guard that is turned off while a sync tries again", () => {
  it("is told that the sync prunes by its old commit as soon as nothing refuses", async () => {
    const scene = await guarded();
    const owned = [{ kind: "PersistentVolumeClaim", namespace: "media", name: "sonarr-config" }];
    const running = (phase: string) =>
      scene.kubernetes.put(resources.applications, {
        metadata: { namespace: "argocd", name: "sonarr" },
        status: { resources: owned, operationState: { phase } },
      } as never);
    running("Running");
    const warnings = async () => (await planNow(scene.kubernetes, "off", "media/sonarr-config")).warnings.join();
    expect(await warnings()).toContain("A sync of Application sonarr is under way or tries again");
    running("Succeeded");
    expect(await warnings()).not.toContain("tries again");
  });
});

describe("the guard that is turned off while git lacks what it has kept", () => {
  const claim = { kind: "PersistentVolumeClaim", namespace: "media", name: "sonarr-config" };
  const warned = async (name: string, owned: readonly object[]): Promise<string> => {
    const scene = await guarded();
    scene.kubernetes.put(resources.applications, {
      metadata: { namespace: "argocd", name },
      status: { resources: owned },
    } as never);
    return (await planNow(scene.kubernetes, "off", "media/sonarr-config")).warnings.join();
  };

  it("is told that the next sync deletes the claim, its Namespace, or the Application that has them", async () => {
    expect(await warned("sonarr", [{ ...claim, requiresPruning: true }])).toContain(
      "Git does not have PersistentVolumeClaim media/sonarr-config any more: without the guard the next sync of Application sonarr deletes it",
    );
    expect(await warned("spaces", [{ kind: "Namespace", name: "media", requiresPruning: true }])).toContain(
      "Git does not have Namespace media any more: without the guard the next sync of Application spaces deletes it",
    );
    const media = { kind: "Application", namespace: "argocd", name: "media", requiresPruning: true };
    expect(await warned("root", [media])).toContain("Git does not have Application argocd/media any more");
  });

  it("is told nothing of what git has, or of what leads to another volume", async () => {
    const other = { ...claim, name: "radarr-config", requiresPruning: true };
    expect(await warned("sonarr", [claim, other])).not.toContain("Git does not have");
  });
});

describe("where there can be no admission policy", () => {
  it("the other layers are applied, and the plan says what is missing and what that means", async () => {
    const scene = await open();
    const denied = scene.kubernetes.deny({ verb: "create", resource: resources.admissionPolicies });
    const plan = await planNow(scene.kubernetes, "deny");
    denied();
    expect(plan.steps.map(({ kind }) => kind)).toEqual(["retain-volumes", "mark-objects", "hold-claims"]);
    expect(plan.warnings.join()).toContain(
      "your user may not create validatingadmissionpolicies. So nothing is refused",
    );
  });
});
