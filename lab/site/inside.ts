/** Finding the lab's machines and running things in them. Nothing is remembered in files: the kernel knows. */
import { readFileSync, readdirSync } from "node:fs";
import type { Lab } from "../lab.ts";

export type Place = "site" | "nas" | "node";

/** Argument 0 of a machine's process 1, by which it is found again. */
export const marker = (lab: Lab, place: Place): string => `${lab.id}/${place}`;

const isInit = (pid: string, wanted: string): boolean => {
  try {
    const argv = readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0");
    if (argv[0] !== "bash" || argv[3] !== wanted) return false;
    const nspid = /^NSpid:\s*(.*)$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1"))?.[1]?.trim().split(/\s+/) ?? [];
    return nspid.length > 1 && nspid.at(-1) === "1";
  } catch {
    // The process ended while we looked: then it is not the one.
    return false;
  }
};

/** Process id, as the host counts, of a machine's process 1; undefined when the machine is down. */
export const initOf = (lab: Lab, place: Place): number | undefined => {
  const wanted = marker(lab, place);
  const found = readdirSync("/proc").find((entry) => /^\d+$/.test(entry) && isInit(entry, wanted));
  return found === undefined ? undefined : Number(found);
};

/** Thrown when something is to be run in a machine that is down. */
export class MachineDown extends Error {
  constructor(lab: Lab, place: Place) {
    super(`the ${place === "site" ? "lab" : place} "${lab.name}" is not running; start it with: npm run lab -- up`);
    this.name = "MachineDown";
  }
}

/** The words in front of a command that make it run in a machine of the lab. */
export const inside = (lab: Lab, place: Place): readonly [string, ...string[]] => {
  const pid = initOf(lab, place);
  if (pid === undefined) throw new MachineDown(lab, place);
  return ["nsenter", "-t", String(pid), "-m", "-n", "-p", `--wd=${process.cwd()}`, "--"];
};
