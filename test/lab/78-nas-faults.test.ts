/** A NAS, a bucket and credentials that fail during a restore from a snapshot: a clear answer each, and nothing is lost. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { storageClassNames } from "../../lab/csi/manifests.ts";
import { withoutSync } from "../../lab/nas/fuse.ts";
import { datasets } from "../../lab/nas/nas.ts";
import { nasUsers } from "../../lab/nas/truenas-daemon.ts";
import type { PlannedFault } from "../../lab/nas/truenas/faults.ts";
import { runInside } from "../../lab/site/daemon.ts";
import { applyObjects } from "../../lab/site/kubectl.ts";
import { openRunningLab, type RunningLab } from "./running-lab.ts";
import type { OperationsAnswer } from "./support/answers.ts";
import { answer, holdfast, type HoldfastOptions, succeed } from "./support/cli.ts";
import { type ClaimPath, inClaim, leftovers, makeClaim, pvOf, removeClaim } from "./support/cluster.ts";
import { type LabConfig, openFolder } from "./support/configs.ts";
import { clearFaults, planFault } from "./support/nas-faults.ts";

const folder = openFolder();
const claim: ClaimPath = ["misc", "faulty"];
const name = claim.join("/");
const restoring = ["restore", name, "--from", "zfs", "--snapshot", "earlier", "--yes"] as const;

let lab: RunningLab;

const plan = (method: string, fault: PlannedFault["fault"]): Promise<void> => planFault(lab, { method, fault });

const write = (text: string): Promise<string> => inClaim(lab, claim, `echo ${text} >mark.txt; sync mark.txt`);
const read = async (): Promise<string> => (await inClaim(lab, claim, "cat mark.txt")).trim();
const pv = (): Promise<string> => pvOf(lab, claim);

const newest = async (): Promise<OperationsAnswer["operations"][number] | undefined> =>
  (await answer<OperationsAnswer>(["operations"])).operations[0];

beforeAll(async () => {
  lab = await openRunningLab();
  await makeClaim(lab, claim, { storageClass: storageClassNames.nfs, size: "1Gi" });
  await write("earlier");
  const handle = await lab.kubectl(["get", "pv", await pv(), "-o", "jsonpath={.spec.csi.volumeHandle}"]);
  await runInside(lab.lab, "nas", [...withoutSync(), "zfs", "snapshot", `${datasets.nfs}/${handle.trim()}@earlier`]);
  await write("present");
});
beforeEach(() => clearFaults(lab));
afterAll(async () => {
  await clearFaults(lab);
  await removeClaim(lab, claim);
});

/** The claim, its files, the cluster and the NAS as if nobody had tried, and nothing that a new try would meet. */
const asBefore = async (volume: string): Promise<void> => {
  expect(await pv()).toBe(volume);
  expect(await read()).toBe("present");
  expect(await leftovers(lab)).toEqual([]);
  const { orphans } = await answer<{ readonly orphans: readonly { readonly name: string }[] }>(["nas", "orphans"]);
  expect(orphans).toEqual([]);
};

const refused = async (code: string, status: number, options: HoldfastOptions & { words?: readonly string[] } = {}) => {
  const { words = [], ...rest } = options;
  const ran = await holdfast([...restoring, ...words], rest);
  expect({ status: ran.status, stderr: ran.stderr }).toMatchObject({
    status,
    stderr: expect.stringContaining(`(${code})`) as string,
  });
};

describe("a restore from a snapshot that the NAS refuses", () => {
  it.each([
    ["pool.snapshot.clone", { kind: "no-space" }, "NAS_FULL", 1],
    ["pool.snapshot.clone", { kind: "read-only" }, "NAS_READ_ONLY", 1],
    ["pool.snapshot.clone", { kind: "suspended" }, "NAS_READ_ONLY", 1],
    ["sharing.nfs.create", { kind: "without-role", role: "SHARING_NFS_WRITE" }, "NAS_FORBIDDEN", 5],
    ["sharing.nfs.create", { kind: "no-space" }, "NAS_FULL", 1],
  ] as const)("in %s, %j, ends with everything as it was, and says %s", async (method, fault, code, status) => {
    const volume = await pv();
    await plan(method, fault);
    await refused(code, status);
    expect(await newest()).toMatchObject({ status: "as-before", setAside: [] });
    await asBefore(volume);
  });
});

describe("a restore from a snapshot whose connection to the NAS breaks", () => {
  it.each([
    ["pool.snapshot.clone", "drop-after"],
    ["sharing.nfs.create", "drop-before"],
  ] as const)("in %s, %s, goes on, and is undone as any other", async (method, kind) => {
    await plan(method, { kind });
    await succeed([...restoring]);
    expect(await read()).toBe("earlier");
    const operation = await newest();
    await succeed(["undo", operation?.id ?? "", "--yes"]);
    expect(await read()).toBe("present");
    await succeed(["settle", (await newest())?.id ?? "", "--yes"]);
    await asBefore(await pv());
  });
});

interface NasConfig extends LabConfig {
  nas: { url: string; key: { file: string } };
}

const withNas = (title: string, change: (nas: NasConfig["nas"]) => void): readonly string[] => [
  "--config",
  folder.config(title, (config) => change((config as NasConfig).nas)),
];

describe("a restore from a snapshot with the wrong means", () => {
  it.each([
    ["a key that the NAS does not know", "NAS_UNAUTHORIZED", 1],
    ["an address without TLS, to which the key is not even sent", "NAS_INSECURE", 2],
    ["an address where no NAS is", "NAS_UNREACHABLE", 1],
  ] as const)("%s: %s, and nothing has changed", async (_, code, status) => {
    const volume = await pv();
    const wrong = folder.write("wrong-key", nasUsers.holdfast.key.replace("Lab", "Bal"));
    const words = withNas(code, (nas) => {
      if (code === "NAS_UNAUTHORIZED") nas.key.file = wrong;
      if (code === "NAS_INSECURE") nas.url = nas.url.replace("wss:", "ws:");
      if (code === "NAS_UNREACHABLE") nas.url = nas.url.replace("nas.lab", "nas.lab:9");
    });
    await refused(code, status, { words });
    // The key was not revoked.
    await asBefore(volume);
  });

  it("a volume of a driver that nobody knows: DATASET_UNKNOWN", async () => {
    const meta = { name: "unknown-driver", namespace: "misc" };
    await applyObjects(lab.kubectl, [
      {
        apiVersion: "v1",
        kind: "PersistentVolume",
        metadata: { name: meta.name },
        spec: {
          capacity: { storage: "1Gi" },
          accessModes: ["ReadWriteOnce"],
          persistentVolumeReclaimPolicy: "Retain",
          storageClassName: "",
          claimRef: meta,
          csi: { driver: "csi.example.com", volumeHandle: "vol-1" },
        },
      },
      {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: meta,
        spec: {
          accessModes: ["ReadWriteOnce"],
          storageClassName: "",
          volumeName: meta.name,
          resources: { requests: { storage: "1Gi" } },
        },
      },
    ]);
    try {
      await lab.kubectl([
        "-n",
        meta.namespace,
        "wait",
        "--for=jsonpath={.status.phase}=Bound",
        `persistentvolumeclaim/${meta.name}`,
        "--timeout=30s",
      ]);
      const { status, stderr } = await holdfast(["restore", "misc/unknown-driver", "--from", "zfs", "--yes"]);
      expect({ status, stderr }).toMatchObject({
        status: 5,
        stderr: expect.stringContaining("(DATASET_UNKNOWN)") as string,
      });
    } finally {
      await removeClaim(lab, [meta.namespace, meta.name]);
      await lab.kubectl(["delete", "pv", meta.name, "--wait=false"]);
    }
  });
});

describe("a bucket that is down for the whole operation", () => {
  it("keeps no restore from a snapshot from being made and undone, and is told of both when it is back", async () => {
    const away = folder.config("no-bucket", ({ bucket }) => (bucket.endpoint = "https://nas.lab:9"));
    await succeed([...restoring, "--config", away]);
    expect(await read()).toBe("earlier");
    const { operations } = await answer<OperationsAnswer>(["operations", "--config", away]);
    await succeed(["undo", operations[0]?.id ?? "", "--yes", "--config", away]);
    expect(await read()).toBe("present");
    const [undo, restore] = (await answer<OperationsAnswer>(["operations"])).operations;
    expect([undo?.status, restore?.status]).toEqual(["done", "undone"]);
    await succeed(["settle", undo?.id ?? "", "--yes"]);
    await asBefore(await pv());
  });
});
