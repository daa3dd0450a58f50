/** The Debian packages that a lab needs, installed without starting anything on this machine. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "../../bootstrap/lock.mjs";
import type { Report } from "../shell/report.ts";
import { run, RunError, tail } from "../shell/run.ts";
import { ComponentError } from "./component-error.ts";

/** Names as dpkg knows them. */
const labPackages: readonly string[] = [
  "containerd",
  "runc",
  "containernetworking-plugins",
  "zfs-fuse",
  "busybox-static",
  "conntrack",
  "iptables",
  "sqlite3",
  "qbittorrent-nox",
  "e2fsprogs",
  "iproute2",
  "openssh-server",
  "openssl",
  "util-linux",
  "procps",
  "age",
];

/** What is added to them for Argo CD's image. */
export const argoCdPackages: readonly string[] = ["git", "redis-server"];

/** Those that bring a system service. The lab runs these programs inside its sandbox, never on the machine itself. */
const services: Readonly<Record<string, string>> = {
  containerd: "containerd",
  "zfs-fuse": "zfs-fuse",
  "openssh-server": "ssh",
  "redis-server": "redis-server",
};

/** The packages that dpkg-query does not report as installed. Its lines are "NAME STATUS". */
export const missingPackages = (wanted: readonly string[], dpkgOutput: string): string[] => {
  const installed = new Set(
    dpkgOutput
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter(([, status]) => status === "installed")
      .map(([name]) => name),
  );
  return wanted.filter((name) => !installed.has(name));
};

const askDpkg = async (wanted: readonly string[]): Promise<string> => {
  try {
    return (await run("dpkg-query", ["-W", "-f", "${Package} ${db:Status-Status}\n", ...wanted])).stdout;
  } catch (error) {
    // It fails when it does not know one of the names, and still lists the others.
    if (error instanceof RunError && error.exitCode === 1) return error.stdout;
    throw error;
  }
};

const policyFile = "/usr/sbin/policy-rc.d";
const policyMark = "# holdfast: no service starts during this installation";

/**
 * Runs apt-get with a policy that forbids service starts. The shell takes its own policy away again even when the
 * installing Node process is gone; one that was there before stays. What an interrupted run left carries the mark.
 */
const installScript = `
set -e
policy=${policyFile}
if [ ! -e "$policy" ] || grep -qF "${policyMark}" "$policy"; then
  trap 'rm -f "$policy"' EXIT
  trap 'exit 130' INT TERM
  printf '%s\\n' '#!/bin/sh' '${policyMark}' 'exit 101' > "$policy"
  chmod 755 "$policy"
fi
apt-get update -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=2
apt-get install -y -qq --no-install-recommends -o DPkg::Lock::Timeout=300 -o Acquire::Retries=2 "$@"
`;

/** Keeps the services of newly installed packages from starting at the next boot. Nothing to do without systemd's tools. */
const disableServices = async (installed: readonly string[]): Promise<void> => {
  const units = installed.flatMap((name) => services[name] ?? []);
  if (units.length === 0 || !existsSync("/usr/bin/systemctl")) return;
  await run("systemctl", ["disable", "--quiet", ...units]);
};

const install = async (names: readonly string[]): Promise<void> => {
  try {
    await run("sh", ["-c", installScript, "install", ...names], {
      env: { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" },
    });
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    const said = tail(`${error.stdout}\n${error.stderr}`);
    const advice = `Solve that, or install them by hand: apt-get install --no-install-recommends ${names.join(" ")}`;
    throw new ComponentError(`Debian packages could not be installed: ${names.join(" ")}\n${said}\n${advice}`, {
      cause: error,
    });
  }
  await disableServices(names);
};

const lockFile = join("/run/lock", "holdfast-packages.lock");

/**
 * Installs what is missing; only asks dpkg when nothing is. Services are neither started nor left to start at the next
 * boot, and those that were there before are left alone. Throws a ComponentError when apt-get fails.
 */
export const ensurePackages = async (report: Report, wanted: readonly string[] = labPackages): Promise<void> => {
  if (missingPackages(wanted, await askDpkg(wanted)).length === 0) return;
  await report.step("Debian packages", (note) =>
    withLock(
      lockFile,
      async () => {
        const missing = missingPackages(wanted, await askDpkg(wanted));
        if (missing.length === 0) return;
        note(missing.join(" "));
        await install(missing);
      },
      { onWait: (pid) => note(`waiting for process ${pid}, which installs them`) },
    ),
  );
};
