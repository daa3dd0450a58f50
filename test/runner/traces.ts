/** What a lab could leave on its host: looked for after `down`. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Lab } from "../../lab/lab.ts";
import { run } from "../../lab/shell/run.ts";

/** A line for each process, mount, loop device, cgroup and file that belongs to the lab. */
export const traces = async (lab: Lab): Promise<readonly string[]> => {
  const loops = (await run("losetup", ["--list", "--noheadings", "--output", "NAME,BACK-FILE"])).stdout;
  return [
    ...processes(lab),
    ...lines(readFileSync("/proc/self/mountinfo", "utf8"), lab).map((line) => `mount: ${line}`),
    ...lines(loops, lab).map((line) => `loop device: ${line}`),
    ...readdirSync("/sys/fs/cgroup")
      .filter((controller) => existsSync(join("/sys/fs/cgroup", controller, lab.id)))
      .map((controller) => `cgroup: ${controller}/${lab.id}`),
    ...(existsSync(lab.dir) ? [`file: ${lab.dir}`] : []),
  ];
};

const lines = (text: string, lab: Lab): readonly string[] =>
  text.split("\n").filter((line) => line.includes(lab.dir) || line.includes(lab.id));

const processes = (lab: Lab): readonly string[] =>
  readdirSync("/proc")
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ");
        return command.includes(lab.dir) || command.includes(lab.id)
          ? [`process ${pid}: ${command.slice(0, 120)}`]
          : [];
      } catch {
        // It ended while we looked.
        return [];
      }
    });
