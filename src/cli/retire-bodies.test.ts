/** What `retire` and `trash` print, refuse and ask. How plans are carried out: `src/guard/retire/retire.test.ts`. */
import { describe, expect, it } from "vitest";
import { openingKey } from "../guard/protect/mode.ts";
import { putApplication, putVolume } from "../guard/protect/testing/cluster.ts";
import { policyTwin } from "../guard/protect/testing/policy-twin.ts";
import { kindsFor, planNow } from "../guard/protect/testing/scene.ts";
import { trashKey, trashPointKey } from "../guard/retire/trash-mark.ts";
import { Failure } from "../model/failure.ts";
import { OperationWorld } from "../operation/testing/process.ts";
import { mounting } from "../restore/testing/cluster.ts";
import type { KubeObject } from "../systems/kubernetes/port.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { jumpingClock } from "../systems/kubernetes/testing/world.ts";
import { retireVolumes } from "./retire-body.ts";
import { fakeWorld, type FakeWorld } from "./testing/fake-world.ts";
import { emptyTrash } from "./trash-empty-body.ts";
import { showTrash } from "./trash-list-body.ts";
import { restoreTrash } from "./trash-restore-body.ts";
import { bringBack } from "./undelete-body.ts";

const claims = resources.persistentVolumeClaims;
const pvs = resources.persistentVolumes;
const sonarr = { namespace: "media", name: "sonarr-config" };
const pv = { name: "pv-sonarr-config" };
const flags = { yes: true, dryRun: true, json: false, timeout: 1000, noCopy: true, for: 3_600_000 };
const driver = "org.democratic-csi";

const open = (...terminal: Parameters<typeof fakeWorld>): FakeWorld => {
  const place = fakeWorld(...terminal);
  putVolume(place.kubernetes, "media/sonarr-config");
  return place;
};

/** As `retire` leaves it; `isGone`: its claim is deleted. */
const retired = async (isGone = true): Promise<FakeWorld> => {
  const place = open();
  const { kubernetes } = place;
  const annotations = {
    [trashKey]: "2026-11-20T12:00:00Z",
    [trashPointKey]: "p7",
    "pv.kubernetes.io/provisioned-by": driver,
  };
  const spec = { persistentVolumeReclaimPolicy: "Retain", capacity: { storage: "2Gi" } };
  await kubernetes.mergePatch(pvs, pv, { metadata: { annotations }, spec, status: { phase: "Released" } });
  if (isGone) await kubernetes.remove(claims, sonarr);
  kubernetes.put(resources.csiNodes, {
    metadata: { name: "node" },
    spec: { drivers: [{ name: driver }] },
  } as KubeObject);
  return place;
};

describe("holdfast retire", () => {
  it("shows its plan and changes nothing in a dry run", async () => {
    const place = open();
    await retireVolumes(place.cli, place.world, flags, ["sonarr-config"]);
    const text = place.context.out();
    expect(text).toContain("  1. set the PersistentVolumes of 1 volume to Retain: media/sonarr-config");
    expect(text).toContain("  2. put PersistentVolume pv-sonarr-config into the trash");
    expect(text).toContain("  3. delete the claim media/sonarr-config");
    expect(text).toContain("Only `holdfast trash empty` frees space.");
    expect(await place.kubernetes.get(claims, sonarr)).toBeDefined();
  });

  it("leaves a claim that Argo CD has in git to the commit", async () => {
    const place = open();
    putApplication(place.kubernetes, "sonarr", [{ kind: "PersistentVolumeClaim", ...sonarr }]);
    const spec = { source: { repoURL: "https://git.example/homelab", path: "apps/sonarr" } };
    await place.kubernetes.mergePatch(resources.applications, { namespace: "argocd", name: "sonarr" }, { spec });
    await retireVolumes(place.cli, place.world, flags, ["sonarr-config"]);
    const text = place.context.out();
    expect(text).toContain(
      "note: media/sonarr-config is left to git: commit the removal of PersistentVolumeClaim media/sonarr-config from https://git.example/homelab, path apps/sonarr (Application argocd/sonarr).",
    );
    expect(text).not.toContain("delete the claim");
  });

  it("is refused while a pod uses the volume", async () => {
    const place = open();
    const pod = { metadata: { namespace: "media", name: "sonarr-0" }, spec: mounting("sonarr-config") };
    place.kubernetes.put(resources.pods, pod);
    await expect(retireVolumes(place.cli, place.world, flags, ["sonarr-config"])).rejects.toMatchObject({
      code: "RETIRE_IMPOSSIBLE",
      why: "media/sonarr-config: pod sonarr-0",
      todo: expect.stringContaining("`kubectl -n media delete pod sonarr-0`") as string,
    });
  });

  it("has nothing to do for what comes and goes by itself", async () => {
    const place = open();
    const ownerReferences = [{ apiVersion: "v1", kind: "Pod", name: "web", uid: "u" }];
    putVolume(place.kubernetes, "media/web-scratch", { metadata: { ownerReferences } });
    await retireVolumes(place.cli, place.world, flags, ["web-scratch"]);
    expect(place.context.out()).toBe(
      "nothing to do for media/web-scratch: an ephemeral volume of pod web: it lives and ends with it\nNothing to do.\n",
    );
  });

  it.each([[{ labels: { "velero.io/exclude-from-backup": "true" } }, "labelled velero.io/exclude-from-backup"]])(
    "refuses what no backup can have: %o",
    async (metadata, why) => {
      const place = open();
      await place.kubernetes.mergePatch(claims, sonarr, { metadata });
      const wish = { ...flags, noCopy: false };
      await expect(retireVolumes(place.cli, place.world, wish, ["sonarr-config"])).rejects.toMatchObject({
        code: "RETIRE_IMPOSSIBLE",
        why: `media/sonarr-config: ${why}`,
        todo: "Retire it without one: --no-copy.",
      });
    },
  );

  it("wants Velero for a last copy", async () => {
    const place = open();
    const wish = { ...flags, noCopy: false };
    await expect(retireVolumes(place.cli, place.world, wish, ["sonarr-config"])).rejects.toMatchObject({
      code: "VELERO_ABSENT",
    });
  });

  it.each([
    [{}, "NOT_INTERACTIVE"],
    [{ isTTY: true, typed: ["yes"] }, "NOT_CONFIRMED"],
  ])("without a last copy wants the name typed: %o", async (terminal, code) => {
    const place = open(terminal);
    const wish = { ...flags, yes: false, dryRun: false };
    await expect(retireVolumes(place.cli, place.world, wish, ["sonarr-config"])).rejects.toMatchObject({ code });
    expect(place.context.err()).toContain(code === "NOT_CONFIRMED" ? "Type media/sonarr-config to go on: " : "");
    expect(await place.kubernetes.get(claims, sonarr)).toBeDefined();
  });

  it("is refused for a volume that is retired already, and for one that does not exist", async () => {
    const place = await retired(false);
    await expect(retireVolumes(place.cli, place.world, flags, ["sonarr-config"])).rejects.toMatchObject({
      code: "RETIRE_IMPOSSIBLE",
      what: "media/sonarr-config is retired already: its claim waits for your commit.",
    });
    await expect(retireVolumes(place.cli, place.world, flags, ["*"])).rejects.toMatchObject({ code: "USAGE" });
    await expect(retireVolumes(place.cli, place.world, flags, ["sonar"])).rejects.toMatchObject({
      code: "VOLUME_UNKNOWN",
    });
  });

  it("asks for rights before anything is changed", async () => {
    const place = open();
    place.kubernetes.deny({ verb: "delete", resource: claims });
    const work = retireVolumes(place.cli, place.world, flags, ["sonarr-config"]);
    await expect(work).rejects.toMatchObject({
      code: "KUBERNETES_FORBIDDEN",
      why: "missing: delete persistentvolumeclaims in media",
    });
  });
});

describe("holdfast trash list", () => {
  it("shows what there is, with its age, and without a NAS what was promised", async () => {
    const place = await retired();
    await showTrash(place.cli, place.world, { output: "table" });
    expect(place.context.out()).toMatch(
      /^VOLUME .*\nmedia\/sonarr-config +pv-sonarr-config +- +up to 2 GiB +3d +none *\n\n1 in the trash, 2 GiB\. Only `holdfast trash empty` frees it\.\n$/,
    );
  });

  it("says what still waits for a commit, and knows the copy when the bucket does not answer", async () => {
    const place = await retired(false);
    const points = () => Promise.reject(new Failure("BUCKET_UNREACHABLE", { what: "no answer" }));
    await showTrash(place.cli, { ...place.world, points }, { output: "json" });
    expect(JSON.parse(place.context.out())).toMatchObject({
      volumes: [{ volume: "media/sonarr-config", point: "p7", copyKnown: false, waitsForCommit: true, bytes: 2 ** 31 }],
    });
    expect(place.context.err()).toBe("note: nobody knows what copies there are: no answer\n");
  });

  it("says that there is nothing", async () => {
    const place = open();
    await showTrash(place.cli, place.world, { output: "table" });
    expect(place.context.out()).toBe("The trash is empty.\n");
  });
});

describe("holdfast trash empty", () => {
  it("shows what the driver will delete, and that there is NO UNDO", async () => {
    const place = await retired();
    await emptyTrash(place.cli, place.world, flags, []);
    expect(place.context.out()).toContain(
      "  1. let org.democratic-csi delete PersistentVolume pv-sonarr-config, which was media/sonarr-config, 2 GiB",
    );
    expect(place.context.out()).toContain("NO UNDO");
  });

  it("wants the names typed", async () => {
    const place = await retired();
    const wish = { ...flags, yes: false, dryRun: false };
    await expect(emptyTrash(place.cli, place.world, wish, [])).rejects.toMatchObject({
      code: "NOT_INTERACTIVE",
      what: expect.stringContaining("This frees media/sonarr-config. There is NO UNDO.") as string,
    });
  });

  it("refuses what has no verified copy, and what no driver deletes", async () => {
    const place = await retired();
    const work = emptyTrash(place.cli, place.world, { ...flags, noCopy: false }, []);
    await expect(work).rejects.toMatchObject({ code: "TRASH_KEPT", why: "no verified copy of it is left" });
    await place.kubernetes.remove(resources.csiNodes, { name: "node" });
    await expect(emptyTrash(place.cli, place.world, flags, [])).rejects.toMatchObject({
      code: "TRASH_KEPT",
      why: "its CSI driver org.democratic-csi runs on no node of this cluster",
    });
  });

  it("leaves what is younger, and what still waits for a commit, unless that is named", async () => {
    const young = await retired();
    await emptyTrash(young.cli, young.world, { ...flags, olderThan: 30 * 86_400_000 }, []);
    expect(young.context.out()).toBe("Nothing to do.\n");
    const waiting = await retired(false);
    await emptyTrash(waiting.cli, waiting.world, flags, []);
    expect(waiting.context.out()).toBe("Nothing to do.\n");
    await expect(emptyTrash(waiting.cli, waiting.world, flags, ["sonarr-config"])).rejects.toMatchObject({
      code: "TRASH_KEPT",
      why: "its claim is still there, and waits for your commit",
    });
  });
});

describe("holdfast trash restore", () => {
  it("plans the claim on the same volume, out of the trash", async () => {
    const place = await retired();
    await restoreTrash(place.cli, place.world, flags, ["sonarr-config"]);
    const text = place.context.out();
    expect(text).toContain("take media/sonarr-config out of the trash");
    expect(text).toContain("make the claim media/sonarr-config again, bound to pv-sonarr-config");
  });

  it("closes the guard of a claim that waits for its commit, and tells Argo CD again not to prune it", async () => {
    const place = open();
    const { kubernetes } = place;
    kubernetes.admit(policyTwin);
    putApplication(kubernetes, "sonarr", [{ kind: "PersistentVolumeClaim", ...sonarr }]);
    const engine = new OperationWorld(jumpingClock(), kubernetes);
    await engine.process(kindsFor(engine.clock)).operations.start("op-1", await planNow(kubernetes, "deny"));
    const before = (await kubernetes.get(claims, sonarr))?.metadata;
    const uid = before?.uid ?? "";
    await kubernetes.apply(claims, {
      metadata: {
        ...sonarr,
        uid,
        annotations: {
          "holdfast.dev/guard": "deny",
          [openingKey]: uid,
          "holdfast.dev/allow-delete-until": "2026-11-24T00:00:00Z",
        },
        finalizers: ["holdfast.dev/guard"],
      },
    });
    await kubernetes.mergePatch(pvs, pv, { metadata: { annotations: { [trashKey]: "2026-11-20T12:00:00Z" } } });
    await restoreTrash(place.cli, place.world, { ...flags, json: true }, ["sonarr-config"]);
    const { plan } = JSON.parse(place.context.out()) as { plan: { steps: { kind: string; input: unknown }[] } };
    expect(plan.steps.map(({ kind }) => kind)).toEqual(["open-guard", "mark-trash"]);
    expect(plan.steps[0]?.input).toMatchObject({
      objects: [{ to: { annotations: before?.annotations, finalizers: ["holdfast.dev/guard"] } }],
    });
  });

  it("refuses what is not in the trash", async () => {
    const place = open();
    const work = restoreTrash(place.cli, place.world, flags, ["sonarr-config"]);
    await expect(work).rejects.toMatchObject({ code: "VOLUME_UNKNOWN", what: "The trash is empty." });
  });
});

describe("holdfast undelete, without a name", () => {
  it("leaves what was retired where it is, and says so", async () => {
    const place = await retired();
    await bringBack(place.cli, place.world, flags, []);
    expect(place.context.out()).toBe(
      "media/sonarr-config\n  it is in the trash, retired on purpose: `holdfast trash restore media/sonarr-config` brings it back\nNothing else is deleted.\n",
    );
  });

  it("brings it back when it is named", async () => {
    const place = await retired();
    await bringBack(place.cli, place.world, flags, ["sonarr-config"]);
    expect(place.context.out()).toContain("take media/sonarr-config out of the trash");
  });
});
