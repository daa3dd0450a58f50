/** The port over the AWS SDK, for any S3-compatible store. The SDK is loaded with the first request. */
import { Agent } from "node:https";
import type { ListObjectsV2CommandOutput, S3Client } from "@aws-sdk/client-s3";
import { bucketFailure, isAbsent, noS3Store, type Operation } from "./failures.ts";
import type { Bucket, Content, PutCondition, StoredObject } from "./port.ts";
import type * as sdk from "./sdk.ts";

export interface BucketAccess {
  /** "https://nas.lab:9000" */
  readonly endpoint: string;
  readonly bucket: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** PEM text of the private CA, when there is one. */
  readonly ca?: string;
}

type Sdk = typeof sdk;

/** ms */
interface Limits {
  readonly connect: number;
  /** Without a sign of life; objects read whole are small. */
  readonly answer: number;
  /** Tries of one request. */
  readonly attempts: number;
}

const defaultLimits: Limits = { connect: 5000, answer: 60_000, attempts: 3 };

export class AwsBucket implements Bucket {
  readonly #access: BucketAccess;
  readonly #limits: Limits;
  #opened: Promise<{ readonly sdk: Sdk; readonly client: S3Client }> | undefined;

  constructor(access: BucketAccess, limits = defaultLimits) {
    this.#access = access;
    this.#limits = limits;
  }

  async *list(prefix: string): AsyncIterable<StoredObject> {
    let token: string | undefined;
    do {
      const page = await this.#page(prefix, token);
      for (const { Key, Size, LastModified, ETag } of page.Contents ?? []) {
        if (Key !== undefined)
          yield { key: Key, size: Size ?? 0, modified: LastModified?.getTime() ?? 0, etag: ETag ?? "" };
      }
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  async *folders(prefix: string): AsyncIterable<string> {
    let token: string | undefined;
    do {
      const page = await this.#page(prefix, token, "/");
      for (const { Prefix } of page.CommonPrefixes ?? []) if (Prefix !== undefined) yield Prefix;
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  async get(key: string): Promise<Content | undefined> {
    const { sdk, client } = await this.#open();
    const operation = this.#operation("read", "s3:GetObject", key);
    try {
      const answer = await client.send(new sdk.GetObjectCommand({ Bucket: this.#access.bucket, Key: key }));
      if (answer.ETag === undefined) throw noS3Store(operation);
      return { body: (await answer.Body?.transformToByteArray()) ?? new Uint8Array(), etag: answer.ETag };
    } catch (error) {
      if (isAbsent(error)) return undefined;
      throw bucketFailure(error, operation);
    }
  }

  async put(key: string, body: Uint8Array, condition?: PutCondition): Promise<{ readonly etag: string }> {
    const { sdk, client } = await this.#open();
    const when =
      condition === undefined ? {} : condition === "absent" ? { IfNoneMatch: "*" } : { IfMatch: condition.etag };
    const operation = this.#operation("write", "s3:PutObject", key);
    try {
      const answer = await client.send(
        new sdk.PutObjectCommand({ Bucket: this.#access.bucket, Key: key, Body: body, ...when }),
      );
      if (answer.ETag === undefined) throw noS3Store(operation);
      return { etag: answer.ETag };
    } catch (error) {
      throw bucketFailure(error, operation);
    }
  }

  async remove(key: string): Promise<void> {
    const { sdk, client } = await this.#open();
    try {
      await client.send(new sdk.DeleteObjectCommand({ Bucket: this.#access.bucket, Key: key }));
    } catch (error) {
      throw bucketFailure(error, this.#operation("remove", "s3:DeleteObject", key));
    }
  }

  async #page(prefix: string, token: string | undefined, delimiter?: string): Promise<ListObjectsV2CommandOutput> {
    const { sdk, client } = await this.#open();
    const more = {
      ...(token === undefined ? {} : { ContinuationToken: token }),
      ...(delimiter === undefined ? {} : { Delimiter: delimiter }),
    };
    const operation = this.#operation("list", "s3:ListBucket");
    try {
      const page = await client.send(
        new sdk.ListObjectsV2Command({ Bucket: this.#access.bucket, Prefix: prefix, ...more }),
      );
      // The SDK reads any answer as an empty list; a real one always says whether there is more.
      if (page.IsTruncated === undefined) throw noS3Store(operation);
      return page;
    } catch (error) {
      throw bucketFailure(error, operation);
    }
  }

  #operation(verb: Operation["verb"], action: Operation["action"], key?: string): Operation {
    const { bucket, endpoint } = this.#access;
    return { verb, action, bucket, endpoint, ...(key === undefined ? {} : { key }) };
  }

  #open(): Promise<{ readonly sdk: Sdk; readonly client: S3Client }> {
    this.#opened ??= this.#connect();
    return this.#opened;
  }

  async #connect(): Promise<{ readonly sdk: Sdk; readonly client: S3Client }> {
    const sdk = await import("./sdk.ts");
    const { endpoint, region, accessKeyId, secretAccessKey, ca } = this.#access;
    const client = new sdk.S3Client({
      endpoint,
      region,
      credentials: { accessKeyId, secretAccessKey },
      forcePathStyle: true,
      maxAttempts: this.#limits.attempts,
      // The SDK's own checksums break many compatible stores; what matters is verified by content.
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      requestHandler: new sdk.NodeHttpHandler({
        connectionTimeout: this.#limits.connect,
        // Not requestTimeout, which only warns and says nothing of a body that stalls.
        socketTimeout: this.#limits.answer,
        httpsAgent: new Agent({ keepAlive: true, maxSockets: 32, ...(ca === undefined ? {} : { ca }) }),
      }),
    });
    return { sdk, client };
  }
}
