import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { bucketName } from "../../lab/nas/nas.ts";
import { type Failure, isFailure } from "../../src/model/failure.ts";
import { AwsBucket, type BucketAccess } from "../../src/systems/s3/aws.ts";
import { describeBucket } from "../../src/systems/s3/conformance.ts";
import type { Bucket } from "../../src/systems/s3/port.ts";

const required = (name: string): string => {
  const value = process.env[name];
  if (value === undefined || value === "")
    throw new Error(`${name} is not set: run this through the lab (npm run lab -- exec -- …)`);
  return value;
};

const labAccess = async (): Promise<BucketAccess & { readonly ca: string }> => ({
  endpoint: required("HOLDFAST_TEST_S3_ENDPOINT"),
  bucket: bucketName,
  region: "home",
  accessKeyId: required("HOLDFAST_TEST_S3_ACCESS_KEY"),
  secretAccessKey: required("HOLDFAST_TEST_S3_SECRET_KEY"),
  ca: await readFile(required("HOLDFAST_TEST_S3_CA"), "utf8"),
});

describeBucket("the AWS SDK against a real MinIO", async () => ({
  bucket: new AwsBucket(await labAccess()),
  prefix: `conformance-${randomBytes(6).toString("hex")}/`,
}));

describe("a real MinIO that refuses", () => {
  const body = new Uint8Array([1]);
  const calls: readonly (readonly [string, (bucket: Bucket) => Promise<unknown>])[] = [
    ["list", (bucket) => bucket.list("")[Symbol.asyncIterator]().next()],
    ["folders", (bucket) => bucket.folders("")[Symbol.asyncIterator]().next()],
    ["get", (bucket) => bucket.get("conformance-absent")],
    ["put", (bucket) => bucket.put("conformance-refused", body)],
    ["remove", (bucket) => bucket.remove("conformance-absent")],
  ];

  const failureOf = async (call: Promise<unknown>): Promise<Failure> => {
    const error: unknown = await call.then(
      () => new Error("it succeeded"),
      (thrown: unknown) => thrown,
    );
    if (isFailure(error)) return error;
    throw error;
  };
  const textOf = ({ message, what, why, todo }: Failure): string => [message, what, why, todo].join("\n");
  const wrongSecret = "a-secret-that-must-not-be-shown";

  describe.each(calls)("%s", (_, call) => {
    it.each([
      ["BUCKET_DENIED", "the key id is unknown", { accessKeyId: "nobody", secretAccessKey: wrongSecret }],
      ["BUCKET_DENIED", "the secret is wrong", { secretAccessKey: wrongSecret }],
      ["BUCKET_MISSING", "the bucket does not exist", { bucket: "no-such-bucket" }],
      ["BUCKET_UNREACHABLE", "the name does not resolve", { endpoint: "https://absent.lab:9000" }],
      ["BUCKET_UNREACHABLE", "nobody listens on the port", { endpoint: "https://nas.lab:9" }],
    ] as const)("is %s when %s", async (code, _, part) => {
      const access = { ...(await labAccess()), ...part };
      const failure = await failureOf(call(new AwsBucket(access)));
      expect(failure).toMatchObject({ code });
      expect(textOf(failure)).not.toContain(access.secretAccessKey);
      expect(failure.why).toMatch(/\S/);
    });

    it("is BUCKET_UNTRUSTED without the CA", async () => {
      const { ca: _, ...access } = await labAccess();
      expect((await failureOf(call(new AwsBucket(access)))).code).toBe("BUCKET_UNTRUSTED");
    });
  });
});
