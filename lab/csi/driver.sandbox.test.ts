import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { execBehind } from "../zfs/exec.ts";
import { destroyWhenFree } from "../zfs/destroy-when-free.ts";
import { openZfs } from "../zfs/zfs.ts";
import { type DriverSandbox, openDriverSandbox, shell } from "./driver-sandbox.ts";
import { openFileExports } from "./file-exports.ts";
import type { CreateVolumeResponse, StatsResponse, StringMap } from "./messages.ts";
import { status } from "./rpc.ts";
import { driverNames, type Protocol, property } from "./volume-shape.ts";

const MiB = 1024 * 1024;
/** What the sizes of a test are counted in: TrueNAS gives no filesystem a quota below 1 GiB. */
const unitOf: Readonly<Record<Protocol, number>> = { nfs: 64 * MiB, iscsi: MiB };
const run = randomBytes(4).toString("hex");
const protocols: readonly Protocol[] = ["nfs", "iscsi"];

let site: DriverSandbox;
beforeAll(async () => {
  site = await openDriverSandbox();
});
afterAll(async () => {
  // It closes twice when all goes well; a failed start has nothing to close.
  await site?.close();
});

/** Whatever on the host carries the name of this run. */
const leftovers = async (): Promise<readonly string[]> => {
  const loops = (await execBehind()("losetup", ["-a"])).stdout.split("\n");
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  return [...loops, ...mounts].filter((line) => line.includes(run) || line.includes(site.dir));
};

const capability = (protocol: Protocol) => ({
  mount: { fs_type: protocol === "nfs" ? "nfs" : "ext4", mount_flags: [] },
  access_mode: { mode: "SINGLE_NODE_WRITER" },
});

/** One volume of a driver, and the calls that Kubernetes makes for it. */
const volumeOf = (protocol: Protocol, name: string) => {
  const id = `pvc-${name}-${run}`;
  const dataset = `tank/k8s/${protocol}/v/${id}`;
  const [controller, node] = [site.controller(protocol), site.node(protocol)];
  const staging = `${site.kubeletDir}/plugins/kubernetes.io/csi/${driverNames[protocol]}/${id}/globalmount`;
  const target = `${site.kubeletDir}/pods/${id}/volumes/kubernetes.io~csi/${id}/mount`;
  let context: StringMap = {};
  return {
    id,
    dataset,
    staging,
    target,
    create: async (bytes = 64 * unitOf[protocol], limit = 0) => {
      const request = {
        name: id,
        capacity_range: { required_bytes: bytes, limit_bytes: limit },
        volume_capabilities: [capability(protocol)],
      };
      const { volume } = (await controller.call("CreateVolume", request)) as CreateVolumeResponse;
      context = volume.volume_context;
      return volume;
    },
    stage: () =>
      node.call("NodeStageVolume", {
        volume_id: id,
        staging_target_path: staging,
        volume_capability: capability(protocol),
        volume_context: context,
      }),
    publish: () =>
      node.call("NodePublishVolume", {
        volume_id: id,
        staging_target_path: staging,
        target_path: target,
        volume_capability: capability(protocol),
        volume_context: context,
      }),
    unpublish: () => node.call("NodeUnpublishVolume", { volume_id: id, target_path: target }),
    unstage: () => node.call("NodeUnstageVolume", { volume_id: id, staging_target_path: staging }),
    stats: async () => (await node.call("NodeGetVolumeStats", { volume_id: id, volume_path: target })) as StatsResponse,
    remove: () => controller.call("DeleteVolume", { volume_id: id }),
  };
};

const zfs = () => openZfs(site.onNas);
const exports = () => openFileExports(site.registryDir);

describe.each(protocols)("the %s driver", (protocol) => {
  it("makes itself known to the kubelet with the socket of its node service", async () => {
    const info = await site.registration(protocol).call("GetInfo", {});
    const endpoint = `${site.kubeletDir}/plugins/${driverNames[protocol]}/csi.sock`;
    expect(info).toEqual({ type: "CSIPlugin", name: driverNames[protocol], endpoint, supported_versions: ["1.0.0"] });
  });

  it("makes a volume once, however often it is asked, and leaves on the dataset what makes the PV again", async () => {
    const volume = volumeOf(protocol, "shape");
    const first = await volume.create();
    expect(await volume.create()).toEqual(first);
    const properties = await zfs().properties(volume.dataset);
    const value = (name: string): string | undefined => properties.get(name)?.value;
    expect(value(property.managed)).toBe("true");
    expect(value(property.success)).toBe("true");
    const { provisioner_driver: driver, provisioner_driver_instance_id: instance, ...share } = first.volume_context;
    expect(JSON.parse(value(property.shareContext) ?? "")).toEqual(share);
    expect([driver, instance]).toEqual(
      protocol === "nfs" ? ["freenas-api-nfs", "lab"] : ["freenas-api-iscsi", undefined],
    );
    await volume.remove();
  });

  it("takes an existing volume whose size fits, and refuses another size", async () => {
    const [volume, unit] = [volumeOf(protocol, "size"), unitOf[protocol]];
    await volume.create(64 * unit);
    expect((await volume.create(32 * unit)).capacity_bytes).toBe(String(64 * unit));
    await expect(volume.create(96 * unit)).rejects.toMatchObject({ code: status.ALREADY_EXISTS });
    await expect(volume.create(16 * unit, 32 * unit)).rejects.toMatchObject({ code: status.ALREADY_EXISTS });
    await volume.remove();
  });

  it("mounts, keeps what is written, tells its size, and unmounts, each step as often as asked", async () => {
    const volume = volumeOf(protocol, "life");
    await volume.create();
    for (const step of [volume.stage, volume.stage, volume.publish, volume.publish]) await step();
    await shell(site.onNode, `echo kept > ${volume.target}/file && chown 1000:1000 ${volume.target}/file && sync`);
    const bytes = (await volume.stats()).usage.find(({ unit }) => unit === "BYTES");
    expect(Number(bytes?.total) / unitOf[protocol]).toBeGreaterThan(40);
    expect(Number(bytes?.total) / unitOf[protocol]).toBeLessThanOrEqual(64);
    for (const step of [volume.unpublish, volume.unpublish, volume.unstage, volume.unstage]) await step();
    expect(
      await shell(
        site.onNode,
        `ls -d ${volume.target} 2>/dev/null || echo gone; grep -c ${volume.id}/ /proc/self/mountinfo || true`,
      ),
    ).toBe("gone\n0\n");
    await volume.stage();
    await volume.publish();
    expect(await shell(site.onNode, `cat ${volume.target}/file; stat -c %u:%g ${volume.target}/file`)).toBe(
      "kept\n1000:1000\n",
    );
    for (const step of [volume.unpublish, volume.unstage, volume.remove, volume.remove]) await step();
    expect(await zfs().exists(volume.dataset)).toBe(false);
  });

  it("does not delete a volume that a node still uses; the data stays, but its export is gone", async () => {
    const volume = volumeOf(protocol, "busy");
    await volume.create();
    await volume.stage();
    await volume.publish();
    await shell(site.onNode, `echo kept > ${volume.target}/file && sync`);
    await expect(volume.remove()).rejects.toMatchObject({
      code: status.INTERNAL,
      details: expect.stringContaining("busy") as string,
    });
    expect(await shell(site.onNode, `cat ${volume.target}/file`)).toBe("kept\n");
    expect(await exports().query(protocol === "nfs" ? "nfs" : "target")).toEqual([]);
    await volume.unpublish();
    await volume.unstage();
    await expect(volume.stage()).rejects.toMatchObject({ code: status.INTERNAL });
    await volume.create();
    await volume.stage();
    await volume.publish();
    expect(await shell(site.onNode, `cat ${volume.target}/file`)).toBe("kept\n");
    const removal = volume.remove();
    await sleep(200);
    await volume.unpublish();
    await volume.unstage();
    await removal;
    expect(await zfs().exists(volume.dataset)).toBe(false);
  });

  it("takes the snapshots along when it deletes a volume, and stops at a clone", async () => {
    const volume = volumeOf(protocol, "snap");
    await volume.create();
    await zfs().snapshot(`${volume.dataset}@hourly`, { properties: { "rcv:set": "s1" } });
    await zfs().clone(`${volume.dataset}@hourly`, `tank/clone-${run}`);
    await expect(volume.remove()).rejects.toMatchObject({ code: status.FAILED_PRECONDITION });
    await destroyWhenFree(zfs(), `tank/clone-${run}`, { giveUpAfterMs: 2000, longestPauseMs: 200 });
    await volume.remove();
    expect(await zfs().list({ type: "snapshot" })).toEqual([]);
  });

  it("reaches no dataset but its own volumes", async () => {
    const remove = (id: string) => site.controller(protocol).call("DeleteVolume", { volume_id: id });
    for (const id of ["", "../v", "a/b", "x@y"])
      await expect(remove(id)).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(await zfs().exists(`tank/k8s/${protocol}/v`)).toBe(true);
  });
});

it("grows an NFS volume while it is mounted", async () => {
  const [volume, unit] = [volumeOf("nfs", "grow"), unitOf.nfs];
  await volume.create(32 * unit);
  await volume.stage();
  await volume.publish();
  const wanted = { volume_id: volume.id, capacity_range: { required_bytes: 128 * unit } };
  const answer = await site.controller("nfs").call("ControllerExpandVolume", wanted);
  expect(answer).toEqual({ capacity_bytes: String(128 * unit), node_expansion_required: false });
  const bytes = (await volume.stats()).usage.find(({ unit }) => unit === "BYTES");
  expect(Number(bytes?.total) / unit).toBeGreaterThan(100);
  for (const step of [volume.unpublish, volume.unstage, volume.remove]) await step();
});

it("grows an iSCSI volume when it is staged anew, with what is in it", async () => {
  const [volume, unit] = [volumeOf("iscsi", "grow"), unitOf.iscsi];
  await volume.create(32 * unit);
  await volume.stage();
  await volume.publish();
  await shell(site.onNode, `echo kept > ${volume.target}/file`);
  const wanted = { volume_id: volume.id, capacity_range: { required_bytes: 128 * unit } };
  const grown = () => site.node("iscsi").call("NodeExpandVolume", { ...wanted, volume_path: volume.target });
  const answer = await site.controller("iscsi").call("ControllerExpandVolume", wanted);
  expect(answer).toEqual({ capacity_bytes: String(128 * unit), node_expansion_required: true });
  await expect(grown()).rejects.toMatchObject({ code: status.FAILED_PRECONDITION });
  for (const step of [volume.unpublish, volume.unstage, volume.stage, volume.publish]) await step();
  expect(await grown()).toEqual({ capacity_bytes: String(128 * unit) });
  const bytes = (await volume.stats()).usage.find(({ unit }) => unit === "BYTES");
  expect(Number(bytes?.total) / unit).toBeGreaterThan(100);
  expect(await shell(site.onNode, `cat ${volume.target}/file`)).toBe("kept\n");
  for (const step of [volume.unpublish, volume.unstage, volume.remove]) await step();
});

it("has left nothing on the NAS and the node when every volume is deleted", async () => {
  expect(await zfs().list({ type: "filesystem", under: "tank" })).toEqual([
    "tank",
    "tank/k8s",
    "tank/k8s/iscsi",
    "tank/k8s/iscsi/v",
    "tank/k8s/nfs",
    "tank/k8s/nfs/v",
  ]);
  for (const kind of ["nfs", "target", "extent", "targetextent"] as const)
    expect(await exports().query(kind)).toEqual([]);
  expect(await shell(site.onNode, `grep ${run} /proc/self/mountinfo; losetup -a | grep ${run}; true`)).toBe("");
});

it("leaves nothing on the host when it is killed with a volume in use", async () => {
  const volume = volumeOf("iscsi", "killed");
  await volume.create();
  await volume.stage();
  await volume.publish();
  expect((await leftovers()).join("\n")).toContain(volume.id);
  await site.close();
  await expect.poll(async () => (await leftovers()).join("\n"), { timeout: 10_000 }).toBe("");
});
