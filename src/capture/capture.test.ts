import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aVolume } from "../inventory/sample.ts";
import { aCluster, type Cluster } from "../restore/testing/cluster.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import {
  type CaptureOptions,
  type CaptureProgress,
  finishCapture,
  newPointId,
  startCapture,
  waitForCapture,
  waitForStaged,
} from "./capture.ts";
import { planCapture } from "./plan.ts";

let cluster: Cluster;
beforeEach(async () => {
  cluster = await aCluster(1);
  cluster.kubernetes.put(resources.namespaces, { metadata: { name: "velero" } });
});
afterEach(() => cluster.controllers.stop());

const seen: CaptureProgress[] = [];
const options = (): CaptureOptions => {
  seen.length = 0;
  const { context, kubernetes } = cluster;
  return {
    context,
    kubernetes,
    veleroNamespace: "velero",
    storageLocation: "default",
    policyConfigMap: undefined,
    image: "holdfast:1",
    stagingTimeout: 5000,
    timeout: 10_000,
    onProgress: (progress) => seen.push(progress),
  };
};
const plan = planCapture([aVolume({ mounts: [] })], []);
const backup = (name = "holdfast-p1") =>
  cluster.kubernetes.as("test").get(resources.backups, { namespace: "velero", name });
const staging = async () => (await cluster.pods()).filter((name) => name.startsWith("holdfast-staging-"));

/** Velero, of which each backup goes through these states at once. */
const velero = (...states: readonly object[]): void => {
  const user = cluster.kubernetes.as("velero");
  cluster.kubernetes.onChange(resources.backups, async ({ type, object }) => {
    if (type !== "ADDED") return;
    for (const status of states) await user.mergePatch(resources.backups, object.metadata, { status });
  });
};
const copyOf = (claim: string, status: object): void =>
  void cluster.kubernetes.put(resources.podVolumeBackups, {
    metadata: {
      name: `pvb-${claim}`,
      namespace: "velero",
      labels: { "velero.io/backup-name": "holdfast-p1" },
      annotations: { "velero.io/pvc-name": claim },
    },
    spec: { pod: { namespace: "media" } },
    status,
  } as never);

/** The whole life of a capture, as the command leads it. */
const capture = async () => {
  const all = options();
  try {
    return await waitForCapture(await startCapture("p1", plan, all), all);
  } finally {
    await finishCapture(all);
  }
};

describe("newPointId", () => {
  it("is the UTC time to the minute and something random", () => {
    expect(newPointId(cluster.context)).toMatch(/^20260101t\d{4}-[a-z0-9]{4}$/);
  });
});

describe("a capture", () => {
  it("stages what nobody mounts, backs up everything, and leaves no pod", async () => {
    const all = options();
    expect(await startCapture("p1", plan, all)).toBe("holdfast-p1");
    expect(await staging()).toEqual(["holdfast-staging-sonarr-config"]);
    expect(await backup()).toMatchObject({
      metadata: { labels: { "holdfast.dev/point": "p1" } },
      spec: { includedNamespaces: ["*"], defaultVolumesToFsBackup: true, storageLocation: "default" },
    });
    await finishCapture(all);
    expect(await staging()).toEqual([]);
  });

  it.each(["Completed", "PartiallyFailed"])("gives the backup that ended as %s", async (phase) => {
    velero({ phase });
    expect(await capture()).toMatchObject({ status: { phase } });
    expect(await staging()).toEqual([]);
  });

  it.each([
    [{ phase: "FailedValidation", validationErrors: ["no such location"] }, "no such location"],
    [{ phase: "Failed", failureReason: "out of memory" }, "out of memory"],
  ])("fails with Velero's reasons when it ended as %o, and leaves no pod", async (status, why) => {
    velero(status);
    await expect(capture()).rejects.toMatchObject({ code: "BACKUP_FAILED", why });
    expect(await staging()).toEqual([]);
  });

  it("tells a Velero that ended meanwhile from a backup that failed, and leaves no pod", async () => {
    const failureReason = 'found a backup with status "InProgress" during the server starting, mark it as "Failed"';
    velero({ phase: "InProgress" }, { phase: "Failed", failureReason });
    await expect(capture()).rejects.toMatchObject({ code: "BACKUP_INTERRUPTED" });
    expect(await staging()).toEqual([]);
  });

  it("leaves no pod when it is interrupted, and Velero goes on", async () => {
    velero({ phase: "InProgress" });
    const all = { ...options(), onProgress: () => cluster.stop.abort() };
    await startCapture("p1", plan, all);
    await expect(waitForCapture("holdfast-p1", all)).rejects.toMatchObject({ name: "AbortError" });
    await finishCapture(all);
    expect([await staging(), (await backup()) !== undefined]).toEqual([[], true]);
  });

  it("is refused while another one runs, and makes nothing", async () => {
    cluster.kubernetes.put(resources.backups, {
      metadata: { name: "holdfast-p0", namespace: "velero", labels: { "holdfast.dev/point": "p0" } },
    });
    await expect(startCapture("p1", plan, options())).rejects.toMatchObject({
      code: "LOCKED",
      what: "The backup holdfast-p0 is still New.",
    });
    expect([await staging(), await backup()]).toEqual([[], undefined]);
  });

  it("does not mind an earlier one that has ended, nor one that is not ours", async () => {
    cluster.kubernetes.put(resources.backups, {
      metadata: { name: "holdfast-p0", namespace: "velero", labels: { "holdfast.dev/point": "p0" } },
      status: { phase: "Failed" },
    } as never);
    cluster.kubernetes.put(resources.backups, {
      metadata: { name: "nightly", namespace: "velero" },
      status: { phase: "InProgress" },
    } as never);
    await expect(startCapture("p1", plan, options())).resolves.toBe("holdfast-p1");
  });

  it("goes on without a volume whose staging pod does not start", async () => {
    cluster.outcome = () => "pending";
    await expect(startCapture("p1", plan, options())).resolves.toBe("holdfast-p1");
    expect(await backup()).toBeDefined();
  });

  it("fails when the backup is deleted meanwhile, and when it takes too long", async () => {
    await expect(waitForCapture("holdfast-gone", options())).rejects.toMatchObject({ code: "BACKUP_FAILED" });
    velero({ phase: "InProgress" });
    await expect(capture()).rejects.toMatchObject({
      code: "TIMEOUT",
      what: "The backup holdfast-p1 is still InProgress.",
    });
  });

  it("tells how far it is", async () => {
    velero({ phase: "Completed", progress: { itemsBackedUp: 3, totalItems: 9 } });
    copyOf("a", { phase: "Completed", progress: { bytesDone: 10, totalBytes: 10 } });
    copyOf("b", { phase: "InProgress", progress: { bytesDone: 1, totalBytes: 5 } });
    await capture();
    expect(seen.at(-1)).toEqual({
      phase: "Completed",
      itemsDone: 3,
      itemsTotal: 9,
      volumesDone: 1,
      volumesTotal: 2,
      bytesDone: 11,
      bytesTotal: 15,
    });
  });
});

describe("waitForStaged", () => {
  it("waits for the staged volumes' copies and for nothing else", async () => {
    velero({ phase: "InProgress" });
    await startCapture("p1", plan, options());
    copyOf("other", { phase: "InProgress" });
    await expect(waitForStaged("holdfast-p1", plan, options())).rejects.toMatchObject({
      code: "TIMEOUT",
      what: expect.stringContaining("media/sonarr-config") as string,
    });
    copyOf("sonarr-config", { phase: "Completed" });
    await expect(waitForStaged("holdfast-p1", plan, options())).resolves.toBeUndefined();
  });

  it("ends with the backup, whatever was copied", async () => {
    velero({ phase: "Failed" });
    await startCapture("p1", plan, options());
    await expect(waitForStaged("holdfast-p1", plan, options())).resolves.toBeUndefined();
  });
});
