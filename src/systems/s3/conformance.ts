import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { mapLimited } from "../../model/concurrency.ts";
import type { Failure } from "../../model/failure.ts";
import { failureOf } from "../../model/testing/failure-of.ts";
import type { Bucket } from "./port.ts";

export interface BucketSubject {
  readonly bucket: Bucket;
  /** Below it, and nowhere else, the suite writes; ends in "/". What it leaves there is removed at its end. */
  readonly prefix: string;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const all = async <T>(items: AsyncIterable<T>): Promise<readonly T[]> => {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
};

/** More than the 1000 that S3 gives in one page. */
const manyCount = 1003;
const writesAtATime = 16;

/** The contract of the bucket's port. */
export const describeBucket = (name: string, makeSubject: () => Promise<BucketSubject>): void => {
  describe(`${name} as a bucket`, () => {
    let bucket: Bucket;
    let root: string;
    /** A folder of its own for each test. */
    let prefix: string;
    let count = 0;

    const keysBelow = async (start: string): Promise<readonly string[]> =>
      (await all(bucket.list(start))).map(({ key }) => key.slice(prefix.length));
    const foldersBelow = async (start: string): Promise<readonly string[]> =>
      (await all(bucket.folders(start))).map((key) => key.slice(prefix.length));
    const putAll = async (keys: readonly string[]): Promise<void> =>
      void (await mapLimited(keys, writesAtATime, (key) => bucket.put(`${prefix}${key}`, bytes(key))));

    beforeAll(async () => {
      ({ bucket, prefix: root } = await makeSubject());
    });

    beforeEach(() => {
      prefix = `${root}${(count += 1)}/`;
    });

    afterAll(async () => {
      const left = await all(bucket.list(root));
      await mapLimited(left, writesAtATime, ({ key }) => bucket.remove(key));
      expect(await all(bucket.list(root))).toEqual([]);
    });

    describe("listing", () => {
      it("gives nothing below a prefix that nothing has", async () => {
        expect(await keysBelow(prefix)).toEqual([]);
        expect(await foldersBelow(prefix)).toEqual([]);
      });

      it("gives objects in the order of their keys' bytes, whatever the order of writing", async () => {
        const ordered = ["A", "Z", "a b", "a+b", "a-b", "a/b", "aa", "b", "ä", "\uFF5E", "😀"];
        await putAll(ordered.toReversed());
        expect(await keysBelow(prefix)).toEqual(ordered);
      });

      it("tells size, time and the ETag that reading and writing tell", async () => {
        const { etag } = await bucket.put(`${prefix}a`, bytes("three"));
        const [found] = await all(bucket.list(prefix));
        expect(found).toMatchObject({ key: `${prefix}a`, size: 5, etag });
        expect((await bucket.get(`${prefix}a`))?.etag).toBe(etag);
        expect(etag).not.toBe("");
        expect(Math.abs((found?.modified ?? 0) - Date.now())).toBeLessThan(600_000);
      });

      it("takes any beginning of a key for a prefix", async () => {
        await putAll(["on", "one/two", "only", "two"]);
        expect(await keysBelow(`${prefix}on`)).toEqual(["on", "one/two", "only"]);
        expect(await keysBelow(`${prefix}one/`)).toEqual(["one/two"]);
      });

      it("gives each folder directly below once, with its slash, and no objects", async () => {
        await putAll(["b/1", "b/2", "b/c/3", "a/1", "a-/1", "file"]);
        expect(await foldersBelow(prefix)).toEqual(["a-/", "a/", "b/"]);
        expect(await foldersBelow(`${prefix}b/`)).toEqual(["b/c/"]);
      });

      it("follows pages to their end, of objects and of folders", async () => {
        const keys = Array.from({ length: manyCount }, (_, index) => `${String(index).padStart(4, "0")}/x`);
        await putAll(keys);
        expect(await keysBelow(prefix)).toEqual(keys);
        expect(await foldersBelow(prefix)).toEqual(keys.map((key) => key.slice(0, -1)));
      });

      it("can be left before its end", async () => {
        await putAll(["a", "b"]);
        const seen: string[] = [];
        for await (const { key } of bucket.list(prefix)) {
          seen.push(key.slice(prefix.length));
          break;
        }
        expect(seen).toEqual(["a"]);
      });
    });

    describe("reading and writing", () => {
      it("gives undefined for an absent object, also for the folder of one", async () => {
        await putAll(["folder/x"]);
        expect(await bucket.get(`${prefix}absent`)).toBeUndefined();
        expect(await bucket.get(`${prefix}folder/absent`)).toBeUndefined();
        expect(await bucket.get(`${prefix}folder`)).toBeUndefined();
      });

      it.each([
        ["no bytes", new Uint8Array()],
        ["every byte", Uint8Array.from({ length: 256 }, (_, index) => index)],
        ["a million bytes", Uint8Array.from({ length: 1_000_000 }, (_, index) => (index * 31) % 251)],
      ])("keeps a body of %s as it is", async (_, body) => {
        await bucket.put(`${prefix}binary.gz`, body);
        const read = await bucket.get(`${prefix}binary.gz`);
        expect(Buffer.compare(Buffer.from(read?.body ?? []), Buffer.from(body))).toBe(0);
        expect(read?.body.length).toBe(body.length);
      });

      it("replaces an object and its ETag, and sees the new one at once", async () => {
        const first = await bucket.put(`${prefix}a`, bytes("1"));
        const second = await bucket.put(`${prefix}a`, bytes("2"));
        expect(second.etag).not.toBe(first.etag);
        const read = await bucket.get(`${prefix}a`);
        expect(new TextDecoder().decode(read?.body)).toBe("2");
        expect(read?.etag).toBe(second.etag);
      });

      it.each([
        "a b",
        "a+b",
        "100%",
        "a%20b",
        "ä/ö",
        "😀",
        "'\"",
        "<&amp;>",
        "a=b&c?d#e",
        "~!*(){}[]$,;:@^`|",
        "007",
        " x ",
        "x.json",
      ])("keeps the key %j as it is", async (key) => {
        await bucket.put(`${prefix}${key}`, bytes(key));
        expect(await keysBelow(prefix)).toEqual([key]);
        expect(new TextDecoder().decode((await bucket.get(`${prefix}${key}`))?.body)).toBe(key);
        await bucket.remove(`${prefix}${key}`);
        expect(await keysBelow(prefix)).toEqual([]);
      });
    });

    describe("writing on a condition", () => {
      const text = async (): Promise<string> => new TextDecoder().decode((await bucket.get(`${prefix}a`))?.body);

      it("writes what is to be absent, and refuses when it exists", async () => {
        await bucket.put(`${prefix}a`, bytes("1"), "absent");
        expect((await failureOf(bucket.put(`${prefix}a`, bytes("2"), "absent"))).code).toBe("BUCKET_CONFLICT");
        expect(await text()).toBe("1");
      });

      it("replaces what has the ETag, and refuses when it has another", async () => {
        const first = await bucket.put(`${prefix}a`, bytes("1"));
        const second = await bucket.put(`${prefix}a`, bytes("2"), first);
        expect((await failureOf(bucket.put(`${prefix}a`, bytes("3"), first))).code).toBe("BUCKET_CONFLICT");
        expect(await text()).toBe("2");
        await bucket.put(`${prefix}a`, bytes("3"), second);
        expect(await text()).toBe("3");
      });

      it("refuses to replace what has vanished", async () => {
        const first = await bucket.put(`${prefix}a`, bytes("1"));
        await bucket.remove(`${prefix}a`);
        expect((await failureOf(bucket.put(`${prefix}a`, bytes("2"), first))).code).toBe("BUCKET_CONFLICT");
        expect(await bucket.get(`${prefix}a`)).toBeUndefined();
      });

      it("lets one of several writers through", async () => {
        const writes = await Promise.allSettled(
          Array.from({ length: 5 }, (_, index) => bucket.put(`${prefix}a`, bytes(`w${index}`), "absent")),
        );
        const winners = writes.flatMap((write, index) => (write.status === "fulfilled" ? [`w${index}`] : []));
        expect(winners).toEqual([await text()]);
        const codes = writes.flatMap((write) => (write.status === "rejected" ? [(write.reason as Failure).code] : []));
        expect(new Set(codes)).toEqual(new Set(["BUCKET_CONFLICT"]));
      });
    });

    describe("removing", () => {
      it("succeeds again when the object is already gone, and leaves its neighbours", async () => {
        await putAll(["a/b", "ab"]);
        await bucket.put(`${prefix}x`, bytes("x"));
        await bucket.remove(`${prefix}x`);
        await bucket.remove(`${prefix}x`);
        expect(await bucket.get(`${prefix}x`)).toBeUndefined();
        expect(await keysBelow(prefix)).toEqual(["a/b", "ab"]);
      });
    });
  });
};
