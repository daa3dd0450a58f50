/** Finding the lab's machines and running things in them. Nothing is remembered in files: the kernel knows. */
import { readFileSync, readdirSync } from "node:fs";
import type { Lab } from "../lab.ts";

export type Place = "site" | "nas" | "node";

/** Argument 0 of a machine's process 1, by which it is found again. */
export const marker = (lab: Lab, place: Place): string => `${lab.id}/${place}`;

/** Reads a file of a process; undefined when the process ended meanwhile. */
const readOf = (pid: string, file: string): string | undefined => {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "latin1");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH") return undefined;
    throw error;
  }
};

const processes = (): readonly string[] => readdirSync("/proc").filter((entry) => /^\d+$/.test(entry));

const argumentsOf = (pid: string): readonly string[] => readOf(pid, "cmdline")?.split("\0") ?? [];

const isInit = (pid: string, wanted: string): boolean => {
  const argv = argumentsOf(pid);
  if (argv[0] !== "bash" || argv[3] !== wanted) return false;
  const ids =
    /^NSpid:\s*(.*)$/m
      .exec(readOf(pid, "status") ?? "")?.[1]
      ?.trim()
      .split(/\s+/) ?? [];
  return ids.at(-1) === "1";
};

/** Process id, as this process counts, of a machine's process 1; undefined when the machine is down. */
export const initOf = (lab: Lab, place: Place): number | undefined => {
  const wanted = marker(lab, place);
  const found = processes().find((pid) => isInit(pid, wanted));
  return found === undefined ? undefined : Number(found);
};

/** Every process that is, or is about to become, process 1 of a machine: an interrupted start leaves one of the latter. */
export const startersOf = (lab: Lab, place: Place): readonly number[] => {
  const wanted = marker(lab, place);
  return processes()
    .filter((pid) => argumentsOf(pid).includes(wanted))
    .map(Number);
};

/** Thrown when something is to be run in a machine that is down. */
export class MachineDown extends Error {
  constructor(lab: Lab, place: Place) {
    super(`the ${place === "site" ? "lab" : place} "${lab.name}" is not running; start it with: npm run lab -- up`);
    this.name = "MachineDown";
  }
}

/** The words in front of a command that make it run in a machine of the lab. Works on the host and on the lab's laptop. */
export const inside = (lab: Lab, place: Place): readonly [string, ...string[]] => {
  const pid = initOf(lab, place);
  if (pid === undefined) throw new MachineDown(lab, place);
  // Only those that run in the site see its process 1 under this number.
  if (place === "site" && pid === 1) return ["env", "--"];
  return ["nsenter", "-t", String(pid), "-m", "-n", "-p", `--wd=${process.cwd()}`, "--"];
};
