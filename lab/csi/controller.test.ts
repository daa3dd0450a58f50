import { describe, expect, it } from "vitest";
import { ZfsError } from "../zfs/zfs-error.ts";
import type { Properties } from "../zfs/zfs.ts";
import type { Backend } from "./backend.ts";
import { controllerHandlers } from "./controller.ts";
import type { Datasets } from "./datasets.ts";
import { status } from "./rpc.ts";
import { noExport, property } from "./volume-shape.ts";

const refuse = (text: string): never => {
  throw new ZfsError([], text);
};

/** A NAS in memory that writes down what is done to it. `refusals` are the texts of the next refused destroys. */
const fakeNas = (refusals: string[] = []) => {
  const done: string[] = [];
  const stored = new Map<string, Record<string, string>>();
  const of = (name: string): Record<string, string> => stored.get(name) ?? refuse("dataset does not exist");
  const datasets: Datasets = {
    create: async (name: string, properties: Properties = {}) => {
      if (stored.has(name)) refuse("dataset already exists");
      done.push("create");
      stored.set(name, { ...properties });
    },
    set: async (name, properties) => void Object.assign(of(name), properties),
    properties: async (name) =>
      new Map(Object.entries(of(name)).map(([key, value]) => [key, { value, source: "local" }])),
    destroy: async (name) => {
      const refusal = refusals.shift();
      if (refusal !== undefined) refuse(refusal);
      done.push("destroy");
      stored.delete(name);
    },
    exists: async (name) => stored.has(name),
  };
  const backend: Backend = {
    protocol: "nfs",
    growth: "ONLINE",
    sizeProperties: (bytes) => ({ size: String(bytes) }),
    size: async (name) => Number(of(name).size),
    setSize: async (name, bytes) => void (of(name).size = String(bytes)),
    prepare: async () => undefined,
    exportVolume: async () => ({ context: { share: "/mnt/x" }, properties: { [property.nfsShareId]: "7" } }),
    unexport: async (_name, properties) => {
      done.push(`unexport ${properties.get(property.nfsShareId)}`);
      return [property.nfsShareId];
    },
  };
  const busyRetry = { giveUpAfterMs: 0, longestPauseMs: 1 };
  return { done, stored, call: controllerHandlers({ datasets, backend, parentDataset: "tank/v", busyRetry }) };
};

const asked = (bytes = 10) => ({
  name: "pvc-1",
  capacity_range: { required_bytes: String(bytes), limit_bytes: "0" },
  volume_capabilities: [
    { access_type: "mount", mount: { fs_type: "nfs", mount_flags: [] }, access_mode: { mode: "SINGLE_NODE_WRITER" } },
  ],
  parameters: {},
  volume_content_source: null,
});

describe("the controller", () => {
  it("makes a dataset once and gives the same answer again", async () => {
    const { call, done, stored } = fakeNas();
    const first = await call.CreateVolume?.(asked());
    expect(await call.CreateVolume?.(asked())).toEqual(first);
    expect(done).toEqual(["create"]);
    expect([...stored.keys()]).toEqual(["tank/v/pvc-1"]);
  });

  it("removes the export before it destroys the dataset, and does not mind a volume that is gone", async () => {
    const { call, done } = fakeNas();
    await call.CreateVolume?.(asked());
    await call.DeleteVolume?.({ volume_id: "pvc-1" });
    await call.DeleteVolume?.({ volume_id: "pvc-1" });
    expect(done).toEqual(["create", "unexport 7", "destroy"]);
  });

  it("leaves a volume that it cannot destroy without export, as democratic-csi does, and tells why", async () => {
    const { call, stored } = fakeNas(["filesystem has dependent clones"]);
    await call.CreateVolume?.(asked());
    await expect(call.DeleteVolume?.({ volume_id: "pvc-1" })).rejects.toMatchObject({
      code: status.FAILED_PRECONDITION,
    });
    expect(stored.get("tank/v/pvc-1")?.[property.nfsShareId]).toBe(noExport);
  });

  it("refuses a second operation on a volume while the first runs", async () => {
    const { call } = fakeNas();
    const outcomes = await Promise.allSettled([call.CreateVolume?.(asked()), call.CreateVolume?.(asked())]);
    expect(
      outcomes.map((outcome) =>
        outcome.status === "rejected" ? (outcome.reason as { code: status }).code : status.OK,
      ),
    ).toEqual([status.OK, status.ABORTED]);
  });

  it("does not pretend to make a volume out of a snapshot", async () => {
    const { call, done } = fakeNas();
    const request = { ...asked(), volume_content_source: { snapshot: { snapshot_id: "pvc-0@s" } } };
    await expect(call.CreateVolume?.(request)).rejects.toMatchObject({ code: status.INVALID_ARGUMENT });
    expect(done).toEqual([]);
  });
});
