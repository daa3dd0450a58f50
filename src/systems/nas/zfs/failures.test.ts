import { describe, expect, it } from "vitest";
import { codeOfText, zfsFailure } from "./failures.ts";

describe("what zfs says", () => {
  it.each([
    ["NAS_EXISTS", "cannot create snapshot 'tank/a@s': dataset already exists"],
    ["NAS_EXISTS", "cannot promote 'tank/b': conflicting snapshot 's' from parent 'tank/a@s'"],
    ["NAS_MISSING", "cannot open 'tank/a': dataset does not exist"],
    ["NAS_MISSING", "cannot create 'tank/x/y': parent does not exist"],
    ["NAS_MISSING", "cannot open 'pond': no such pool"],
    ["NAS_MISSING", "could not find any snapshots to destroy; check snapshot names."],
    ["NAS_BUSY", "cannot destroy 'tank/a': dataset is busy"],
    ["NAS_BUSY", "umount: /mnt/tank/a: target is busy.\ncannot unmount '/mnt/tank/a': umount failed"],
    ["NAS_BUSY", "cannot unmount '/mnt/tank/a': pool or dataset is busy"],
    [
      "NAS_HAS_CLONES",
      "cannot destroy 'tank/a@s': snapshot has dependent clones\nuse '-R' to destroy the following datasets:\ntank/b",
    ],
    [
      "NAS_HAS_CHILDREN",
      "cannot destroy 'tank/a': filesystem has children\nuse '-r' to destroy the following datasets:",
    ],
    ["NAS_HAS_CHILDREN", "cannot destroy 'tank/v': volume has children"],
    ["NAS_FULL", "cannot create snapshot 'tank/a@s': out of space"],
    ["NAS_FULL", "cannot create 'tank/b': No space left on device"],
    ["NAS_READ_ONLY", "cannot create snapshot 'tank/a@s': pool is read-only"],
    ["NAS_READ_ONLY", "cannot open 'tank': pool I/O is currently suspended"],
    ["NAS_FORBIDDEN", "cannot create snapshot 'tank/a@s': permission denied"],
    ["NAS_FORBIDDEN", "filesystem successfully created, but it may only be mounted by root"],
    ["NAS_FORBIDDEN", "sudo: a password is required"],
    ["NAS_FORBIDDEN", "Sorry, user holdfast is not allowed to execute '/usr/sbin/zfs destroy tank/a' as root on nas."],
    ["NAS_UNSUPPORTED", "env: 'zfs': No such file or directory"],
    ["NAS_UNSUPPORTED", "The ZFS modules are not loaded.\nTry running '/sbin/modprobe zfs' as root to load them."],
    ["NAS_REFUSED", "cannot set property for 'tank/a': size is less than current used or reserved space"],
    // A setting of ZFS is not a pool.
    ["NAS_REFUSED", "cannot set property for 'tank/a': read only property"],
    ["NAS_REFUSED", "internal error: Function not implemented"],
  ] as const)("is %s: %s", (code, text) => {
    expect(codeOfText(text)).toBe(code);
  });

  it("stands in the failure, with what was to be done", () => {
    const failure = zfsFailure('destroy "tank/a"', {
      code: 1,
      stdout: "",
      stderr: "cannot destroy: dataset is busy\n",
    });
    expect(failure).toMatchObject({
      code: "NAS_BUSY",
      what: 'The NAS could not destroy "tank/a".',
      why: "cannot destroy: dataset is busy",
    });
    expect(zfsFailure("x", { code: 7, stdout: "", stderr: "" }).why).toBe("exit code 7");
  });
});
