import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockOwner, processStart, withLock } from "./lock.mjs";

let dir = "";
let file = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "lock-"));
  file = join(dir, "sub", "the.lock");
});
afterEach(() => rmSync(dir, { recursive: true }));

describe("a lock", () => {
  it("names its owner while held and leaves nothing behind", async () => {
    await withLock(file, () => expect(lockOwner(file)?.pid).toBe(process.pid));
    expect(readdirSync(dirname(file))).toEqual([]);
  });

  it("lets only one work at a time and tells the others whom they wait for", async () => {
    const waitedFor: number[] = [];
    let inside = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      expect(inside).toBe(1);
      await sleep(20);
      inside -= 1;
    };
    await Promise.all([1, 2, 3].map(() => withLock(file, work, { onWait: (pid) => waitedFor.push(pid) })));
    expect(waitedFor).toEqual([process.pid, process.pid]);
  });

  it("is given back when the work fails", async () => {
    await expect(withLock(file, () => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
    expect(existsSync(file)).toBe(false);
  });

  it("is taken over from a process that is gone", async () => {
    await withLock(file, () => undefined);
    const child = spawn("true");
    await new Promise((resolve) => child.once("exit", resolve));
    writeFileSync(file, JSON.stringify({ pid: child.pid, start: "1" }));
    await expect(withLock(file, () => "mine")).resolves.toBe("mine");
  });

  it("is taken over when the owner's process id now belongs to another process", async () => {
    await withLock(file, () => undefined);
    writeFileSync(file, JSON.stringify({ pid: process.pid, start: "1" }));
    await expect(withLock(file, () => readFileSync(file, "utf8"))).resolves.toContain(`"${processStart(process.pid)}"`);
  });

  it("is taken over by exactly one of many", async () => {
    await withLock(file, () => undefined);
    writeFileSync(file, "not a lock");
    let inside = 0;
    const work = async (): Promise<void> => {
      inside += 1;
      expect(inside).toBe(1);
      await sleep(5);
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 8 }, () => withLock(file, work)));
    expect(readdirSync(dirname(file))).toEqual([]);
  });

  it("can be waited for with an end", async () => {
    await withLock(file, async () => {
      await expect(withLock(file, () => "never", { signal: AbortSignal.timeout(50) })).rejects.toThrow("aborted");
    });
  });
});
