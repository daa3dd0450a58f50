import { describe, expect, it } from "vitest";
import { kopiaFailure } from "./failures.ts";

describe("kopiaFailure", () => {
  it.each([
    ["ERROR error connecting to repository: repository not initialized in the provided storage", "COPY_MISSING"],
    ["ERROR open repository: unable to open repository: invalid repository password", "REPOSITORY_PASSWORD"],
    [
      'unable to get bucket: Get "https://nas.lab:9000/?location=": tls: failed to verify certificate: x509: certificate signed by unknown authority',
      "BUCKET_UNTRUSTED",
    ],
    ["can't connect to storage: The Access Key Id you provided does not exist in our records.", "BUCKET_DENIED"],
    ["The request signature we calculated does not match the signature you provided.", "BUCKET_DENIED"],
    ["Access Denied.", "BUCKET_DENIED"],
    ["The specified bucket does not exist", "BUCKET_MISSING"],
    ["dial tcp 10.0.0.1:9000: connect: connection refused", "BUCKET_UNREACHABLE"],
    ["dial tcp: lookup nas.lab: no such host", "BUCKET_UNREACHABLE"],
    ["read tcp 10.0.0.2: i/o timeout", "BUCKET_UNREACHABLE"],
    ["write /volumes/a/file: no space left on device", "TARGET_TOO_SMALL"],
    ["ERROR object kabc is backed by missing blob p1234", "COPY_CORRUPT"],
    ["error reading content: unable to decrypt content: invalid checksum at p1 offset 3", "COPY_CORRUPT"],
    ["ERROR encountered 3 errors", "COPY_CORRUPT"],
    ["panic: something new", "REPOSITORY_FAILED"],
    ["", "REPOSITORY_FAILED"],
  ])("knows what is meant by %j", (output, code) => {
    expect(kopiaFailure("read it", output)).toMatchObject({ code, what: "kopia could not read it." });
  });

  it("gives the last telling lines as the reason, without progress and hints", () => {
    const output =
      "Connected to repository.\n\nNOTICE: Kopia will check for updates\r\nProcessed 3 (1 KB) of 5\nfirst\nsecond\n  third  \nRestoring to local filesystem\nERROR last\n";
    expect(kopiaFailure("restore", output).why).toBe("second; third; ERROR last");
  });

  it("gives no reason when kopia has said nothing", () => {
    expect(kopiaFailure("restore", "\n Processed 1\n").why).toBeUndefined();
  });

  it("cuts a long reason from its beginning", () => {
    const { why } = kopiaFailure("restore", `${"x".repeat(5000)} the end`);
    expect([why?.length, why?.endsWith("the end")]).toEqual([400, true]);
  });
});
