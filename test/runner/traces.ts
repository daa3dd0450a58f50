/** What a lab could leave on its host: looked for after `down`. */
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { Lab } from "../../lab/lab.ts";
import { memoryDir } from "../../lab/memory.ts";
import { run } from "../../lab/shell/run.ts";
import { initOf, type Place } from "../../lab/site/inside.ts";

const cgroupRoot = "/sys/fs/cgroup";

/** A line for each process, mount, cgroup and file that bears the lab's name. */
export const traces = async (lab: Lab): Promise<readonly string[]> => [
  ...processes(lab),
  ...lines(readFileSync("/proc/self/mountinfo", "utf8"), lab).map((line) => `mount: ${line}`),
  ...readdirSync(cgroupRoot)
    .filter((controller) => existsSync(join(cgroupRoot, controller, lab.id)))
    .map((controller) => `cgroup: ${controller}/${lab.id}`),
  ...[lab.dir, `${lab.dir}.lock`, memoryDir(lab)].filter((path) => existsSync(path)).map((path) => `file: ${path}`),
];

const lines = (text: string, lab: Lab): readonly string[] =>
  text.split("\n").filter((line) => line.includes(lab.dir) || line.includes(lab.id));

const allProcesses = (): readonly string[] => readdirSync("/proc").filter((entry) => /^\d+$/.test(entry));

/** Reads something of a process; undefined when it ended meanwhile, or is hidden even from root, as none of a lab's is. */
const ofProcess = (read: () => string): string | undefined => {
  try {
    return read();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ESRCH" || code === "EACCES") return undefined;
    throw error;
  }
};

const processes = (lab: Lab): readonly string[] =>
  allProcesses()
    .filter((pid) => Number(pid) !== process.pid)
    .flatMap((pid) => {
      const command = ofProcess(() => readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ")) ?? "";
      return command.includes(lab.dir) || command.includes(lab.id) ? [`process ${pid}: ${command.slice(0, 120)}`] : [];
    });

const kinds = ["mnt", "net", "pid"] as const;

const namespacesOf = (pid: number | string): readonly string[] =>
  kinds.flatMap((kind) => ofProcess(() => readlinkSync(`/proc/${pid}/ns/${kind}`)) ?? []);

const loopDevices = async (): Promise<readonly string[]> =>
  (await run("losetup", ["--list", "--noheadings", "--raw", "--output", "NAME,BACK-FILE"])).stdout
    .split("\n")
    .filter((line) => line !== "");

/** What a running lab occupies without its name on it. Look at it while the lab runs. */
export interface Footprint {
  /** Processes in the lab's namespaces, and its loop devices, as they are now. */
  readonly left: () => Promise<readonly string[]>;
}

/** Takes down the namespaces of the lab's machines, and the loop devices that its node has mounted. */
export const footprintOf = async (lab: Lab): Promise<Footprint> => {
  const places: readonly Place[] = ["site", "nas", "node"];
  const inits = places.flatMap((place) => initOf(lab, place) ?? []);
  const own = new Set(inits.flatMap(namespacesOf));
  const node = initOf(lab, "node");
  const mounts = node === undefined ? "" : readFileSync(`/proc/${node}/mountinfo`, "utf8");
  const loops = new Set((await loopDevices()).filter((line) => mounts.includes(` ${line.split(" ")[0]} `)));
  return {
    left: async () => [
      ...allProcesses()
        .filter((pid) => namespacesOf(pid).some((namespace) => own.has(namespace)))
        .map((pid) => `process ${pid}`),
      ...(await loopDevices()).filter((line) => loops.has(line)).map((line) => `loop device ${line}`),
    ],
  };
};

const settings = [
  "vm/overcommit_memory",
  "vm/panic_on_oom",
  "kernel/panic",
  "kernel/panic_on_oops",
  "net/ipv4/ip_forward",
];
const folders = [
  "/run/netns",
  "/run/containerd",
  "/run/zfs",
  "/var/lib/cni",
  "/var/lib/kubelet",
  "/var/lib/etcd",
  "/etc/kubernetes",
];

/** What every lab must leave alone: settings, network, packet filter, and folders that its programs use elsewhere. */
export const hostState = async (): Promise<readonly string[]> => {
  const rules = (await run("iptables-save", [])).stdout.split("\n").filter((line) => line.startsWith("-A"));
  const links = (await run("ip", ["-o", "link"])).stdout.split("\n").map((line) => line.split(" ")[1] ?? "");
  return [
    ...settings.map((setting) => `${setting}=${readFileSync(`/proc/sys/${setting}`, "utf8").trim()}`),
    ...rules,
    ...links,
    ...folders.map((folder) => `${folder}: ${existsSync(folder) ? readdirSync(folder).join(" ") : "absent"}`),
  ];
};
