/** What changes a lab as a whole does so alone. The lock lies beside the lab's folder, since `down` removes that one. */
import { existsSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { lockOwner, withLock } from "../bootstrap/lock.mjs";
import type { Lab } from "./lab.ts";
import { killIfThere } from "./shell/kill.ts";

const lockFile = (lab: Lab): string => `${lab.dir}.lock`;

/** Runs work while nobody else brings the same lab up, resets it or takes it down. */
export const alone = <T>(lab: Lab, work: () => Promise<T>, onWait: (text: string) => void): Promise<T> =>
  withLock(lockFile(lab), work, { onWait: (pid) => onWait(`waiting for process ${pid}, which works on this lab`) });

const politeSeconds = 3;

/** Ends the process that is bringing the lab up, if there is one. */
export const endOthers = async (lab: Lab): Promise<void> => {
  const begun = performance.now();
  for (let owner = lockOwner(lockFile(lab)); owner !== undefined; owner = lockOwner(lockFile(lab))) {
    if (owner.pid === process.pid) throw new Error(`this very process works on the lab "${lab.name}"`);
    const isLate = performance.now() - begun > politeSeconds * 1000;
    killIfThere(owner.pid, isLate ? "SIGKILL" : "SIGTERM");
    await sleep(100);
  }
};

/** Removes the lock that a killed process left, and the folder of all labs when this was the last one. */
export const removeLock = (lab: Lab): void => {
  rmSync(lockFile(lab), { force: true });
  const parent = dirname(lab.dir);
  if (existsSync(parent) && readdirSync(parent).length === 0) rmdirSync(parent);
};
