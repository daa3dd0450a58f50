/** What a credential may do, and what of that is too little or too much. */
import { afterEach, describe, expect, it } from "vitest";
import { type Bench, releases, startBench } from "./testing/subject.ts";

const routine = [
  "READONLY_ADMIN",
  "SNAPSHOT_WRITE",
  "DATASET_WRITE",
  "SHARING_NFS_WRITE",
  "SHARING_ISCSI_EXTENT_WRITE",
  "SHARING_ISCSI_TARGET_WRITE",
  "SHARING_ISCSI_TARGETEXTENT_WRITE",
];
const remover = ["READONLY_ADMIN", "SNAPSHOT_DELETE", "DATASET_DELETE"];

let bench: Bench;
afterEach(() => bench.close());

describe.each(releases)("%s over %s", (version, scheme) => {
  /** Until 25.04 no role lets anybody clone. */
  const clonesByRole = !/24\.10|25\.04/.test(version);
  const rightsOf = async (roles: readonly string[]) => {
    bench = await startBench(version, scheme);
    bench.server.middleware.roles = roles;
    return {
      routine: await (await bench.nas()).rights(),
      remover: await (await bench.remover()).rights(),
    };
  };

  it("finds nothing to say of the roles that docs/nas/truenas.md asks for", async () => {
    const { routine: found } = await rightsOf(routine);
    const missing = clonesByRole ? [] : ["FULL_ADMIN (for zfs.snapshot.clone)"];
    expect(found).toEqual({ user: "holdfast", granted: routine.toSorted(), missing, excessive: [] });
    await bench.close();
    expect((await rightsOf(remover)).remover).toMatchObject({ missing: [], excessive: [] });
  });

  it("names what is missing", async () => {
    const found = await rightsOf(["READONLY_ADMIN", "SNAPSHOT_WRITE"]);
    expect(found.routine.missing).toEqual([
      "DATASET_WRITE",
      "SHARING_NFS_WRITE",
      "SHARING_ISCSI_EXTENT_WRITE",
      "SHARING_ISCSI_TARGET_WRITE",
      "SHARING_ISCSI_TARGETEXTENT_WRITE",
      ...(clonesByRole ? [] : ["FULL_ADMIN (for zfs.snapshot.clone)"]),
    ]);
    expect(found.remover.missing).toEqual(["SNAPSHOT_DELETE", "DATASET_DELETE"]);
    expect(found.remover.excessive).toEqual(["SNAPSHOT_WRITE"]);
  });

  it("names what the routine user could destroy with", async () => {
    const found = await rightsOf([...routine, "DATASET_DELETE", "SNAPSHOT_DELETE", "POOL_WRITE", "REPLICATION_ADMIN"]);
    expect(found.routine.excessive).toEqual(["DATASET_DELETE", "POOL_WRITE", "REPLICATION_ADMIN", "SNAPSHOT_DELETE"]);
  });

  it("finds an administrator able to do everything, and too much", async () => {
    const found = await rightsOf(["FULL_ADMIN"]);
    for (const rights of [found.routine, found.remover])
      expect(rights).toMatchObject({ missing: [], excessive: ["FULL_ADMIN"] });
  });

  it("needs no reading of everything when each table may be read", async () => {
    const found = await rightsOf(["SNAPSHOT_WRITE", "DATASET_WRITE"]);
    expect(found.routine.missing).toContain("SNAPSHOT_TASK_READ");
    expect(found.routine.missing).not.toContain("SNAPSHOT_READ");
    expect(found.routine.missing.includes("POOL_READ")).toBe(!version.includes("24.10"));
  });
});

describe("a key of 24.10, which has no user and no roles", () => {
  const rightsOf = async (allowList: readonly object[] | undefined) => {
    bench = await startBench("TrueNAS-SCALE-24.10.2", "https");
    bench.server.middleware.roles = undefined;
    bench.server.middleware.allowList = allowList;
    return { routine: await (await bench.nas()).rights(), remover: await (await bench.remover()).rights() };
  };
  const allow = (...entries: readonly string[]) =>
    entries.map((entry) => ({ method: entry.split(" ")[0], resource: entry.split(" ")[1] }));

  it("is not known when it may not look at itself", async () => {
    const { routine } = await rightsOf(undefined);
    expect(routine).toEqual({ user: "holdfast", granted: ["unknown"], missing: [], excessive: [] });
  });

  it("that may do everything may do too much, for either purpose", async () => {
    const { routine, remover } = await rightsOf(allow("* *"));
    expect(routine).toMatchObject({ granted: ["* *"], missing: [] });
    expect(routine.excessive).toContain("DELETE /pool/dataset/id/{id_}");
    expect(remover.excessive).not.toContain("DELETE /pool/dataset/id/{id_}");
    expect(remover.excessive).toContain("POST /zfs/snapshot/rollback");
  });

  it("may do what its list says, and no more", async () => {
    const { routine, remover } = await rightsOf(allow("GET *", "DELETE /zfs/snapshot/id/*", "POST /zfs/snapshot"));
    expect(routine.missing).toContain("PUT /pool/dataset/id/{id_}");
    expect(routine.missing).toContain("POST /zfs/snapshot/clone");
    expect(routine.missing).not.toContain("POST /zfs/snapshot");
    expect(routine.excessive).toEqual(["DELETE /zfs/snapshot/id/{id_}"]);
    expect(remover).toMatchObject({ missing: ["DELETE /pool/dataset/id/{id_}"], excessive: [] });
  });
});
