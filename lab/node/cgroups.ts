/** The cgroups that a node's pods live in: the only thing of a lab that no namespace hides from the host. */
import { existsSync, mkdirSync, readFileSync, readdirSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Lab } from "../lab.ts";

const root = "/sys/fs/cgroup";

const controllers = (): readonly string[] =>
  readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(root, entry.name));

/** In version 1 a new cpuset has no processors, and nothing can be put into it, until it is told. */
const inheritCpuset = (parent: string, dir: string): void => {
  for (const file of ["cpuset.cpus", "cpuset.mems"]) {
    if (existsSync(join(dir, file))) writeFileSync(join(dir, file), readFileSync(join(parent, file)));
  }
};

/** Creates the lab's cgroup in every hierarchy. */
export const createCgroups = (lab: Lab): void => {
  for (const controller of controllers()) {
    const dir = join(controller, lab.id);
    mkdirSync(dir, { recursive: true });
    inheritCpuset(controller, dir);
  }
};

const removeTree = (dir: string): void => {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(join(dir, entry.name));
  }
  rmdirSync(dir);
};

/** Processes that have just been killed keep their cgroup busy for a moment. */
const removeWhenEmpty = async (dir: string): Promise<void> => {
  for (let attempt = 0; existsSync(dir); attempt += 1) {
    try {
      removeTree(dir);
    } catch (error) {
      if (attempt >= 100) throw error;
      await sleep(50);
    }
  }
};

/** Removes the lab's cgroups from every hierarchy. */
export const removeCgroups = async (lab: Lab): Promise<void> => {
  for (const controller of controllers()) await removeWhenEmpty(join(controller, lab.id));
};
