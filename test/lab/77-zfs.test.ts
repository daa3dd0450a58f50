/** Restores from ZFS snapshots on the lab's NAS, through its TrueNAS API, on both StorageClasses: judged by content. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { storageClassNames } from "../../lab/csi/manifests.ts";
import { datasets } from "../../lab/nas/nas.ts";
import { withoutSync } from "../../lab/nas/fuse.ts";
import { runInside } from "../../lab/site/daemon.ts";
import { openRunningLab, type RunningLab } from "./running-lab.ts";
import type { OperationsAnswer } from "./support/answers.ts";
import { answer, holdfast, lines, startHoldfast, succeed } from "./support/cli.ts";
import {
  type ClaimPath,
  inClaim,
  leftovers,
  makeClaim,
  pvOf,
  removeClaim,
  replicas,
  setReclaimPolicy,
} from "./support/cluster.ts";

let lab: RunningLab;
let before: Readonly<Record<string, string>>;

const classes = [
  ["nfs", storageClassNames.nfs, datasets.nfs],
  ["iscsi", storageClassNames.iscsi, datasets.iscsi],
] as const;

const growing = { timeout: 120_000, interval: 2000 } as const;

const claimOf = (protocol: string): ClaimPath => ["misc", `zfs-${protocol}`];

beforeAll(async () => {
  lab = await openRunningLab();
  before = await replicas(lab);
  for (const [protocol, storageClass] of classes)
    await makeClaim(lab, claimOf(protocol), { storageClass, size: "1Gi" });
});
afterAll(async () => {
  for (const [protocol] of classes) await removeClaim(lab, claimOf(protocol));
});

/** As somebody does it on the NAS itself. */
const zfs = async (...words: readonly string[]): Promise<string> =>
  (await runInside(lab.lab, "nas", [...withoutSync(), "zfs", ...words])).stdout;

const handleOf = async (claim: ClaimPath): Promise<string> =>
  (await lab.kubectl(["get", "pv", await pvOf(lab, claim), "-o", "jsonpath={.spec.csi.volumeHandle}"])).trim();

const write = (claim: ClaimPath, text: string): Promise<string> =>
  inClaim(lab, claim, `echo ${text} >mark.txt; sync mark.txt`);
const read = async (claim: ClaimPath): Promise<string> => (await inClaim(lab, claim, "cat mark.txt")).trim();

interface Result {
  readonly type: string;
  readonly operation: string;
}

const restored = async (claim: ClaimPath, ...words: readonly string[]): Promise<string> => {
  const stdout = await succeed(["restore", claim.join("/"), "--from", "zfs", "--yes", "--json", ...words]);
  return lines<Result>(stdout).find(({ type }) => type === "result")?.operation ?? "";
};

describe.each(classes)("a volume on %s", (protocol, _, parent) => {
  const claim = claimOf(protocol);
  const name = claim.join("/");

  it("comes back from the newest snapshot with nothing copied, and the present dataset stays", async () => {
    await write(claim, "first");
    const [pv, handle] = [await pvOf(lab, claim), await handleOf(claim)];
    await zfs("snapshot", `${parent}/${handle}@one`);
    await write(claim, "second");
    const plan = await succeed(["restore", name, "--from", "zfs", "--dry-run"]);
    expect(plan).toContain(`${parent}/${handle}@one`);
    await restored(claim);
    expect(await read(claim)).toBe("first");
    expect(await pvOf(lab, claim)).not.toBe(pv);
    const [policy, own] = [
      await lab.kubectl(["get", "pv", await pvOf(lab, claim), "-o", "jsonpath={.spec.persistentVolumeReclaimPolicy}"]),
      await lab.kubectl(["get", "pv", pv, "-o", "jsonpath={.spec.persistentVolumeReclaimPolicy}"]),
    ];
    expect([policy, own]).toEqual(["Retain", "Retain"]);
    expect(await zfs("list", "-H", "-o", "name", `${parent}/${handle}`)).toBe(`${parent}/${handle}\n`);
    expect(await leftovers(lab)).toEqual([]);
  });

  it("is taken back after a second restore that was taken back first", async () => {
    await zfs("snapshot", `${parent}/${await handleOf(claim)}@extra`);
    await write(claim, "between");
    await restored(claim, "--snapshot", "extra");
    expect(await read(claim)).toBe("first");
    await succeed(["undo", "--yes"]);
    expect(await read(claim)).toBe("between");
    const [second] = (await answer<OperationsAnswer>(["operations"])).operations;
    // Its clone would keep the driver from deleting the dataset.
    await succeed(["settle", second?.id ?? "", "--yes"]);
    await succeed(["undo", "--yes"]);
    expect(await read(claim)).toBe("second");
    const [first] = (await answer<OperationsAnswer>(["operations"])).operations;
    await succeed(["undo", first?.id ?? "", "--yes"]);
    expect(await read(claim)).toBe("between");
  });

  it("is taken back with what was there before, and forth again with what was written since", async () => {
    await write(claim, "third");
    const [operation] = (await answer<OperationsAnswer>(["operations"])).operations;
    await succeed(["undo", operation?.id ?? "", "--yes"]);
    expect(await read(claim)).toBe("second");
    const policy = ["-o", "jsonpath={.spec.persistentVolumeReclaimPolicy}"];
    expect(await lab.kubectl(["get", "pv", await pvOf(lab, claim), ...policy])).toBe("Delete");
    const [undo] = (await answer<OperationsAnswer>(["operations"])).operations;
    await succeed(["undo", undo?.id ?? "", "--yes"]);
    expect(await read(claim)).toBe("third");
  });

  it("settled, lives by itself: its next snapshot and a restore from it work as before", async () => {
    const [operation] = (await answer<OperationsAnswer>(["operations"])).operations;
    await succeed(["settle", operation?.id ?? "", "--yes"]);
    expect(await read(claim)).toBe("third");
    const handle = await handleOf(claim);
    expect((await zfs("get", "-H", "-o", "value", "origin", `${parent}/${handle}`)).trim()).toBe("-");
    expect((await zfs("list", "-H", "-o", "name", "-r", parent)).includes(handle.replace(/-r[a-z0-9]{6}$/, "\n"))).toBe(
      false,
    );
    await zfs("snapshot", `${parent}/${handle}@two`);
    await write(claim, "fourth");
    const id = await restored(claim, "--snapshot", "two");
    expect(await read(claim)).toBe("third");
    await succeed(["settle", id, "--yes"]);
    expect(await read(claim)).toBe("third");
  });

  it("grows as any other, with what is in it", async () => {
    const [namespace, pvc] = claim;
    const size = async () =>
      (await lab.kubectl(["-n", namespace, "get", "pvc", pvc, "-o", "jsonpath={.status.capacity.storage}"])).trim();
    const larger = JSON.stringify({ spec: { resources: { requests: { storage: "2Gi" } } } });
    await lab.kubectl(["-n", namespace, "patch", "pvc", pvc, "-p", larger]);
    // The image's file system grows when the volume is staged: `read` mounts it.
    await expect.poll(async () => ((await read(claim)) === "third" ? size() : "other files"), growing).toBe("2Gi");
    const bytes = await inClaim(lab, claim, "stat -f -c '%b * %S' . | xargs expr");
    expect(Number(bytes)).toBeGreaterThan(1.8 * 2 ** 30);
  });

  it("is refused a snapshot that it has not, with the nearest name", async () => {
    const ran = await holdfast(["restore", name, "--from", "zfs", "--snapshot", "twoo", "--yes"]);
    expect(ran).toMatchObject({ status: 10, stderr: expect.stringContaining("Did you mean two?") as string });
  });

  it("killed in the middle of the exchange, is resumed", async () => {
    await write(claim, "fifth");
    const running = startHoldfast(["restore", name, "--from", "zfs", "--yes"]);
    await running.until(/\nbind |\nmake the PersistentVolume/);
    running.child.kill("SIGKILL");
    await running.ended;
    let resumed = await holdfast(["resume", "--yes"]);
    for (let tries = 0; tries < 40 && resumed.status === 11; tries += 1) resumed = await holdfast(["resume", "--yes"]);
    expect({ status: resumed.status, stderr: resumed.stderr }).toMatchObject({ status: 0 });
    expect(await read(claim)).toBe("third");
    const [operation] = (await answer<OperationsAnswer>(["operations"])).operations;
    expect(operation?.status).toBe("done");
    await succeed(["settle", operation?.id ?? "", "--yes"]);
  });

  it("is deleted by the storage driver as any other", async () => {
    const [pv, handle] = [await pvOf(lab, claim), await handleOf(claim)];
    await setReclaimPolicy(lab, pv, "Delete");
    await removeClaim(lab, claim);
    await lab.kubectl(["wait", "--for=delete", `pv/${pv}`, "--timeout=60s"]);
    const left = await zfs("list", "-H", "-o", "name", "-r", parent);
    expect(left).not.toContain(handle);
    expect(await replicas(lab)).toEqual(before);
  });
});

describe("the NAS", () => {
  it("is looked at by doctor, and nothing is wrong", async () => {
    const { checks } = await answer<{ readonly checks: readonly { readonly id: string; readonly verdict: string }[] }>([
      "doctor",
    ]);
    const found = checks.filter(({ id }) => id.startsWith("nas"));
    expect(found.map(({ id, verdict }) => [id, verdict])).toEqual(
      ["nas", "nas-parents", "nas-rights", "nas-remover", "nas-pool", "nas-snapshot-tasks", "nas-replication"].map(
        (id) => [id, "ok"],
      ),
    );
  });

  it("has no orphan after all that", async () => {
    const { orphans } = await answer<{ readonly orphans: readonly { readonly name: string }[] }>(["nas", "orphans"]);
    expect(orphans.map(({ name }) => name)).toEqual([]);
  });
});
