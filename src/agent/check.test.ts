import { existsSync, rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Failure } from "../model/failure.ts";
import { MemoryRepository } from "../systems/kopia/memory.ts";
import { check } from "./check.ts";
import type { CopyReference, CheckJob } from "./job.ts";
import { agentBench, type Bench } from "./testing/bench.ts";

let bench: Bench;
let repository: MemoryRepository;
beforeEach(() => {
  bench = agentBench();
  repository = new MemoryRepository();
});
afterEach(() => rmSync(bench.base, { recursive: true, force: true }));

const store = { endpoint: "https://nas.lab:9000", bucket: "velero", region: "us-east-1", prefix: "", privateCa: false };
const aCopy = (part: Partial<CopyReference> = {}): CopyReference => ({
  volume: "media/a",
  repository: "media",
  snapshotId: "s1",
  ...part,
});
const aJob = (...copies: readonly CopyReference[]): CheckJob => ({ kind: "check", store, copies, filesPercent: 5 });

const opened: string[] = [];
const run = async (job: CheckJob) => {
  opened.length = 0;
  await check(
    job,
    async (namespace) => {
      opened.push(namespace);
      return repository;
    },
    bench.context,
  );
  return bench.lines.flatMap((line) => (line.type === "checked" ? [line] : []));
};

const tree = [
  { path: "d", type: "directory" },
  { path: "d/f", content: "hello" },
  { path: "g", content: "you" },
  { path: "l", target: "g" },
] as const;

describe("check", () => {
  it("calls a whole copy verified and counts what is in it", async () => {
    repository.add("s1", tree);
    expect(await run(aJob(aCopy()))).toEqual([
      {
        type: "checked",
        volume: "media/a",
        evidence: {
          snapshotId: "s1",
          verdict: "verified",
          files: 2,
          directories: 1,
          symlinks: 1,
          bytes: 8,
          databases: 0,
          problems: [],
          leftOut: [],
        },
      },
    ]);
    expect(repository.verified).toEqual([{ ids: ["s1"], filesPercent: 5 }]);
  });

  it("says nothing about the volume, and has touched nothing there", async () => {
    repository.add("s1", tree);
    await run(aJob(aCopy()));
    expect(bench.lines.map(({ type }) => type)).toEqual(["step", "checked"]);
    expect(existsSync(`${bench.context.places.scratch}/databases`)).toBe(false);
  });

  it.each([
    [{ files: 3 }, "the tree has 2 files, its record says 3"],
    [{ bytes: 9 }, "the tree has 8 bytes, its record says 9"],
    [{ failed: 2 }, "2 entries could not be read when it was copied"],
    [{ incomplete: "canceled" }, "the copying was cut off: canceled"],
  ])("fails a copy whose record says %o", async (part, problem) => {
    repository.add("s1", tree, part);
    const [line] = await run(aJob(aCopy()));
    expect(line?.evidence).toMatchObject({ verdict: "failed", problems: [problem] });
  });

  it("fails a copy that was made in the middle of a restore", async () => {
    repository.add("s1", [
      ...tree,
      { path: ".holdfast-aside-x7k2", type: "directory" },
      { path: "d/.holdfast-aside-x7k2", type: "directory" },
    ]);
    const [line] = await run(aJob(aCopy()));
    expect(line?.evidence.problems).toEqual(["it was made in the middle of a restore: it holds .holdfast-aside-x7k2"]);
  });

  it("fails a copy with a missing snapshot and one that cannot be walked, and still looks at the others", async () => {
    repository.add("s1", tree);
    repository.add("s3", tree);
    repository.corrupt("s3", { unreadable: true });
    const lines = await run(
      aJob(
        aCopy({ volume: "media/gone", snapshotId: "s2" }),
        aCopy({ volume: "media/bad", snapshotId: "s3" }),
        aCopy(),
      ),
    );
    expect(lines.map(({ volume, evidence }) => [volume, evidence.verdict])).toEqual([
      ["media/gone", "failed"],
      ["media/bad", "failed"],
      ["media/a", "verified"],
    ]);
    expect(lines[0]?.evidence.problems.join()).toContain("s2 is not in its repository");
  });

  it("finds out which copy has the damage when all together do not verify", async () => {
    for (const id of ["s1", "s2", "s3"]) repository.add(id, tree);
    repository.corrupt("s2");
    const lines = await run(aJob(...["s1", "s2", "s3"].map((snapshotId) => aCopy({ snapshotId }))));
    expect(lines.map(({ evidence }) => evidence.verdict)).toEqual(["verified", "failed", "verified"]);
    expect(lines[1]?.evidence.problems).toEqual(["kopia could not verify s2. blob not found"]);
    expect(repository.verified.map(({ ids }) => ids.length)).toEqual([3, 1, 1, 1]);
  });

  it("verifies sound copies of a namespace in one go, and opens each repository once", async () => {
    for (const id of ["s1", "s2", "s3"]) repository.add(id, tree);
    await run(aJob(aCopy(), aCopy({ repository: "home", snapshotId: "s2" }), aCopy({ snapshotId: "s3" })));
    expect(opened).toEqual(["media", "home"]);
    expect(repository.verified.map(({ ids }) => ids)).toEqual([["s1", "s3"], ["s2"]]);
  });

  it("opens databases of the copy: a damaged one fails it, one that is none does not", async () => {
    const header = Buffer.concat([Buffer.from("SQLite format 3\0"), Buffer.alloc(4096, 0xa5)]);
    repository.add("s1", [
      { path: "bad.db", content: header },
      { path: "Thumbs.db", content: "no database" },
    ]);
    const [line] = await run(aJob(aCopy()));
    expect(line?.evidence).toMatchObject({
      verdict: "failed",
      databases: 1,
      problems: [expect.stringContaining("bad.db is damaged")],
    });
  });

  it("tells what the copy lacks without failing it for that", async () => {
    repository.add("s1", [...tree, { path: ".kopiaignore", content: "*.mkv" }], { excluded: 4 });
    const [line] = await run(aJob(aCopy()));
    expect(line?.evidence).toMatchObject({
      verdict: "verified",
      leftOut: ["4 entries were left out by ignore rules: .kopiaignore"],
    });
  });

  it("ends when the repository as a whole cannot be read: that says nothing about a copy", async () => {
    repository.verify = () => Promise.reject(new Failure("BUCKET_UNREACHABLE", { what: "away" }));
    await expect(run(aJob(aCopy()))).rejects.toMatchObject({ code: "BUCKET_UNREACHABLE" });
    expect(bench.lines.some(({ type }) => type === "checked")).toBe(false);
  });

  it("looks at no copy any more when it is told to stop", async () => {
    repository.add("s1", tree);
    const stopping = agentBench((line) => line.type === "step" && stopping.stop.abort());
    await expect(
      check(aJob(aCopy(), aCopy({ volume: "media/b" })), async () => repository, stopping.context),
    ).rejects.toThrow("aborted");
    expect(stopping.lines.filter(({ type }) => type === "checked")).toHaveLength(0);
    rmSync(stopping.base, { recursive: true });
  });
});
