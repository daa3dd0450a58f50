/** The lab's commands. Bodies load what they need, so that `lab -- exec` adds little to the command it runs. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Lab, paths } from "./lab.ts";
import { interruptible } from "./shell/interruptible.ts";
import type { RunningLab } from "./gitops/install.ts";
import type { Report } from "./shell/report.ts";
import { initOf, MachineDown } from "./site/inside.ts";
import { readState } from "./state.ts";

export interface Invocation {
  readonly lab: Lab;
  readonly report: Report;
  readonly words: readonly string[];
}

export interface Command {
  readonly takes: string;
  readonly what: string;
  /** Gives the exit status. */
  run(invocation: Invocation): Promise<number>;
}

const afterInterruption = 'the next "up" starts anew, and "down" removes what is there';

const onLaptop = async ({ lab }: Invocation, words: readonly string[]): Promise<number> => {
  const { execOnLaptop, laptopEnvironment } = await import("./exec.ts");
  const state = readState(lab);
  if (state === undefined) throw new MachineDown(lab, "site");
  return execOnLaptop(lab, laptopEnvironment(lab, state.tools), words);
};

/** Changes a lab that is up, alone. */
const onRunningLab = async (
  { lab, report }: Invocation,
  work: (running: RunningLab) => Promise<void>,
): Promise<number> => {
  if (readState(lab) === undefined || initOf(lab, "node") === undefined) throw new MachineDown(lab, "site");
  const [{ alone }, { tools }, { kubectlOf }] = await Promise.all([
    import("./alone.ts"),
    import("./parts.ts"),
    import("./site/kubectl.ts"),
  ]);
  const kubectl = kubectlOf(lab, await tools(lab, ["kubectl"], report));
  await alone(
    lab,
    () => work({ lab, kubectl, report }),
    (text) => report.line(text),
  );
  return 0;
};

const showIncident = async (invocation: Invocation): Promise<number> => {
  const [what] = invocation.words;
  if (what !== "prune" && what !== "revert") {
    process.stderr.write('"incident" wants one word: prune or revert\n');
    return 2;
  }
  const [{ describeIncident, prune, revert }, { hasArgoCd, installArgoCd }] = await Promise.all([
    import("./gitops/incident.ts"),
    import("./gitops/install.ts"),
  ]);
  return onRunningLab(invocation, async (running) => {
    if (!(await hasArgoCd(running.kubectl))) await installArgoCd(running);
    const incident = await running.report.step(`incident ${what}`, () => (what === "prune" ? prune : revert)(running));
    process.stdout.write(`${describeIncident(incident).join("\n")}\n`);
  });
};

const showStatus = async (invocation: Invocation): Promise<number> => {
  const { lab } = invocation;
  const machines = (["site", "nas", "node"] as const).map(
    (place) => `${place}: ${initOf(lab, place) === undefined ? "down" : "up"}`,
  );
  process.stdout.write(`lab "${lab.name}" in ${lab.dir}\n${machines.join(", ")}\n`);
  if (initOf(lab, "node") === undefined) return 0;
  return onLaptop(invocation, ["kubectl", "get", "nodes,pods,persistentvolumeclaims", "--all-namespaces"]);
};

const showLogs = async ({ lab, words }: Invocation): Promise<number> => {
  const dir = paths(lab).log;
  const files = existsSync(dir) ? readdirSync(dir).filter((file) => file.endsWith(".log")) : [];
  const [wanted] = words;
  if (wanted === undefined) {
    process.stdout.write(
      files.map((file) => `${file.replace(/\.log$/, "")}  ${statSync(join(dir, file)).size} bytes\n`).join(""),
    );
    return 0;
  }
  const file = files.find((name) => name === `${wanted}.log` || name.endsWith(`-${wanted}.log`));
  if (file === undefined) {
    process.stderr.write(`There is no log "${wanted}". Without a name, "logs" lists them.\n`);
    return 2;
  }
  const { spawnSync } = await import("node:child_process");
  return spawnSync("tail", ["-n", "200", ...words.slice(1), join(dir, file)], { stdio: "inherit" }).status ?? 1;
};

export const commands: Readonly<Record<string, Command>> = {
  up: {
    takes: "",
    what: "bring the lab up; builds what is missing",
    run: async ({ lab, report }) => {
      const { up } = await import("./up.ts");
      await interruptible(afterInterruption, (signal) => up(lab, report, { signal }));
      return 0;
    },
  },
  down: {
    takes: "",
    what: "end it; nothing of it is left on this machine",
    run: async ({ lab, report }) => {
      const { down } = await import("./down.ts");
      await report.step(`lab "${lab.name}" down`, () => down(lab));
      return 0;
    },
  },
  reset: {
    takes: "",
    what: "back to a clean cluster: seeded volumes, no backups",
    run: async ({ lab, report }) => {
      const { reset } = await import("./up.ts");
      await interruptible(afterInterruption, (signal) => reset(lab, report, { signal }));
      return 0;
    },
  },
  "load-agent": {
    takes: "",
    what: "give a running lab Holdfast's agent as the sources have it now",
    run: async ({ lab, report }) => {
      const { loadAgent } = await import("./load-agent.ts");
      await loadAgent(lab, report);
      return 0;
    },
  },
  argocd: {
    takes: "",
    what: "install Argo CD in a running lab and hand the apps over to it",
    run: async (invocation) => {
      const { installArgoCd } = await import("./gitops/install.ts");
      return onRunningLab(invocation, async (running) => void (await installArgoCd(running)));
    },
  },
  incident: {
    takes: "prune|revert",
    what: "commit the removal of the claims of Sonarr and Radarr, or revert that",
    run: showIncident,
  },
  status: { takes: "", what: "machines, pods and claims", run: showStatus },
  exec: {
    takes: "-- COMMAND…",
    what: "run a command in the lab, with KUBECONFIG and holdfast.yaml found",
    run: (invocation) => onLaptop(invocation, invocation.words.length === 0 ? ["bash"] : invocation.words),
  },
  kubectl: {
    takes: "-- ARGS…",
    what: "kubectl in the lab",
    run: (invocation) => onLaptop(invocation, ["kubectl", ...invocation.words]),
  },
  velero: {
    takes: "-- ARGS…",
    what: "velero in the lab",
    run: (invocation) => onLaptop(invocation, ["velero", ...invocation.words]),
  },
  logs: { takes: "[NAME] [-f]", what: "list the machines' logs, or show one", run: showLogs },
};
