/** Volumes deleted on purpose, on a real API server with Velero, a NAS and a CSI driver; in a namespace of their own. */
import type { PersistentVolume } from "kubernetes-types/core/v1.d.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { storageClassNames } from "../../lab/csi/manifests.ts";
import { withoutSync } from "../../lab/nas/fuse.ts";
import { datasets } from "../../lab/nas/nas.ts";
import { RunError } from "../../lab/shell/run.ts";
import { runInside } from "../../lab/site/daemon.ts";
import { applyObjects } from "../../lab/site/kubectl.ts";
import { openRunningLab, type RunningLab } from "./running-lab.ts";
import { answer, holdfast, succeed } from "./support/cli.ts";
import { type ClaimPath, inClaim, makeClaim, pvOf, sleeper } from "./support/cluster.ts";

interface TrashAnswer {
  readonly volumes: readonly {
    readonly volume: string;
    readonly persistentVolume: string;
    readonly dataset?: string;
    readonly bytes: number;
    readonly bytesFrom: string;
    readonly copy?: { readonly point: string };
  }[];
}

const namespace = "retire-test";
const photos: ClaimPath = [namespace, "photos"];
const name = photos.join("/");
const user = { namespace, name: "viewer" };

let lab: RunningLab;
let pv: string;

const phaseOf = async (): Promise<string> =>
  (
    await lab.kubectl([
      "-n",
      namespace,
      "get",
      "pvc",
      photos[1],
      "--ignore-not-found",
      "-o",
      "jsonpath={.status.phase}",
    ])
  ).trim();
const volume = (): Promise<PersistentVolume> => lab.get("pv", pv);
const content = async (): Promise<string> => (await inClaim(lab, photos, "cat mark.txt")).trim();
const isDatasetThere = async (): Promise<boolean> => {
  const listed = await runInside(lab.lab, "nas", [...withoutSync(), "zfs", "list", "-H", "-o", "name"]);
  return listed.stdout.includes(`${datasets.nfs}/${pv}`);
};

const mounting = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: user,
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [sleeper({ name: "data", mountPath: "/data" })],
    volumes: [{ name: "data", persistentVolumeClaim: { claimName: photos[1] } }],
  },
};

beforeAll(async () => {
  lab = await openRunningLab();
  await applyObjects(lab.kubectl, [{ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }]);
  await makeClaim(lab, photos, { storageClass: storageClassNames.nfs, size: "1Gi" });
  await inClaim(lab, photos, "echo holiday >mark.txt; sync mark.txt");
  pv = await pvOf(lab, photos);
  await succeed(["guard", "on", `${namespace}/`, "--yes"]);
});

afterAll(async () => {
  await holdfast(["guard", "off", "--yes"]);
  await lab.kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--wait=false"]);
});

describe("retire", () => {
  it("is refused while a pod uses the volume, with the command that stops it", async () => {
    await applyObjects(lab.kubectl, [mounting]);
    const { status, stderr } = await holdfast(["retire", name, "--yes"]);
    await lab.kubectl(["-n", namespace, "delete", "pod", user.name, "--grace-period=0"]);
    expect({ status, stderr }).toMatchObject({
      status: 5,
      stderr: expect.stringMatching(
        /pod viewer[^]*kubectl -n retire-test delete pod viewer[^]*RETIRE_IMPOSSIBLE/,
      ) as string,
    });
    expect(await phaseOf()).toBe("Bound");
  });

  it("makes a last copy, deletes the claim, and keeps the bytes in the trash", async () => {
    await succeed(["retire", name, "--yes"]);
    expect(await phaseOf()).toBe("");
    const { status, spec, metadata } = await volume();
    expect([status?.phase, spec?.persistentVolumeReclaimPolicy]).toEqual(["Released", "Retain"]);
    expect(metadata?.annotations).toMatchObject({ "holdfast.dev/guard": "deny" });
    expect(metadata?.annotations).not.toHaveProperty("holdfast.dev/allow-delete");
    const { volumes } = await answer<TrashAnswer>(["trash", "list"]);
    expect(volumes).toMatchObject([
      {
        volume: name,
        persistentVolume: pv,
        dataset: `${datasets.nfs}/${pv}`,
        bytesFrom: "nas",
        copy: { point: metadata?.annotations?.["holdfast.dev/trash-point"] },
      },
    ]);
    expect(await lab.kubectl(["get", "pods", "-A", "-l", "holdfast.dev/staging", "-o", "name"])).toBe("");
  });

  it("is left alone by undelete, and nobody deletes its PersistentVolume by mistake", async () => {
    const text = await succeed(["undelete", "--dry-run"]);
    expect(text).toContain(`${name}\n  it is in the trash, retired on purpose: \`holdfast trash restore ${name}\``);
    expect(text).not.toContain(`make the claim ${name} again`);
    const refused = await lab.kubectl(["delete", "pv", pv, "--wait=false"]).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(RunError);
    expect((refused as RunError).stderr).toContain(`It is in the trash. If it is meant: holdfast trash empty ${pv}`);
  });
});

describe("trash restore", () => {
  it("gives the claim the same bytes again, guarded as before", async () => {
    await succeed(["trash", "restore", name, "--yes"]);
    expect([await phaseOf(), await content()]).toEqual(["Bound", "holiday"]);
    expect((await answer<TrashAnswer>(["trash", "list"])).volumes).toEqual([]);
    expect((await holdfast(["guard", "check", name])).status).toBe(0);
  });
});

describe("undo", () => {
  it("of a retirement brings the claim back too", async () => {
    await succeed(["retire", name, "--no-copy", "--yes"]);
    expect(await phaseOf()).toBe("");
    await succeed(["undo", "--yes"]);
    expect([await phaseOf(), await content()]).toEqual(["Bound", "holiday"]);
    expect((await answer<TrashAnswer>(["trash", "list"])).volumes).toEqual([]);
  });
});

describe("trash empty", () => {
  it("lets the driver delete PersistentVolume and dataset, and is the only thing that does", async () => {
    await succeed(["retire", name, "--no-copy", "--yes"]);
    expect(await succeed(["trash", "empty", "--older-than", "1h", "--yes"])).toBe("Nothing to do.\n");
    expect(await isDatasetThere()).toBe(true);
    await succeed(["trash", "empty", name, "--yes"]);
    expect(await lab.kubectl(["get", "pv", pv, "--ignore-not-found", "-o", "name"])).toBe("");
    expect(await isDatasetThere()).toBe(false);
  });
});
