/**
 * The outer sandbox and the machines in it, as nested namespaces. Killing process 1 of the site ends every process,
 * mount, bridge and rule of the lab at once.
 */
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Lab, network, paths } from "../lab.ts";
import { killIfThere } from "../shell/kill.ts";
import { run } from "../shell/run.ts";
import { nasScript, nodeScript, siteScript } from "./init.ts";
import { initOf, inside, marker, type Place, startersOf } from "./inside.ts";

const scripts = (lab: Lab): Readonly<Record<Place, string>> => ({
  site: siteScript,
  nas: nasScript,
  node: nodeScript(paths(lab)),
});

/**
 * Mount propagation decides what crosses: the NAS shares the pool's directory with the site (its copy of the mount
 * stays in the same peer group), the node only receives.
 */
const namespaces: Readonly<Record<Place, readonly string[]>> = {
  site: ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--net"],
  nas: ["--mount", "--propagation", "unchanged", "--pid", "--fork", "--kill-child", "--net"],
  node: ["--mount", "--propagation", "slave", "--pid", "--fork", "--kill-child", "--net"],
};

/** Waits until `ready` gives a value; throws with the log's tail when `seconds` have passed. */
const until = async <T>(what: string, seconds: number, logFile: string, ready: () => T | undefined): Promise<T> => {
  const deadline = performance.now() + seconds * 1000;
  for (;;) {
    const value = ready();
    if (value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`${what} did not come up within ${seconds} s\n${tail(logFile)}`);
    await sleep(20);
  }
};

const tail = (file: string): string =>
  existsSync(file) ? readFileSync(file, "utf8").split("\n").slice(-15).join("\n") : "";

const startInit = async (lab: Lab, place: Place): Promise<number> => {
  const { log, scripts: dir } = paths(lab);
  mkdirSync(log, { recursive: true });
  mkdirSync(dir, { recursive: true });
  const ready = join(dir, `${place}.ready`);
  rmSync(ready, { force: true });
  const logFile = join(log, `${place}-init.log`);
  const out = openSync(logFile, "w");
  const words = [...namespaces[place], "bash", "-c", scripts(lab)[place], marker(lab, place), ready];
  const [command, ...prefix] =
    place === "site" ? (["unshare"] as const) : ([...inside(lab, "site"), "unshare"] as const);
  spawn(command, [...prefix, ...words], { detached: true, stdio: ["ignore", out, out] }).unref();
  closeSync(out);
  const pid = await until(`process 1 of the ${place}`, 10, logFile, () => initOf(lab, place));
  if (place !== "site") await plugIn(lab, place, pid);
  await until(`the ${place}`, 10, logFile, () => (existsSync(ready) ? true : undefined));
  return pid;
};

/**
 * The same for a machine and for the one that takes its place: whoever has talked to the old one would go on sending to
 * an address that nobody has, for up to a minute.
 */
const hardwareAddress = (address: string): string =>
  ["02", "00", ...address.split(".").map((octet) => Number(octet).toString(16).padStart(2, "0"))].join(":");

/** Connects a machine to the site's LAN. Only the network is entered: the machine's pid is as this process counts. */
const plugIn = async (lab: Lab, place: "nas" | "node", pid: number): Promise<void> => {
  const site = initOf(lab, "site");
  if (site === undefined) throw new Error("the site ended while a machine was starting");
  const script = [
    "set -e",
    // The kernel takes a dead machine's cable away in its own time.
    'while ip link show dev "$1" >/dev/null 2>&1; do ip link delete dev "$1" 2>/dev/null || sleep 0.05; done',
    'ip link add "$1" type veth peer name eth0 address "$3" netns "$2"',
    'ip link set "$1" master lan0 up',
  ].join("\n");
  const words = [`${place}0`, String(pid), hardwareAddress(network[place])];
  await run("nsenter", ["-t", String(site), "-n", "sh", "-c", script, "plug-in", ...words]);
};

/** Starts the site when it is down. */
export const startSite = async (lab: Lab): Promise<void> => {
  if (initOf(lab, "site") === undefined) await startInit(lab, "site");
};

/** Starts a machine when it is down. */
export const startMachine = async (lab: Lab, place: "nas" | "node"): Promise<void> => {
  if (initOf(lab, place) === undefined) await startInit(lab, place);
};

/** Ends a place and everything in it. Returns when all of it is gone. */
export const stop = async (lab: Lab, place: Place): Promise<void> => {
  const seen = new Set<number>();
  await until(`the end of the ${place}`, 30, "", () => {
    for (const pid of startersOf(lab, place)) {
      seen.add(pid);
      killIfThere(pid, "SIGKILL");
    }
    // A process 1 loses its arguments first, and vanishes when everything inside has ended.
    return [...seen].some((pid) => existsSync(`/proc/${pid}`)) ? undefined : true;
  });
};
