/**
 * A lock between processes: a file that exists as long as its owner works. It names the owner by process id and start
 * time, so a lock left by a dead process is recognised (even when its id was given to another one) and taken over.
 */
import { randomUUID } from "node:crypto";
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const pollMs = 100;

/** When a process started, in clock ticks since boot; undefined when it is gone, or where there is no /proc. */
export const processStart = (pid) => {
  const stat = readIfThere(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field is the program's name in parentheses and may itself hold spaces and parentheses.
  const [state, ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return state === "Z" ? undefined : fields[18];
};

const readIfThere = (file) => {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    // ESRCH: the process ended between opening and reading its file.
    if (error.code === "ENOENT" || error.code === "ESRCH") return undefined;
    throw error;
  }
};

const answersSignals = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
};

const isAlive = ({ pid, start }) => (existsSync("/proc/self/stat") ? processStart(pid) === start : answersSignals(pid));

const parseOwner = (text) => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** The living owner of a lock, or undefined when it is free or left over. */
export const lockOwner = (file) => {
  const text = readIfThere(file);
  const owner = text === undefined ? undefined : parseOwner(text);
  return owner !== undefined && isAlive(owner) ? owner : undefined;
};

/** Creates the file with its content in one step; false when it exists. */
const create = (file, content) => {
  const draft = `${file}.${randomUUID()}`;
  writeFileSync(draft, content, { flag: "wx" });
  try {
    linkSync(draft, file);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(draft);
  }
};

/** Takes a left-over lock out of the way, and puts it back when it turns out to be somebody's new one. */
const removeLeftOver = (file) => {
  const aside = `${file}.${randomUUID()}`;
  try {
    renameSync(file, aside);
  } catch (error) {
    if (error.code === "ENOENT") return;
    throw error;
  }
  const text = readFileSync(aside, "utf8");
  const owner = parseOwner(text);
  if (owner !== undefined && isAlive(owner)) create(file, text);
  rmSync(aside);
};

const tryLock = (file, content) => {
  if (create(file, content)) return true;
  if (lockOwner(file) !== undefined) return false;
  removeLeftOver(file);
  return create(file, content);
};

const release = (file, content) => {
  if (readIfThere(file) === content) rmSync(file);
};

/** Runs `work` while holding the lock. `onWait` is called once with the owner's process id when it is taken. */
export const withLock = async (file, work, { onWait = () => undefined, signal } = {}) => {
  mkdirSync(dirname(file), { recursive: true });
  const content = JSON.stringify({ pid: process.pid, start: processStart(process.pid), id: randomUUID() });
  let waiting = false;
  while (!tryLock(file, content)) {
    const owner = lockOwner(file);
    if (owner !== undefined && !waiting) {
      waiting = true;
      onWait(owner.pid);
    }
    await sleep(pollMs, undefined, { signal });
  }
  try {
    return await work();
  } finally {
    release(file, content);
  }
};
