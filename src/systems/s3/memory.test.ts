import { describe, expect, it } from "vitest";
import { Failure } from "../../model/failure.ts";
import { describeBucket } from "./conformance.ts";
import { MemoryBucket } from "./memory.ts";

const clock = { now: () => Date.now() };

describeBucket("MemoryBucket", async () => ({ bucket: new MemoryBucket(clock), prefix: "conformance/" }));

describe("MemoryBucket's hooks", () => {
  const gone = new Failure("BUCKET_UNREACHABLE", { what: "The NAS is off." });

  it("refuse the calls that match, until they are taken back", async () => {
    const bucket = new MemoryBucket(clock);
    bucket.seed("a", "1");
    const mend = bucket.fail(({ verb, key }) => verb === "read" && key === "a", gone);
    await expect(bucket.get("a")).rejects.toBe(gone);
    expect(await bucket.get("b")).toBeUndefined();
    mend();
    expect(new TextDecoder().decode((await bucket.get("a"))?.body)).toBe("1");
  });

  it("refuse lists and folders, before the first item", async () => {
    const bucket = new MemoryBucket(clock);
    bucket.fail("list", gone);
    await expect(bucket.list("")[Symbol.asyncIterator]().next()).rejects.toBe(gone);
    await expect(bucket.folders("")[Symbol.asyncIterator]().next()).rejects.toBe(gone);
  });

  it("refuse so often and no more, and before anything is changed", async () => {
    const bucket = new MemoryBucket(clock);
    bucket.fail("write", gone, { times: 1 });
    await expect(bucket.put("a", new Uint8Array([1]))).rejects.toBe(gone);
    expect(await bucket.get("a")).toBeUndefined();
    await bucket.put("a", new Uint8Array([1]));
    expect((await bucket.get("a"))?.body).toEqual(new Uint8Array([1]));
  });

  it("lose the answer to a write that happened", async () => {
    const bucket = new MemoryBucket(clock);
    bucket.fail("write", gone, { afterEffect: true });
    await expect(bucket.put("a", new Uint8Array([1]))).rejects.toBe(gone);
    expect((await bucket.get("a"))?.body).toEqual(new Uint8Array([1]));
  });

  it("tell what was asked", async () => {
    const bucket = new MemoryBucket(clock);
    await bucket.get("a");
    await bucket.remove("b");
    expect(bucket.calls).toEqual([
      { verb: "read", key: "a" },
      { verb: "remove", key: "b" },
    ]);
  });

  it("keep what callers do to their bytes away from what is stored", async () => {
    const bucket = new MemoryBucket(clock);
    const body = new Uint8Array([1]);
    await bucket.put("a", body);
    body[0] = 2;
    (await bucket.get("a"))?.body.fill(3);
    expect((await bucket.get("a"))?.body).toEqual(new Uint8Array([1]));
  });
});
