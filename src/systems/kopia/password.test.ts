import { describe, expect, it } from "vitest";
import { opensRepository } from "./password.ts";
import { formatBlobPassword, pbkdf2FormatBlob, scryptFormatBlob } from "./testing/format-blobs.ts";

const changed = (change: (format: Record<string, string>) => void): Uint8Array => {
  const format = JSON.parse(scryptFormatBlob.toString("utf8")) as Record<string, string>;
  change(format);
  return new TextEncoder().encode(JSON.stringify(format));
};

const flipped = (base64: string): string => {
  const content = Buffer.from(base64, "base64");
  content[20] = (content[20] ?? 0) ^ 1;
  return content.toString("base64");
};

describe("opensRepository", () => {
  it("opens a repository that kopia made with this password", async () => {
    expect(await opensRepository(scryptFormatBlob, formatBlobPassword)).toBe(true);
  });

  it("opens one whose key is derived with PBKDF2", async () => {
    expect(await opensRepository(pbkdf2FormatBlob, formatBlobPassword)).toBe(true);
  });

  it("does not open one with another password, not even a near one", async () => {
    for (const wrong of ["", "Open sesame", "open sesame ", "static-passw0rd"]) {
      expect(await opensRepository(scryptFormatBlob, wrong)).toBe(false);
    }
    expect(await opensRepository(pbkdf2FormatBlob, "open sesam")).toBe(false);
  });

  it("does not open one whose encrypted part, or identity, has one changed bit", async () => {
    for (const field of ["encryptedBlockFormat", "uniqueID"] as const) {
      const damaged = changed((format) => (format[field] = flipped(format[field] ?? "")));
      expect(await opensRepository(damaged, formatBlobPassword)).toBe(false);
    }
  });

  it("fails for what is not kopia's: cut off, empty, without its parts, or of an unknown kind", async () => {
    const broken = [
      scryptFormatBlob.subarray(0, 200),
      new Uint8Array(),
      new TextEncoder().encode("{}"),
      Uint8Array.from([0xff, 0xfe]),
      changed((format) => delete format["uniqueID"]),
      changed((format) => (format["encryptedBlockFormat"] = "c2hvcnQ=")),
      changed((format) => (format["encryptedBlockFormat"] = "not base64!")),
      changed((format) => (format["keyAlgo"] = "scrypt-1-1-1")),
      changed((format) => (format["encryption"] = "NONE")),
    ];
    for (const blob of broken) {
      await expect(opensRepository(blob, formatBlobPassword)).rejects.toMatchObject({ code: "REPOSITORY_FAILED" });
    }
  });
});
