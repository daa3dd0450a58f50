import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { run } from "../shell/run.ts";
import { isRepository, makeRepository, openRepository, type Repository } from "./repository.ts";

let dir: string;
let repository: Repository;

beforeEach(async () => {
  dir = join(mkdtempSync(join(tmpdir(), "holdfast-git-")), "homelab");
  repository = await makeRepository(dir, "First", { "apps/one.yaml": "one\n", "apps/two.yaml": "two\n" });
});
afterEach(() => rmSync(join(dir, ".."), { recursive: true, force: true }));

/** What a clone by its address holds. */
const cloned = async (): Promise<readonly string[]> => {
  const clone = join(dir, "..", "clone");
  await run("git", ["clone", "--quiet", "--branch", "main", `file://${dir}`, clone]);
  return openRepository(clone).files();
};

describe("a repository", () => {
  it("can be cloned by its file:// address", async () => {
    expect(isRepository(dir)).toBe(true);
    expect(isRepository(join(dir, ".."))).toBe(false);
    expect(await cloned()).toEqual(["apps/one.yaml", "apps/two.yaml"]);
  });

  it("commits files that are written and removed, in one commit", async () => {
    const before = await repository.head();
    const after = await repository.commit("Move", { write: { "apps/new/three.yaml": "3" }, remove: ["apps/one.yaml"] });
    expect(after).not.toBe(before);
    expect(await repository.head()).toBe(after);
    expect(await repository.files()).toEqual(["apps/new/three.yaml", "apps/two.yaml"]);
    expect(existsSync(join(dir, "apps/one.yaml"))).toBe(false);
  });

  it("moves a file: under its old name it is gone", async () => {
    await repository.commit("Rename", { write: { "apps/new.yaml": "one\n" }, remove: ["apps/one.yaml"] });
    expect(await repository.files()).toEqual(["apps/new.yaml", "apps/two.yaml"]);
  });

  it("makes no commit when nothing would change", async () => {
    const before = await repository.head();
    expect(await repository.commit("Same", { write: { "apps/one.yaml": "one\n" } })).toBe(before);
  });

  it("leaves what somebody else has staged alone", async () => {
    writeFileSync(join(dir, "by-hand.yaml"), "");
    await run("git", ["-C", dir, "add", "by-hand.yaml"]);
    await repository.commit("Ours", { write: { "apps/one.yaml": "another\n" } });
    expect(await repository.files()).not.toContain("by-hand.yaml");
  });

  it("refuses to remove what is not there", async () => {
    const before = await repository.head();
    await expect(repository.commit("Gone", { remove: ["apps/nowhere.yaml"] })).rejects.toThrow(/nowhere\.yaml/);
    expect(await repository.head()).toBe(before);
  });

  it("reverts a commit by a new one, and finds each by its title", async () => {
    const removal = await repository.commit("Remove one", { remove: ["apps/one.yaml"] });
    const revert = await repository.revert(removal);
    expect(readFileSync(join(dir, "apps/one.yaml"), "utf8")).toBe("one\n");
    expect(await repository.head()).toBe(revert);
    expect(await repository.newestCalled("Remove one")).toBe(removal);
    expect(await repository.newestCalled("Remove")).toBeUndefined();
  });
});
