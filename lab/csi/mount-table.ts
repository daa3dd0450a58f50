/** The kernel's list of mounts, as this process sees it. */
import { readFile } from "node:fs/promises";

export interface Mount {
  readonly path: string;
  /** `ext4`, `fuse.zfs`, … */
  readonly fsType: string;
  /** What is mounted: a device, or a dataset's name. */
  readonly source: string;
}

const unescape = (field: string): string =>
  field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCodePoint(Number.parseInt(octal, 8)));

/** Reads the format of /proc/PID/mountinfo. The later of two mounts on one path lies on top. */
export const parseMounts = (mountinfo: string): readonly Mount[] =>
  mountinfo.split("\n").flatMap((line) => {
    const [before, after] = line.split(" - ");
    const path = before?.split(" ")[4];
    const [fsType, source] = after?.split(" ") ?? [];
    if (path === undefined || fsType === undefined || source === undefined) return [];
    return [{ path: unescape(path), fsType, source: unescape(source) }];
  });

/** What is mounted on a path; undefined when nothing is. */
export const mountAt = async (path: string): Promise<Mount | undefined> =>
  parseMounts(await readFile("/proc/self/mountinfo", "utf8")).findLast((mount) => mount.path === path);
