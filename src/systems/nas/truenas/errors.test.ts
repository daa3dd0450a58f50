/** What TrueNAS' refusals come to, over both wires. */
import { describe, expect, it } from "vitest";
import { ApiRefusal } from "./api.ts";
import { failureOfRefusal, refusalOfRest, refusalOfRpc } from "./errors.ts";
import { rolesOf } from "./methods.ts";

const call = (errno: number, reason: string) => ({
  code: -32_001,
  message: "Method call error",
  data: { error: errno, errname: "E", reason, trace: { formatted: "a long trace" }, extra: null },
});
const invalid = (...extra: readonly (readonly [string | null, string, number])[]) => ({
  code: -32_602,
  message: "Invalid params",
  data: { error: 22, errname: "EINVAL", reason: extra.map(([, message]) => message).join("\n"), extra },
});

describe("a refusal", () => {
  it.each([
    [
      "a name that is taken, until 25.10",
      call(17, "[EEXIST] Failed to snapshot a@b: dataset already exists"),
      "NAS_EXISTS",
    ],
    ["a name that is taken, in 26", invalid(["pool.snapshot.create", "b already exists.", 17]), "NAS_EXISTS"],
    [
      "a name that is taken, said in words only",
      call(14, "[EFAULT] Failed to clone: dataset already exists"),
      "NAS_EXISTS",
    ],
    [
      "a target's name",
      invalid(["iscsi_target_create.name", "Target with this name already exists", 22]),
      "NAS_EXISTS",
    ],
    ["an extent's name", invalid(["iscsi_extent_create.name", "Extent name must be unique", 22]), "NAS_EXISTS"],
    ["a conflict of snapshots", call(14, "[EFAULT] Failed to promote: conflicting snapshot 's'"), "NAS_EXISTS"],
    ["an object that is not there", invalid([null, "PoolDataset tank/x does not exist", 2]), "NAS_MISSING"],
    ["a dataset that is not there", call(14, "[EFAULT] cannot open 'tank/x': dataset does not exist"), "NAS_MISSING"],
    ["a path that is not there, in 26", invalid(["zfs.resource.promote", "'tank/x' not found", 2]), "NAS_MISSING"],
    ["a dataset in use", call(14, "[EFAULT] cannot unmount '/mnt/tank/x': pool or dataset is busy"), "NAS_BUSY"],
    ["a target in use", call(14, "[EFAULT] Target pvc-1 is in use."), "NAS_BUSY"],
    ["targets in use", call(14, "[EFAULT] Associated target(s) a,b are in use."), "NAS_BUSY"],
    ["a held snapshot, in 26", invalid(["x", "'a@s' has the following holds: truenas", 16]), "NAS_BUSY"],
    [
      "clones, until 25.10",
      invalid(["options.defer", "'a@s' snapshot has dependent clones: tank/b", 22]),
      "NAS_HAS_CLONES",
    ],
    ["clones, in 26", invalid(["x", "'a@s' has the following clones: tank/b", 16]), "NAS_HAS_CLONES"],
    ["clones of a filesystem", call(14, "[EFAULT] filesystem has dependent clones\nuse '-R'"), "NAS_HAS_CLONES"],
    ["children", call(39, "[ENOTEMPTY] cannot destroy 'a': filesystem has children"), "NAS_HAS_CHILDREN"],
    ["what is not empty", call(39, "[ENOTEMPTY] Directory not empty"), "NAS_HAS_CHILDREN"],
    ["a full pool", call(14, "[EFAULT] Failed to snapshot a@b: out of space"), "NAS_FULL"],
    ["a full disk", call(28, "[ENOSPC] No space left on device"), "NAS_FULL"],
    ["a full quota", call(122, "[EDQUOT] Disk quota exceeded"), "NAS_FULL"],
    ["a read-only pool", call(14, "[EFAULT] cannot create 'tank/x': pool is read-only"), "NAS_READ_ONLY"],
    ["a suspended pool", call(14, "[EFAULT] cannot open 'tank': pool I/O is currently suspended"), "NAS_READ_ONLY"],
    ["a read-only file system", call(30, "[EROFS] Read-only file system"), "NAS_READ_ONLY"],
    ["a right", call(13, "[EACCES] Not authorized"), "NAS_FORBIDDEN"],
    ["a protected path", invalid(["x", "'tank/.system' is a protected path.", 13]), "NAS_REFUSED"],
    ["a size", invalid(["pool_dataset_update.refquota", "Input should be greater than 1073741824", 22]), "NAS_REFUSED"],
    ["an unknown method", { code: -32_601, message: "Method does not exist" }, "NAS_REFUSED"],
    ["a method that is gone", call(201, "[ENOMETHOD] Method does not exist"), "NAS_REFUSED"],
    ["something internal", { code: -32_603, message: "Internal error", data: null }, "NAS_REFUSED"],
  ])("because of %s", (_, error, code) => {
    const failure = failureOfRefusal(refusalOfRpc("pool.dataset.update", error), "Cannot do it.");
    expect(failure.code).toBe(code);
    expect(failure.what).toBe("Cannot do it.");
    expect(failure.message).not.toContain("trace");
    expect(failure.why).not.toContain("trace");
  });

  it("of a method that TrueNAS does not have never says that an object is not there", () => {
    const refusals = [
      refusalOfRpc("zfs.resource.snapshot.query", { code: -32_601, message: "Method does not exist" }),
      refusalOfRest("zfs.snapshot.query", 404, "404: Not Found"),
    ];
    for (const { errno } of refusals) expect(errno).not.toBe(2);
  });

  it("is worded in TrueNAS' own words, on one line, all of them", () => {
    const error = invalid(["data.name", "first", 22], [null, "second\n  line", 17]);
    const refusal = refusalOfRpc("pool.snapshot.create", error);
    expect(refusal.message).toBe("data.name: first; second line");
    expect(refusal.errno).toBe(17);
    expect(failureOfRefusal(refusal, "x").why).toBe("TrueNAS says: data.name: first; second line");
  });

  it.each([
    ["pool.snapshot.create", ["SNAPSHOT_WRITE"]],
    ["zfs.snapshot.query", ["SNAPSHOT_READ"]],
    ["zfs.snapshot.clone", ["FULL_ADMIN"]],
    ["pool.snapshot.clone", ["SNAPSHOT_WRITE", "DATASET_WRITE"]],
    ["pool.snapshot.delete", ["SNAPSHOT_DELETE"]],
    ["pool.dataset.delete", ["DATASET_DELETE"]],
    ["pool.dataset.promote", ["DATASET_WRITE"]],
    ["pool.query", ["POOL_READ"]],
    ["pool.snapshottask.query", ["SNAPSHOT_TASK_READ"]],
    ["sharing.nfs.delete", ["SHARING_NFS_WRITE"]],
    ["iscsi.targetextent.create", ["SHARING_ISCSI_TARGETEXTENT_WRITE"]],
    ["iscsi.target.create", ["SHARING_ISCSI_TARGET_WRITE"]],
    ["iscsi.global.sessions", ["SHARING_ISCSI_GLOBAL_READ"]],
    ["auth.me", []],
  ])("of %s for want of a right names the role", (method, roles) => {
    expect(rolesOf(method)).toEqual(roles);
    const failure = failureOfRefusal(new ApiRefusal(method, 13, "[EACCES] Not authorized"), "x");
    expect(failure.code).toBe("NAS_FORBIDDEN");
    expect(failure.why).toContain(method);
    for (const role of roles) expect(failure.todo).toContain(role);
  });
});

describe("an answer of REST", () => {
  it.each([
    [422, '{"message": "Target pvc-1 is in use.", "errno": 14}', "NAS_BUSY"],
    [422, '{"snapshot_create.name": [{"message": "already exists", "errno": 17}]}', "NAS_EXISTS"],
    [404, "404: Not Found", "NAS_REFUSED"],
    [404, '{"message": "[ENOENT] None: Object does not exist"}', "NAS_MISSING"],
    [403, "", "NAS_FORBIDDEN"],
    [500, '{"message": "dataset is busy", "traceback": "secret places"}', "NAS_BUSY"],
    [500, "<html>nginx</html>", "NAS_REFUSED"],
    [400, '{"message": "json parse error"}', "NAS_REFUSED"],
    [422, "[]", "NAS_REFUSED"],
    [302, "", "NAS_REFUSED"],
  ])("of status %i with %s", (status, body, code) => {
    const failure = failureOfRefusal(refusalOfRest("iscsi.target.delete", status, body), "Cannot do it.");
    expect(failure.code).toBe(code);
    expect(failure.why).not.toContain("secret places");
    expect(failure.why).not.toContain("html");
  });
});
