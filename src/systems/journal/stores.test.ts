import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { Failure } from "../../model/failure.ts";
import { MemoryKubernetes } from "../kubernetes/memory.ts";
import { resources } from "../kubernetes/resources.ts";
import { realWorld } from "../kubernetes/testing/world.ts";
import { type BucketCall, MemoryBucket } from "../s3/memory.ts";
import { BucketJournal } from "./bucket.ts";
import { ConfigMapJournal } from "./config-maps.ts";
import { journalConformance } from "./conformance.ts";
import { FileJournal } from "./files.ts";
import { MemoryJournal } from "./memory.ts";
import { MirroredJournal, type Mirroring } from "./mirrored.ts";
import type { JournalStore } from "./port.ts";

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});
const newFolder = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-journal-"));
  folders.push(folder);
  return folder;
};

let drafts = 0;
const randomId = (): string => String((drafts += 1));
const prefix = "holdfast/home/operations/";
/** For tests: an operation's last entry says so. */
const isOver = (entries: readonly string[]): boolean => entries.at(-1) === "over";
const openMirrored = ({
  own = new MemoryJournal(),
  mirror = new MemoryJournal(),
  kept = new MemoryJournal(),
  onTrouble = () => undefined,
}: Partial<Mirroring>): MirroredJournal => new MirroredJournal({ own, mirror, kept, isOver, onTrouble });
const down = new Failure("BUCKET_UNREACHABLE", { what: "no answer" });
const newBucket = (): MemoryBucket => new MemoryBucket({ now: () => 0 });

describe("in memory", () => {
  journalConformance(async () => {
    const journal = new MemoryJournal();
    return { store: () => journal, lose: async (operation, number) => journal.lose(operation, number) };
  });
});

describe("in files", () => {
  journalConformance(async () => {
    const folder = join(await newFolder(), "not", "yet");
    return {
      store: () => new FileJournal(folder, randomId),
      lose: (operation, number) => rm(join(folder, operation, `${String(number).padStart(6, "0")}.json`)),
    };
  });

  it("leaves no draft behind, and reads past one that a killed process left", async () => {
    const folder = await newFolder();
    const journal = new FileJournal(folder, randomId);
    await journal.append("a-1", 1, "one");
    await expect(journal.append("a-1", 1, "again")).rejects.toMatchObject({ code: "LOCK_LOST" });
    expect(await readdir(join(folder, "a-1"))).toEqual(["000001.json"]);
    await writeFile(join(folder, "a-1", ".draft-dead"), "half");
    expect(await journal.read("a-1")).toEqual(["one"]);
  });

  it("removes what an earlier process was cut off at", async () => {
    const folder = await newFolder();
    const journal = new FileJournal(folder, randomId);
    await journal.append("a-1", 1, "one");
    await mkdir(join(folder, ".gone-7"));
    await writeFile(join(folder, ".gone-7", "000001.json"), "old");
    expect([...(await journal.sizes()).keys()]).toEqual(["a-1"]);
    await journal.remove("a-1");
    expect(await readdir(folder)).toEqual([]);
  });

  it("knows nothing of an operation whose process ended before its first entry", async () => {
    const folder = await newFolder();
    await mkdir(join(folder, "a-1"));
    expect([...(await new FileJournal(folder, randomId).sizes())]).toEqual([]);
  });

  it("names the file that cannot be read", async () => {
    const folder = await newFolder();
    const journal = new FileJournal(folder, randomId);
    await journal.append("a-1", 1, "one");
    await mkdir(join(folder, "a-1", "000002.json"));
    await expect(journal.read("a-1")).rejects.toMatchObject({
      code: "JOURNAL_UNREADABLE",
      why: expect.stringContaining("000002.json") as string,
    });
  });
});

describe("in the cluster", () => {
  journalConformance(async () => {
    const kubernetes = new MemoryKubernetes(realWorld);
    kubernetes.put(resources.namespaces, { metadata: { name: "holdfast" } });
    return {
      store: () => new ConfigMapJournal(kubernetes, "holdfast"),
      lose: async (operation, number) => {
        await kubernetes.mergePatch(
          resources.configMaps,
          { namespace: "holdfast", name: `holdfast-operation-${operation}` },
          { data: { [String(number).padStart(6, "0")]: null } },
        );
      },
    };
  });
});

describe("in the bucket", () => {
  journalConformance(async () => {
    const bucket = newBucket();
    return {
      store: () => new BucketJournal(bucket, prefix),
      lose: (operation, number) => bucket.remove(`${prefix}${operation}/${String(number).padStart(6, "0")}.json`),
    };
  });
});

describe("an operation that is removed from the bucket", () => {
  const entries = ["one", "two", "three"];

  it.each([1, 2, 3, 4, 5])(
    "is there whole or not at all when request %d fails, and goes with the next one",
    async (at) => {
      const bucket = newBucket();
      const journal = new BucketJournal(bucket, prefix);
      for (const [index, text] of entries.entries()) await journal.append("a-1", index + 1, text);
      await journal.append("b-1", 1, "over");
      let requests = 0;
      const isChange = ({ verb }: BucketCall): boolean => verb === "write" || verb === "remove";
      const mend = bucket.fail((call) => isChange(call) && (requests += 1) >= at, down);
      await expect(journal.remove("a-1")).rejects.toBe(down);
      mend();
      const later = new BucketJournal(bucket, prefix);
      const size = (await later.sizes()).get("a-1") ?? 0;
      expect([size, await later.read("a-1")]).toEqual(at === 1 ? [3, entries] : [0, []]);
      await later.remove(at === 1 ? "a-1" : "b-1");
      for await (const { key } of bucket.list(`${prefix}a-1/`)) expect(key).toBe("nothing");
    },
  );
});

describe("mirrored", () => {
  journalConformance(async () => {
    const own = new MemoryJournal();
    const mirror = new MemoryJournal();
    return {
      store: () => openMirrored({ own, mirror }),
      lose: async (operation, number) => {
        own.lose(operation, number);
        mirror.lose(operation, number);
      },
    };
  });

  it("goes on while the bucket is down, says so once, and brings the mirror up to date afterwards", async () => {
    const bucket = newBucket();
    const troubles: unknown[] = [];
    const own = new MemoryJournal();
    const mirror = new BucketJournal(bucket, prefix);
    const journal = openMirrored({ own, mirror, onTrouble: (error) => troubles.push(error) });
    const up = bucket.fail(() => true, down);
    for (const number of [1, 2, 3]) await journal.append("a-1", number, String(number));
    expect(await journal.read("a-1")).toEqual(["1", "2", "3"]);
    expect(troubles).toEqual([down]);
    up();
    await journal.append("a-1", 4, "4");
    expect(await mirror.read("a-1")).toEqual(["1", "2", "3", "4"]);
  });

  it("is carried on from the mirror by a machine that never saw it", async () => {
    const mirror = new BucketJournal(newBucket(), prefix);
    const open = (own: MemoryJournal) => openMirrored({ own, mirror });
    const [laptop, desktop] = [new MemoryJournal(), new MemoryJournal()];
    for (const number of [1, 2]) await open(laptop).append("a-1", number, String(number));
    expect([...(await open(desktop).sizes())]).toEqual([["a-1", 2]]);
    await open(desktop).append("a-1", 3, "desktop");
    expect(await desktop.read("a-1")).toEqual(["1", "2", "desktop"]);
    await expect(open(laptop).append("a-1", 3, "laptop")).rejects.toMatchObject({ code: "LOCK_LOST" });
  });

  it("takes a write whose answer was lost for its own", async () => {
    const bucket = newBucket();
    const mirror = new BucketJournal(bucket, prefix);
    const journal = openMirrored({ mirror });
    bucket.fail("write", down, { times: 1, afterEffect: true });
    await journal.append("a-1", 1, "1");
    await journal.append("a-1", 2, "2");
    expect(await mirror.read("a-1")).toEqual(["1", "2"]);
  });

  /** Every operation that there is, as `operations list` reads it. */
  const readAll = async (journal: MirroredJournal): Promise<readonly (readonly string[])[]> =>
    Promise.all([...(await journal.sizes())].map(([operation, size]) => journal.read(operation, size)));

  it("reads nothing of the mirror that is here, or was read before and is over", async () => {
    const mirror = new MemoryJournal();
    const reads: string[] = [];
    const watched: JournalStore = {
      sizes: () => mirror.sizes(),
      append: (...entry) => mirror.append(...entry),
      remove: (operation) => mirror.remove(operation),
      read: (operation) => {
        reads.push(operation);
        return mirror.read(operation);
      },
    };
    await openMirrored({ mirror }).append("elsewhere-1", 1, "begun");
    await mirror.append("elsewhere-2", 1, "over");
    const stores = { own: new MemoryJournal(), mirror: watched, kept: new MemoryJournal() };
    await openMirrored(stores).append("here-1", 1, "begun");
    expect(await readAll(openMirrored(stores))).toEqual([["begun"], ["over"], ["begun"]]);
    expect(reads).toEqual(["elsewhere-1", "elsewhere-2"]);
    await mirror.append("elsewhere-1", 2, "over");
    expect(await readAll(openMirrored(stores))).toEqual([["begun", "over"], ["over"], ["begun"]]);
    expect(reads.slice(2)).toEqual(["elsewhere-1"]);
    expect(await readAll(openMirrored(stores))).toEqual([["begun", "over"], ["over"], ["begun"]]);
    expect(reads).toHaveLength(3);
  });

  it("removes nothing while the mirror is down: it would come back from there", async () => {
    const bucket = newBucket();
    const stores = { own: new MemoryJournal(), kept: new MemoryJournal(), mirror: new BucketJournal(bucket, prefix) };
    const journal = openMirrored(stores);
    await journal.append("a-1", 1, "over");
    const mend = bucket.fail(() => true, down);
    await journal.remove("a-1");
    expect(await stores.own.read("a-1")).toEqual(["over"]);
    mend();
    await journal.remove("a-1");
    expect([...(await journal.sizes()), ...(await stores.own.sizes()), ...(await stores.mirror.sizes())]).toEqual([]);
  });

  it("does not list what it keeps of others while the mirror is down", async () => {
    const bucket = newBucket();
    const stores = { own: new MemoryJournal(), kept: new MemoryJournal(), mirror: new BucketJournal(bucket, prefix) };
    await stores.mirror.append("elsewhere-1", 1, "over");
    await readAll(openMirrored(stores));
    bucket.fail(() => true, down);
    expect([...(await stores.kept.sizes()).keys(), ...(await openMirrored(stores).sizes())]).toEqual(["elsewhere-1"]);
  });

  it("brings the mirror up to date with what another process ended while it was down", async () => {
    const bucket = newBucket();
    const [own, mirror] = [new MemoryJournal(), new BucketJournal(bucket, prefix)];
    const journal = openMirrored({ own, mirror });
    await journal.append("a-1", 1, "begun");
    const up = bucket.fail(() => true, down);
    await journal.append("a-1", 2, "over");
    up();
    expect(await mirror.read("a-1")).toEqual(["begun"]);
    const later = openMirrored({ own, mirror });
    await later.sizes();
    expect(await mirror.read("a-1")).toEqual(["begun"]);
    await later.append("a-2", 1, "begun");
    expect(await mirror.read("a-1")).toEqual(["begun", "over"]);
  });

  it("leaves the mirror alone where another machine has gone on", async () => {
    const [laptop, mirror] = [new MemoryJournal(), new MemoryJournal()];
    for (const text of ["begun", "laptop", "more"]) await laptop.append("a-1", (await size(laptop)) + 1, text);
    for (const text of ["begun", "desktop"]) await mirror.append("a-1", (await size(mirror)) + 1, text);
    const journal = openMirrored({ own: laptop, mirror });
    expect([...(await journal.sizes())]).toEqual([["a-1", 3]]);
    await journal.append("a-2", 1, "begun");
    expect(await mirror.read("a-1")).toEqual(["begun", "desktop"]);
  });
  const size = async (store: JournalStore): Promise<number> => (await store.sizes()).get("a-1") ?? 0;

  it("says of a damaged journal whether its mirror is whole", async () => {
    const mirror = new BucketJournal(newBucket(), prefix);
    const own = new MemoryJournal();
    const journal = openMirrored({ own, mirror });
    for (const number of [1, 2]) await journal.append("a-1", number, String(number));
    own.lose("a-1", 1);
    await expect(journal.read("a-1")).rejects.toMatchObject({
      code: "JOURNAL_UNREADABLE",
      why: expect.stringContaining("the mirror in the bucket has 2 entries") as string,
    });
  });
});
