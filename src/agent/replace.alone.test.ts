import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Failure } from "../model/failure.ts";
import { type CopiedEntry, MemoryRepository } from "../systems/kopia/memory.ts";
import { isOurs } from "./directories.ts";
import type { ReplaceJob } from "./job.ts";
import type { AgentLine, ReplacedVolume } from "./lines.ts";
import { replace } from "./replace.ts";
import { agentBench, type Bench } from "./testing/bench.ts";
import { plant, timeOf, treeOf } from "./testing/trees.ts";

const disk = vi.hoisted(() => ({
  room: undefined as object | undefined,
  rm: undefined as ((path: string) => void) | undefined,
}));
vi.mock("node:fs/promises", async (importOriginal) => {
  const real = await importOriginal<{
    rm: (path: string | Buffer) => Promise<void>;
    statfs: (path: string) => Promise<object>;
  }>();
  const rm = async (path: string | Buffer, ...rest: []): Promise<void> => {
    disk.rm?.(path.toString());
    return real.rm(path, ...rest);
  };
  return { ...real, rm, statfs: async (path: string) => disk.room ?? real.statfs(path) };
});

let bench: Bench;
let repository: MemoryRepository;
/** Called for each line that the agent says. */
let onLine: (line: AgentLine) => void;
beforeEach(() => {
  onLine = () => undefined;
  bench = agentBench((line) => onLine(line));
  repository = new MemoryRepository();
  Object.assign(disk, { room: undefined, rm: undefined });
});
afterEach(() => rmSync(bench.base, { recursive: true, force: true }));

const store = { endpoint: "https://nas.lab:9000", bucket: "velero", region: "us-east-1", prefix: "", privateCa: false };
const aJob = (keys: readonly string[] = ["a"], part: ReplaceJob["part"] = "whole"): ReplaceJob => ({
  kind: "replace",
  part,
  store,
  operation: "op1",
  targets: keys.map((key) => ({ key, volume: `media/${key}`, repository: "media", snapshotId: `s-${key}` })),
});

const run = (job: ReplaceJob = aJob()): Promise<void> => replace(job, async () => repository, bench.context);

const present = (key = "a"): string => {
  const root = bench.volume(key);
  plant(
    root,
    [
      { path: "config.xml", kind: "file", content: "old", mode: 0o600, uid: 1000, time: 1_600_000_000 },
      { path: "data", kind: "directory", mode: 0o2770, gid: 100 },
      { path: "data/second-name", kind: "link", linkTo: "config.xml" },
      { path: "lost+found", kind: "directory", mode: 0o700 },
    ],
    { mode: 0o770, uid: 5, gid: 6, time: 1_650_000_000 },
  );
  return root;
};

const second = 1_000_000_000n;
const copied: readonly CopiedEntry[] = [
  { path: "config.xml", content: "restored", mode: 0o640, uid: 7, gid: 8 },
  { path: "data", type: "directory", mode: 0o1755, mtime: 1_500_000_000n * second },
  { path: "data/deep", type: "directory", mtime: 1_400_000_000n * second },
  { path: "data/deep/a", content: "a", mtime: 1_300_000_000n * second },
  { path: "link", target: "data/deep" },
];
const rootEntry = {
  path: "",
  type: "directory",
  mode: 0o2755,
  uid: 9,
  gid: 10,
  size: 0,
  mtime: 1_200_000_000n * second,
  objectId: "root",
} as const;

const aCopyFor = (key = "a", tree = copied): void => void repository.add(`s-${key}`, tree, { root: rootEntry });

const types = (): readonly string[] => bench.lines.map(({ type }) => type);
const results = (): readonly ReplacedVolume[] =>
  bench.lines.flatMap((line) => (line.type === "replaced" ? [line.result] : []));

/** Runs what must fail. Gives the failure's code, with whatever is not as before or not said to be. */
const failing = async (roots: readonly string[], job: ReplaceJob): Promise<string> => {
  const state = (): string =>
    JSON.stringify(
      roots.map((root) => [Math.round(timeOf(root) * 100), ...treeOf(root)]),
      undefined,
      1,
    );
  const before = state();
  const code = await run(job).then(
    () => "none",
    (error: unknown) => (error instanceof Failure ? error.code : (error as Error).name),
  );
  const after = state();
  const isSaid = types().includes("touching") === types().includes("as-before") && !types().includes("replaced");
  return `${code}${after === before ? "" : `, changed: ${after}`}${isSaid ? "" : `, said: ${types().join()}`}`;
};

describe("a replacement that succeeds", () => {
  it("leaves exactly the copy's tree with all its attributes", async () => {
    const root = present();
    aCopyFor();
    await run();
    expect(readdirSync(root).toSorted()).toEqual([".holdfast-kept-op1", "config.xml", "data", "link"]);
    expect(readFileSync(join(root, "config.xml"), "utf8")).toBe("restored");
    const stats = (path: string) => lstatSync(join(root, path));
    expect([stats("config.xml").mode & 0o7777, stats("config.xml").uid, stats("data").mode & 0o7777]).toEqual([
      0o640, 7, 0o1755,
    ]);
    // To the microsecond: Node.js 20 cuts off what is finer, 24 keeps half of one.
    expect(["data", "data/deep", "data/deep/a", ""].map((path) => Math.floor(timeOf(join(root, path))))).toEqual([
      1_500_000_000_000, 1_400_000_000_000, 1_300_000_000_000, 1_200_000_000_000,
    ]);
    expect([stats("").mode & 0o7777, stats("").uid, stats("").gid]).toEqual([0o2755, 9, 10]);
  });

  it("tells what was done, after touching, and what could not be brought back", async () => {
    present();
    aCopyFor();
    await run();
    expect(types()[0]).toBe("touching");
    expect(types()).not.toContain("as-before");
    expect(results()).toEqual([
      {
        volume: "media/a",
        files: 2,
        directories: 2,
        symlinks: 1,
        bytes: 9,
        databases: 0,
        notKept: ["2 names of the earlier files were hard links; kopia brings each back as a file of its own"],
      },
    ]);
    expect(bench.lines).toContainEqual({ type: "progress", volume: "media/a", files: 2, bytes: 9 });
  });

  it("replaces files whose names are not UTF-8", async () => {
    const root = present();
    const directory = Buffer.concat([Buffer.from(`${root}/data/`), Buffer.from([0xff])]);
    mkdirSync(directory);
    writeFileSync(Buffer.concat([directory, Buffer.from("/x")]), "");
    aCopyFor();
    await run();
    expect(results()).toHaveLength(1);
  });

  it("empties a volume whose copy is empty", async () => {
    const root = present();
    aCopyFor("a", []);
    await run();
    expect(readdirSync(root)).toEqual([".holdfast-kept-op1"]);
  });

  it("first puts back what an earlier, killed restore has left, and then replaces that", async () => {
    const root = present();
    const before = treeOf(root);
    aCopyFor();
    // Killed between the two parts: nobody put anything back.
    await run(aJob(["a"], "before"));
    expect(readdirSync(root).toSorted()).toEqual([".holdfast-aside-op1"]);
    writeFileSync(join(root, "half"), "written");
    repository.onRestore(() => {
      throw new Error("and the next one fails as well");
    });
    await expect(run({ ...aJob(), operation: "op2" })).rejects.toThrow("as well");
    expect(treeOf(root)).toEqual(before);
  });

  it("is no failure when what an earlier discard has left cannot be removed: it is named, and never mixed in", async () => {
    const root = present();
    mkdirSync(join(root, ".holdfast-discard-op0/files"), { recursive: true });
    aCopyFor();
    disk.rm = (path) => {
      if (path.includes(".holdfast-discard-")) throw new Error("EPERM: immutable");
    };
    await run();
    expect(results()[0]?.notKept.at(-1)).toContain("EPERM: immutable");
    expect(
      readdirSync(root)
        .filter((name) => !isOurs(name))
        .toSorted(),
    ).toEqual(["config.xml", "data", "link"]);
    expect(readFileSync(join(root, "config.xml"), "utf8")).toBe("restored");
  });
});

describe("a copy of many small files", () => {
  const small = Array.from({ length: 70 }, (_, index) => ({ path: `f${index}`, content: "x" }));

  it("is fetched ahead by the pack, for all volumes of a repository together, before any of them is touched", async () => {
    const roots = [present("a"), present("b")];
    aCopyFor("a", small);
    aCopyFor("b", small);
    let fetched = 0;
    onLine = ({ type }) => {
      if (type === "touching") fetched = repository.prefetched.flat().length;
    };
    await run(aJob(["a", "b"]));
    expect([fetched, repository.prefetched.length]).toEqual([140, 1]);
    expect(roots.map((root) => readdirSync(root).filter((name) => !isOurs(name)).length)).toEqual([70, 70]);
  });

  it("is not fetched by us when somebody else writes it, nor when it is a few files", async () => {
    present();
    aCopyFor("a", small);
    await run(aJob(["a"], "before"));
    present("b");
    aCopyFor("b");
    await run(aJob(["b"]));
    expect(repository.prefetched).toEqual([]);
  });
});

describe("a replacement in two parts", () => {
  it("leaves the root empty for somebody else to fill, then compares and finishes", async () => {
    const root = present();
    aCopyFor();
    await run(aJob(["a"], "before"));
    expect(readdirSync(root).filter((name) => !isOurs(name))).toEqual([]);
    const snapshot = await repository.snapshot("s-a");
    await repository.restore(snapshot, root, {
      parallel: 1,
      sparse: true,
      signal: bench.context.signal,
      onProgress: () => undefined,
    });
    await run(aJob(["a"], "after"));
    expect(readdirSync(root).toSorted()).toEqual([".holdfast-kept-op1", "config.xml", "data", "link"]);
    expect(results()).toHaveLength(1);
  });

  it("puts everything back when the second part finds that nothing was filled in", async () => {
    const root = present();
    const before = treeOf(root);
    aCopyFor();
    await run(aJob(["a"], "before"));
    await expect(run(aJob(["a"], "after"))).rejects.toMatchObject({ code: "VERIFICATION_FAILED" });
    expect(treeOf(root)).toEqual(before);
  });
});

describe("a replacement whose result is wrong", () => {
  it.each<[string, (root: string) => void, string]>([
    ["other bytes", (root) => writeFileSync(join(root, "config.xml"), "restore"), "config.xml has 7 bytes, not 8"],
    ["a missing file", (root) => rmSync(join(root, "data/deep/a")), "data/deep/a is missing"],
    ["a file too much", (root) => writeFileSync(join(root, "data/extra"), ""), "data/extra is not in the copy"],
    [
      "another link target",
      (root) => (rmSync(join(root, "link")), symlinkSync("/etc", join(root, "link"))),
      'link points to "/etc"',
    ],
    [
      "other attributes of the root",
      (root) => plant(root, [], { mode: 0o777 }),
      "the volume's root has mode 0777, not 2755",
    ],
  ])("fails for %s and puts everything back", async (_what, tamper, why) => {
    const root = present();
    aCopyFor();
    repository.onRestore(({ path, directory }) => {
      if (path === undefined) tamper(directory);
    });
    expect(await failing([root], aJob())).toBe("VERIFICATION_FAILED");
    await expect(run()).rejects.toMatchObject({ why: expect.stringContaining(why) as string });
  });

  it("fails for a damaged database", async () => {
    const root = present();
    aCopyFor("a", [
      { path: "app.db", content: Buffer.concat([Buffer.from("SQLite format 3\0"), Buffer.alloc(4096, 0xa5)]) },
    ]);
    expect(await failing([root], aJob())).toBe("VERIFICATION_FAILED");
  });

  it("names five differences at the most, and their number", async () => {
    present();
    aCopyFor();
    repository.onRestore(({ path, directory }) => {
      if (path === undefined)
        for (let index = 0; index < 9; index += 1) writeFileSync(join(directory, `x${index}`), "");
    });
    await expect(run()).rejects.toMatchObject({
      what: expect.stringContaining("in 9 places") as string,
      why: expect.not.stringContaining("x5") as string,
    });
  });
});

describe("a replacement that is ended early", () => {
  it("puts everything back when kopia fails before any entry, and after the last", async () => {
    const root = present();
    aCopyFor();
    for (const end of [...copied.map(({ path }) => path), undefined]) {
      repository.onRestore(({ path }) => {
        if (path === end) throw new Failure("BUCKET_UNREACHABLE", { what: "away" });
      });
      bench.lines.length = 0;
      expect(await failing([root], aJob())).toBe("BUCKET_UNREACHABLE");
    }
  });

  it("puts everything back on SIGTERM, whatever it was about to say", async () => {
    const ends: string[] = [];
    for (let at = 1; ends.at(-1) !== "none"; at += 1) {
      let said = 0;
      rmSync(bench.base, { recursive: true });
      bench = agentBench(() => {
        said += 1;
        if (said === at) bench.stop.abort();
      });
      const root = present();
      aCopyFor();
      ends.push((await failing([root], aJob())).split(",")[0] ?? "");
      const isNew = existsSync(join(root, "link"));
      const kept = readdirSync(root).filter(isOurs);
      expect([isNew, kept]).toEqual(ends.at(-1) === "none" ? [true, [".holdfast-kept-op1"]] : [false, []]);
    }
    // Touching, two steps, what is kept, an entry each, and the comparison: after that there is nothing to stop.
    expect(ends).toEqual([...Array.from({ length: ends.length - 1 }, () => "AbortError"), "none"]);
    expect(ends.length).toBe(1 + 2 + 1 + copied.length + 1 + 1);
  });

  it("puts everything back on SIGTERM at each entry that kopia writes", async () => {
    for (const stopAt of [...copied.map(({ path }) => path), undefined]) {
      rmSync(bench.base, { recursive: true });
      bench = agentBench();
      const root = present();
      aCopyFor();
      repository.onRestore(({ path }) => {
        if (path === stopAt) bench.stop.abort();
      });
      expect(await failing([root], aJob())).toBe("AbortError");
    }
  });

  it("puts the first volume back as well when the second one fails", async () => {
    const roots = [present("a"), present("b")];
    aCopyFor("a");
    aCopyFor("b");
    repository.onRestore(({ id, path }) => {
      if (id === "s-b" && path === "data") throw new Failure("COPY_CORRUPT", { what: "bad" });
    });
    expect(await failing(roots, aJob(["a", "b"]))).toBe("COPY_CORRUPT");
  });

  it("puts the first volume back as well when the second one is not what it should be", async () => {
    const roots = [present("a"), present("b")];
    aCopyFor("a");
    aCopyFor("b");
    repository.onRestore(({ id, path, directory }) => {
      if (id === "s-b" && path === undefined) writeFileSync(join(directory, "extra"), "");
    });
    expect(await failing(roots, aJob(["a", "b"]))).toBe("VERIFICATION_FAILED");
  });

  it("says what happened first and what happened then when the files cannot be put back", async () => {
    const [one, other] = [present("a"), present("b")];
    const before = treeOf(other);
    aCopyFor("a");
    aCopyFor("b");
    repository.onRestore(({ id, path }) => {
      if (id !== "s-b" || path !== "data") return;
      disk.rm = (file) => {
        if (file.startsWith(`${one}/`)) throw new Error("EIO");
      };
      throw new Failure("COPY_CORRUPT", { what: "bad" });
    });
    await expect(run(aJob(["a", "b"]))).rejects.toMatchObject({
      code: "AGENT_FAILED",
      why: expect.stringMatching(/COPY_CORRUPT: bad; then media\/a: EIO/) as string,
    });
    expect(types()).not.toContain("as-before");
    expect(treeOf(other)).toEqual(before);
  });
});

describe("a replacement that is refused", () => {
  it("has touched nothing when a copy is missing, not even of the other volume", async () => {
    const roots = [present("a"), present("b")];
    aCopyFor("a");
    expect(await failing(roots, aJob(["a", "b"]))).toBe("COPY_MISSING");
    expect(types()).toEqual([]);
  });

  it("has touched nothing when the copy was made in the middle of a restore", async () => {
    const root = present();
    aCopyFor("a", [
      { path: ".holdfast-moving-old1", type: "directory" },
      { path: ".holdfast-moving-old1/config.xml", content: "x" },
      ...copied,
    ]);
    expect(await failing([root], aJob())).toBe("COPY_CORRUPT");
    expect(types()).toEqual([]);
  });

  it("has touched nothing when the target's root is a symbolic link, neither here nor there", async () => {
    const outside = present("outside");
    symlinkSync(outside, join(bench.context.places.volumes, "a"));
    aCopyFor();
    expect(await failing([outside], aJob())).toBe("TARGET_ESCAPES");
    expect(types()).toEqual([]);
  });

  it("has set nothing aside when the copy does not fit into the second volume", async () => {
    const roots = [present("a"), present("b")];
    aCopyFor("a", []);
    aCopyFor("b");
    disk.room = { bavail: 1, blocks: 1000, bsize: 1 };
    const inodes = roots.map((root) => lstatSync(root, { bigint: true }).ctimeNs);
    expect(await failing(roots, aJob(["a", "b"]))).toBe("TARGET_TOO_SMALL");
    expect(roots.map((root) => lstatSync(root, { bigint: true }).ctimeNs)).toEqual(inodes);
  });
});

describe("a volume with a link that leads outside", () => {
  it("has its link replaced, and what lies behind it is untouched, where the copy has files below that name", async () => {
    const root = present();
    const outside = join(bench.base, "outside");
    mkdirSync(outside);
    plant(
      outside,
      [
        { path: "a", kind: "file", content: "precious", time: 5 },
        { path: "deep", kind: "directory" },
      ],
      { time: 7 },
    );
    rmSync(join(root, "data"), { recursive: true });
    symlinkSync(outside, join(root, "data"));
    const [before, time] = [treeOf(outside), timeOf(outside)];
    aCopyFor();
    await run();
    expect(lstatSync(join(root, "data")).isDirectory()).toBe(true);
    expect([treeOf(outside), timeOf(outside)]).toEqual([before, time]);
  });

  it("gets its link back, unfollowed, when the restore fails", async () => {
    const root = present();
    const outside = join(bench.base, "outside");
    mkdirSync(outside);
    plant(outside, [{ path: "a", kind: "file", content: "precious" }], { time: 7 });
    symlinkSync(outside, join(root, "way-out"));
    const before = treeOf(outside);
    aCopyFor();
    repository.onRestore(({ path, directory }) => {
      if (path !== undefined) return;
      symlinkSync(outside, join(directory, "another"));
      throw new Error("stop");
    });
    const inside = treeOf(root);
    await expect(run()).rejects.toThrow("stop");
    expect([treeOf(root), treeOf(outside)]).toEqual([inside, before]);
  });
});
