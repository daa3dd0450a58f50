import { beforeEach, describe, expect, it } from "vitest";
import { Failure } from "../model/failure.ts";
import type { PointDetails } from "../model/point.ts";
import { volumeName } from "../model/volume.ts";
import { MemoryBucket } from "../systems/s3/memory.ts";
import { storeBackup } from "../systems/velero/testing/stored-backup.ts";
import { type LastKnown, readLastKnown } from "./last-known.ts";
import { aPoint } from "./sample.ts";

let bucket: MemoryBucket;
beforeEach(() => {
  bucket = new MemoryBucket({ now: () => 0 });
});

const archiveKey = (name: string): string => `velero/backups/${name}/${name}.tar.gz`;
const pointOf = (backup: string, part: Partial<PointDetails> = {}): PointDetails =>
  aPoint({ id: backup, backup, ...part });
const read = (...points: readonly PointDetails[]): Promise<LastKnown | undefined> =>
  readLastKnown(bucket, "velero/", points);

const claim = (name: string): object => ({
  kind: "PersistentVolumeClaim",
  apiVersion: "v1",
  metadata: { name, namespace: "media", uid: `uid-${name}` },
  spec: { volumeName: `pv-${name}`, accessModes: ["ReadWriteOnce"] },
  status: { phase: "Bound", capacity: { storage: "1Gi" } },
});
const store = (
  name: string,
  claims: readonly string[],
  others: Readonly<Record<string, object>> = {},
): Promise<void> => {
  const objects = claims.map((item) => [`resources/persistentvolumeclaims/namespaces/media/${item}.json`, claim(item)]);
  return storeBackup(bucket, { name, contents: { ...Object.fromEntries(objects), ...others } });
};

describe("what is known of a cluster that does not answer", () => {
  it("are the volumes in the newest backup's archive, with what is behind them and who uses them", async () => {
    await store("old", ["gone"]);
    await store("new", ["sonarr-config"], {
      "resources/namespaces/cluster/media.json": { kind: "Namespace", metadata: { name: "media" } },
      "resources/persistentvolumes/cluster/pv-sonarr-config.json": {
        kind: "PersistentVolume",
        metadata: { name: "pv-sonarr-config", uid: "u" },
        spec: { persistentVolumeReclaimPolicy: "Delete", csi: { driver: "driver", volumeHandle: "handle" } },
      },
      "resources/deployments.apps/namespaces/media/sonarr.json": {
        kind: "Deployment",
        metadata: { name: "sonarr", namespace: "media", uid: "d" },
        spec: {
          template: {
            spec: { containers: [], volumes: [{ name: "c", persistentVolumeClaim: { claimName: "sonarr-config" } }] },
          },
        },
      },
    });
    const known = await read(pointOf("new"), pointOf("old"));
    expect(known?.point.id).toBe("new");
    expect(known?.volumes).toHaveLength(1);
    expect(known?.volumes[0]).toMatchObject({
      namespace: "media",
      claim: "sonarr-config",
      phase: "Bound",
      capacity: 2 ** 30,
      backing: { name: "pv-sonarr-config", driver: "driver", handle: "handle" },
      workloads: [{ kind: "Deployment", name: "sonarr" }],
    });
  });

  it("comes from the newest backup that has an archive", async () => {
    await store("old", ["a"]);
    await storeBackup(bucket, { name: "running", without: ["contents"] });
    const known = await read(pointOf("running"), pointOf("old"));
    expect(known?.point.id).toBe("old");
    expect(known?.volumes.map(volumeName)).toEqual(["media/a"]);
  });

  it("comes rather from an older backup of ours than from one of others, which may be of one namespace only", async () => {
    await store("theirs", ["a"]);
    await store("ours", ["a", "b"]);
    expect((await read(pointOf("theirs", { ours: false }), pointOf("ours")))?.point.id).toBe("ours");
    expect((await read(pointOf("theirs", { ours: false })))?.point.id).toBe("theirs");
  });

  it("comes rather from an older backup of everything than from the last copy of some volumes", async () => {
    await store("part", ["a"]);
    await store("whole", ["a", "b"]);
    expect((await read(pointOf("part", { partial: true }), pointOf("whole")))?.point.id).toBe("whole");
  });

  it("comes from an older backup when the newest archive is damaged", async () => {
    await store("old", ["a"]);
    bucket.seed(archiveKey("damaged"), "no archive");
    expect((await read(pointOf("damaged"), pointOf("old")))?.point.id).toBe("old");
  });

  it("is COPY_CORRUPT, naming the newest, when all archives are damaged", async () => {
    bucket.seed(archiveKey("one"), "no archive");
    bucket.seed(archiveKey("two"), "no archive");
    await expect(read(pointOf("one"), pointOf("two"))).rejects.toMatchObject({
      code: "COPY_CORRUPT",
      what: expect.stringContaining(archiveKey("one")) as string,
    });
  });

  it("is nothing without a backup, or without an archive", async () => {
    expect(await read()).toBeUndefined();
    expect(await read(pointOf("absent"))).toBeUndefined();
  });

  it("ends with the bucket's failure when the bucket fails", async () => {
    await store("old", ["a"]);
    const gone = new Failure("BUCKET_UNREACHABLE", { what: "off" });
    bucket.fail(({ key }) => key === archiveKey("new"), gone);
    await expect(read(pointOf("new"), pointOf("old"))).rejects.toBe(gone);
  });
});
