import { gunzipSync, gzipSync } from "node:zlib";
import { beforeEach, describe, expect, it } from "vitest";
import { Failure } from "../../model/failure.ts";
import { MemoryBucket } from "../s3/memory.ts";
import { readContents } from "./contents.ts";
import { archiveOf } from "./testing/stored-backup.ts";

const key = "velero/backups/nightly/nightly.tar.gz";
const named = (name: string): object => ({ apiVersion: "v1", kind: "Thing", metadata: { name } });
const wanted = new Set(["pods", "deployments.apps", "persistentvolumes", "namespaces"]);

let bucket: MemoryBucket;
beforeEach(() => {
  bucket = new MemoryBucket({ now: () => 0 });
});

const read = async (): Promise<Readonly<Record<string, readonly string[]>> | undefined> => {
  const found = await readContents(bucket, "velero/", "nightly", wanted);
  if (found === undefined) return undefined;
  return Object.fromEntries(
    [...found].map(([resource, objects]) => [resource, objects.map(({ metadata }) => metadata.name)]),
  );
};

const files = {
  "metadata/version": "1.1.0",
  "resources/pods/namespaces/media/sonarr-1.json": named("sonarr-1"),
  "resources/pods/namespaces/home/mealie-1.json": named("mealie-1"),
  "resources/pods/v1-preferredversion/namespaces/media/sonarr-1.json": named("twice"),
  "resources/deployments.apps/namespaces/media/sonarr.json": named("sonarr"),
  "resources/deployments.apps/v1-preferredversion/namespaces/media/sonarr.json": named("twice"),
  "resources/persistentvolumes/cluster/pv-1.json": named("pv-1"),
  "resources/secrets/namespaces/media/key.json": "not even JSON, and not wanted",
  "resources/namespaces/cluster/media.json": named("media"),
};

describe("the archive of a backup", () => {
  it("gives the wanted objects by resource, each once, and nothing of other versions", async () => {
    bucket.seed(key, await archiveOf(files));
    expect(await read()).toEqual({
      pods: ["sonarr-1", "mealie-1"],
      "deployments.apps": ["sonarr"],
      persistentvolumes: ["pv-1"],
      namespaces: ["media"],
    });
  });

  it("gives the objects with all their fields", async () => {
    const pod = { kind: "Pod", metadata: { name: "ä" }, spec: { text: "x".repeat(100_000) } };
    bucket.seed(key, await archiveOf({ "resources/pods/namespaces/media/x.json": pod }));
    expect((await readContents(bucket, "velero/", "nightly", wanted))?.get("pods")).toEqual([pod]);
  });

  it("is undefined when the backup has none", async () => {
    expect(await read()).toBeUndefined();
  });

  it("is empty when it holds nothing that is wanted", async () => {
    bucket.seed(key, await archiveOf({ "metadata/version": "1.1.0" }));
    expect(await read()).toEqual({});
  });

  const broken: readonly (readonly [string, () => Promise<Uint8Array>])[] = [
    ["cut short", async () => (await archiveOf(files)).slice(0, -40)],
    ["cut in its middle", async () => (await archiveOf({ ...files, long: "y".repeat(200_000) })).slice(0, 300)],
    ["empty", async () => new Uint8Array()],
    ["not zipped", async () => new TextEncoder().encode("tar")],
    ["zipped and no archive", async () => gzipSync("no archive ".repeat(100))],
    [
      "an archive that ends inside a file",
      async () => gzipSync(gunzipSync(await archiveOf(files)).subarray(0, 3 * 512 + 10)),
    ],
    ["holding an object that is no JSON", async () => archiveOf({ "resources/pods/namespaces/media/x.json": "{" })],
  ];
  it.each(broken)("is COPY_CORRUPT, naming the key, when it is %s", async (_, body) => {
    bucket.seed(key, await body());
    await expect(read()).rejects.toMatchObject({ code: "COPY_CORRUPT", what: `The archive ${key} cannot be read.` });
  });

  it("lets the bucket's own failures through", async () => {
    const gone = new Failure("BUCKET_UNREACHABLE", { what: "off" });
    bucket.fail("read", gone);
    await expect(read()).rejects.toBe(gone);
  });
});
