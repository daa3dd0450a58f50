/**
 * ZFS under FUSE, and how it must not hang. zfs-fuse calls sync(), which waits for every file system of the machine: also
 * for ext4 on an image that zfs-fuse itself serves, while it holds a lock that this needs. So its sync() does nothing; it
 * writes its pool with fsync(). The commands zfs and zpool do the same, and would wait for other labs.
 */
import { readFileSync } from "node:fs";
import type { Lab } from "../lab.ts";
import { runInside } from "../site/daemon.ts";
import { initOf } from "../site/inside.ts";

interface Numbers {
  readonly sync: number;
  readonly prctl: number;
}

/** Numbers of system calls. */
const numbers: Readonly<Record<string, Numbers>> = { x64: { sync: 162, prctl: 157 }, arm64: { sync: 81, prctl: 167 } };

/** A seccomp filter of four steps: load the number; is it sync? then answer 0; else go on. */
const program = `
  my ($sync, $prctl) = (shift, shift);
  my @steps = ([0x20, 0, 0, 0], [0x15, 0, 1, $sync], [0x06, 0, 0, 0x00050000], [0x06, 0, 0, 0x7fff0000]);
  my $filter = join "", map { pack "SCCL", @$_ } @steps;
  my $list = pack "Sx6P", scalar @steps, $filter;
  syscall($prctl + 0, 22, 2, $list) == 0 or die "no seccomp filter: $!\\n";
  exec @ARGV or die "$ARGV[0]: $!\\n";
`;

/** The words in front of a command that take its sync() away. */
export const withoutSync = (arch: string = process.arch): readonly string[] => {
  const known = numbers[arch];
  if (known === undefined) throw new Error(`the lab does not know the system calls of ${arch}`);
  return ["perl", "-e", program, String(known.sync), String(known.prctl)];
};

/** The FUSE connections among a process' mounts, as the kernel numbers them. */
export const fuseConnections = (mountinfo: string): readonly string[] => [
  ...new Set([...mountinfo.matchAll(/^\d+ \d+ 0:(\d+) .* - fuse\.zfs /gm)].map(([, minor = ""]) => minor)),
];

const abortScript = [
  "mkdir -p /run/fusectl",
  "mount -t fusectl fusectl /run/fusectl",
  // One that ended by itself meanwhile is no matter.
  'for id; do if [ -e "/run/fusectl/$id/abort" ]; then echo 1 >"/run/fusectl/$id/abort"; fi; done',
].join(" && ");

/** Lets everything that waits for ZFS fail, so that it can be killed. Only for a lab that is to end. */
export const abortFuse = async (lab: Lab): Promise<void> => {
  const nas = initOf(lab, "nas");
  const ids = nas === undefined ? [] : fuseConnections(readFileSync(`/proc/${nas}/mountinfo`, "utf8"));
  if (ids.length > 0) await runInside(lab, "nas", ["sh", "-c", abortScript, "abort", ...ids]);
};
