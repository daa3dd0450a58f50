/** What a system must have before anything of Holdfast can run on it. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

const oldestNode = [20, 19];
/** Older ones cannot fetch the toolchain that the lab's components ask for. */
const oldestGo = [1, 21];

/** Entries that bring a lab up. The quick checks under test/ do not. */
const labFolders = ["lab/", "demo/", "test/", "bench/"];
const withoutLab = new Set(["test/check.ts"]);

/** Tells whether an entry, as a path below the repository, needs what the lab needs. */
export const needsLab = (entry) => labFolders.some((folder) => entry.startsWith(folder)) && !withoutLab.has(entry);

const isOlder = (version, [major, minor]) => {
  const [, ownMajor, ownMinor] = /(\d+)\.(\d+)/.exec(version)?.map(Number) ?? [0, 0, 0];
  return ownMajor < major || (ownMajor === major && ownMinor < minor);
};

/** What a machine of the lab mounts anew and empty; from below it the machine would see nothing of the host's. */
const ofMachines = ["/tmp", "/run", "/mnt"];

const missingForLab = ({ platform, uid, has, go, folders }) => {
  if (platform !== "linux") return [`Linux: the lab is made of Linux namespaces (this is ${platform})`];
  const missing = [];
  for (const folder of new Set(folders))
    if (ofMachines.some((place) => folder === place || folder.startsWith(`${place}/`)))
      missing.push(
        `another place than ${folder}: the lab's machines have ${ofMachines.join(", ")} to themselves; move it, for instance below your home folder`,
      );
  if (!has("apt-get"))
    missing.push(
      "apt-get: the lab takes containerd, ZFS and other programs from Debian's packages; use Debian 12 or a relative",
    );
  if (uid !== 0)
    missing.push("root: the lab makes namespaces, mounts and a network of its own; run the same command as root");
  if (!has("git")) missing.push("git: apt-get install git");
  if (!has("go")) missing.push(`Go ${oldestGo.join(".")} or newer: https://go.dev/dl`);
  else if (go !== undefined && isOlder(go, oldestGo))
    missing.push(`Go ${oldestGo.join(".")} or newer (this is ${go}): https://go.dev/dl`);
  return missing;
};

/** Everything that is missing for an entry, one line each, with what to do; empty when nothing is. */
export const missingParts = (system) => {
  const { entry, node, has } = system;
  const missing = [];
  if (isOlder(node, oldestNode))
    missing.push(`Node.js ${oldestNode.join(".")} or newer (this is ${node}): https://nodejs.org/en/download`);
  if (!has("npm")) missing.push("npm: it comes with Node.js");
  return needsLab(entry) ? [...missing, ...missingForLab(system)] : missing;
};

/** Tells whether PATH has a program of that name. */
export const hasProgram = (name, path = process.env.PATH ?? "") =>
  path.split(delimiter).some((dir) => {
    try {
      accessSync(join(dir, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
