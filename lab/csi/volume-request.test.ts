import { describe, expect, it } from "vitest";
import type { VolumeCapability } from "./messages.ts";
import { status } from "./rpc.ts";
import { abilities, acceptExisting, readsOnly, refusal, sizeToMake, volumeIdOf, wantedSize } from "./volume-request.ts";

const mount = (fsType: string, mode: NonNullable<VolumeCapability["access_mode"]>["mode"]): VolumeCapability => ({
  access_type: "mount",
  mount: { fs_type: fsType, mount_flags: [] },
  access_mode: { mode },
});

describe("a volume's id", () => {
  it("is the name that Kubernetes chose", () => {
    expect(volumeIdOf("pvc-1f2e3d4c")).toBe("pvc-1f2e3d4c");
  });

  it.each(["", "..", "a/b", "a@b", "A", "pvc 1", "-".repeat(129)])(
    "is never %j, which could reach another dataset",
    (name) => {
      expect(() => volumeIdOf(name)).toThrow(expect.objectContaining({ code: status.INVALID_ARGUMENT }));
    },
  );
});

describe("a volume's size", () => {
  it("is the least that is asked for, or else the most that is allowed", () => {
    expect(sizeToMake(wantedSize({ required_bytes: "10", limit_bytes: "20" }))).toBe(10);
    expect(sizeToMake(wantedSize({ required_bytes: "0", limit_bytes: "20" }))).toBe(20);
  });

  it.each([
    [null, status.INVALID_ARGUMENT],
    [{ required_bytes: "0", limit_bytes: "0" }, status.INVALID_ARGUMENT],
    [{ required_bytes: "20", limit_bytes: "10" }, status.OUT_OF_RANGE],
    [{ required_bytes: "9223372036854775807", limit_bytes: "0" }, status.OUT_OF_RANGE],
    [{ required_bytes: "-1", limit_bytes: "0" }, status.OUT_OF_RANGE],
  ])("cannot be %j", (range, code) => {
    expect(() => wantedSize(range)).toThrow(expect.objectContaining({ code }));
  });

  it("may already be larger than what is asked for, but not outside the range", () => {
    expect(() => acceptExisting(20, { required: 10, limit: 0 })).not.toThrow();
    expect(() => acceptExisting(9, { required: 10, limit: 0 })).toThrow("existing size: 9, required_bytes: 10");
    expect(() => acceptExisting(21, { required: 10, limit: 20 })).toThrow(
      expect.objectContaining({ code: status.ALREADY_EXISTS }),
    );
  });
});

describe("a volume's use", () => {
  it("may be shared for writing over NFS only", () => {
    expect(refusal([mount("nfs", "MULTI_NODE_MULTI_WRITER")], abilities.nfs)).toBeUndefined();
    expect(refusal([mount("ext4", "MULTI_NODE_MULTI_WRITER")], abilities.iscsi)).toBe(
      "invalid access_mode: MULTI_NODE_MULTI_WRITER",
    );
  });

  it("needs the driver's own file system", () => {
    expect(refusal([mount("", "SINGLE_NODE_WRITER")], abilities.iscsi)).toBeUndefined();
    expect(refusal([mount("xfs", "SINGLE_NODE_WRITER")], abilities.iscsi)).toBe("invalid fs_type: xfs");
    expect(refusal([{ access_type: "block", access_mode: null }], abilities.iscsi)).toBe("invalid access_type: block");
    expect(refusal([], abilities.nfs)).toBe("missing capabilities");
  });

  it("is read-only when its access mode says so", () => {
    expect(readsOnly(mount("nfs", "MULTI_NODE_READER_ONLY"))).toBe(true);
    expect(readsOnly(mount("nfs", "SINGLE_NODE_WRITER"))).toBe(false);
    expect(readsOnly(null)).toBe(false);
  });
});
