/**
 * Kills the program before its n-th change of the file system; a removal of a tree is cut off in its middle. A test file
 * lets `node:fs/promises` be mortal:
 *
 *   vi.mock("node:fs/promises", async (original) => (await import("./testing/crash.ts")).mortal(await original()));
 */
import type fsPromises from "node:fs/promises";

const crash = { at: Number.POSITIVE_INFINITY, count: 0, halfway: false, removing: false };

const changes = [
  "rename",
  "rm",
  "rmdir",
  "mkdir",
  "chown",
  "lchown",
  "chmod",
  "utimes",
  "lutimes",
  "unlink",
  "symlink",
  "writeFile",
] as const;

export const mortal = (real: typeof fsPromises): typeof fsPromises => {
  const { readdir, lstat } = real;
  /** Removes the first leaf of a tree, as a removal that dies early would. */
  const nibble = async (path: string | Buffer): Promise<void> => {
    if (!(await lstat(path)).isDirectory()) return;
    const [name] = await readdir(path, { encoding: "buffer" });
    if (name === undefined) return;
    const inner = Buffer.concat([Buffer.from(path), Buffer.from("/"), name]);
    if ((await lstat(inner)).isDirectory() && (await readdir(inner)).length > 0) await nibble(inner);
    else await real.rm(inner, { recursive: true });
  };
  const dying =
    <A extends unknown[], R>(name: string, call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      crash.count += 1;
      if (crash.count > crash.at) throw new Error("crash");
      if (crash.count === crash.at) {
        crash.removing = name === "rm";
        if (name === "rm" && crash.halfway) await nibble(args[0] as string | Buffer);
        throw new Error("crash");
      }
      return call(...args);
    };
  const calls = changes.map((name) => [name, dying(name, real[name] as (...args: unknown[]) => Promise<unknown>)]);
  return { ...real, ...Object.fromEntries(calls) } as typeof fsPromises;
};

/** Runs until done or dead. True when it came to its end. Nothing changes any more once it is dead. */
export const dyingAt = async (at: number, work: () => Promise<unknown>, halfway = false): Promise<boolean> => {
  Object.assign(crash, { at, count: 0, halfway });
  try {
    await work();
    return true;
  } catch (error) {
    if (crash.count < at) throw error;
    return false;
  } finally {
    Object.assign(crash, { at: Number.POSITIVE_INFINITY, count: 0, halfway: false });
  }
};

/**
 * Kills `work` at its every step. `prepare` makes a volume; `check` looks at it after each death, and once after work
 * that came to its end. Gives the number of steps.
 */
export const everyCrash = async <S>(
  prepare: () => Promise<S>,
  work: (state: S) => Promise<unknown>,
  check: (state: S, ended: boolean) => Promise<void>,
): Promise<number> => {
  for (let at = 1; ; at += 1) {
    let over = true;
    crash.removing = false;
    for (const halfway of [false, true]) {
      if (halfway && !crash.removing) continue;
      const state = await prepare();
      const ended = await dyingAt(at, () => work(state), halfway);
      await check(state, ended);
      over = over && ended;
    }
    if (over) return at - 1;
  }
};
