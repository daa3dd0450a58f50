/** Brings a lab up: site, NAS, node, Velero, seeded volumes, apps. Safe to call on a lab that runs. */
import { mkdirSync, rmSync } from "node:fs";
import { alone } from "./alone.ts";
import { apps, manifests } from "./apps/apps.ts";
import { waitForApps } from "./apps/readiness.ts";
import {
  hasCleanState,
  restoreEtcd,
  restoreExports,
  restoreNas,
  restoreNodeFiles,
  saveCleanState,
} from "./cluster-state.ts";
import { destroyMachines, remove } from "./down.ts";
import { writeHoldfastConfig } from "./holdfast-config.ts";
import { type Lab, paths } from "./lab.ts";
import { type Build, installBase, prepare, startMachines } from "./machines.ts";
import { placeNas } from "./memory.ts";
import { waitForNode } from "./node/node.ts";
import { plantClaims } from "./planting.ts";
import type { Report } from "./shell/report.ts";
import { initOf } from "./site/inside.ts";
import { applyObjects, type Kubectl } from "./site/kubectl.ts";
import { startSite } from "./site/sandbox.ts";
import { forgetState, readState, writeState } from "./state.ts";
import { installVelero, waitForVelero } from "./velero/install.ts";
import { waitFor } from "./wait-for.ts";

const appManifests = manifests();

/** Pods are refused until the controller manager has made their namespace's service account. */
const waitForServiceAccounts = (kubectl: Kubectl, namespaces: readonly string[]): Promise<void> =>
  waitFor("service accounts", 30, async () => {
    const path = "jsonpath={range .items[*]}{.metadata.namespace}/{.metadata.name} {end}";
    const present = (await kubectl(["get", "serviceaccounts", "-A", "-o", path])).split(" ");
    return namespaces.every((namespace) => present.includes(`${namespace}/default`));
  });

/** The binder forgets a claim that comes before its volume until it looks at everything again. */
const createClaims = async (kubectl: Kubectl): Promise<void> => {
  const { namespaces, claims } = appManifests;
  const isVolume = ({ kind }: { readonly kind?: string }): boolean => kind === "PersistentVolume";
  const volumes = claims.filter(isVolume);
  await applyObjects(kubectl, [...namespaces, ...volumes]);
  await waitFor("the volumes without a driver", 30, async () => {
    const phases = await kubectl(["get", "persistentvolumes", "-o", "jsonpath={.items[*].status.phase}"]);
    return phases.split(" ").filter((phase) => phase === "Available").length === volumes.length;
  });
  await applyObjects(
    kubectl,
    claims.filter((manifest) => !isVolume(manifest)),
  );
};

/** Everything but the apps: what a reset returns to. Does not wait for Velero. */
const install = async (build: Build): Promise<void> => {
  const { lab, parts, kubectl, report } = build;
  const { namespaces } = appManifests;
  await installBase(build);
  await createClaims(kubectl);
  await Promise.all([
    report.step("Velero installed", () => installVelero(lab, parts.binary, kubectl)),
    report.step("volumes and their content", async (note) => {
      const names = namespaces.map(({ metadata }) => metadata.name);
      await waitForServiceAccounts(kubectl, names);
      await waitForNode(kubectl);
      const { files, bytes } = await plantClaims(lab, kubectl, apps);
      note(`${files} files, ${Math.round(bytes / 1e6)} MB`);
    }),
  ]);
};

const startWorkloads = async ({ kubectl, report }: Build): Promise<void> => {
  await Promise.all([
    report.step("apps", async () => {
      await applyObjects(kubectl, appManifests.workloads);
      await waitForApps(kubectl);
    }),
    report.step("Velero", () => waitForVelero(kubectl)),
  ]);
};

/** Whether the lab came up to its end. What an interruption left is not up. */
const isUp = (lab: Lab): boolean => readState(lab) !== undefined && initOf(lab, "node") !== undefined;

/** Does work after which the lab is up. Until then it is not, whatever interrupts. */
const becomeUp = async ({ lab, parts: { binary } }: Build, work: () => Promise<void>): Promise<void> => {
  forgetState(lab);
  await work();
  writeState(lab, { tools: { kubectl: binary("kubectl"), velero: binary("velero"), kopia: binary("kopia") } });
};

export interface UpOptions {
  /** Ends what is being built or downloaded. */
  readonly signal?: AbortSignal | undefined;
}

const bringUp = async (lab: Lab, report: Report, { signal }: UpOptions): Promise<void> => {
  if (isUp(lab)) {
    report.line(`lab "${lab.name}" is up already; "reset" makes it clean, "down" ends it`);
    return;
  }
  const build = await prepare(lab, report, signal);
  await report.step(`lab "${lab.name}" up`, async () => {
    await remove(lab);
    mkdirSync(lab.dir, { recursive: true });
    placeNas(lab);
    await becomeUp(build, async () => {
      await startMachines(build, false);
      writeHoldfastConfig(lab);
      await install(build);
      await saveCleanState(lab, build.parts.binary);
      await startWorkloads(build);
    });
  });
};

export const up = (lab: Lab, report: Report, options: UpOptions = {}): Promise<void> =>
  alone(
    lab,
    () => bringUp(lab, report, options),
    (text) => report.line(text),
  );

const returnToClean = async (build: Build): Promise<void> => {
  const { lab, parts } = build;
  await destroyMachines(lab);
  rmSync(paths(lab).gitops, { recursive: true, force: true });
  await startSite(lab);
  restoreExports(lab);
  await Promise.all([restoreEtcd(lab, parts.binary), restoreNas(lab), restoreNodeFiles(lab)]);
  await startMachines(build, true);
  await waitForNode(build.kubectl);
  await startWorkloads(build);
};

/** Back to the clean cluster: both machines are made anew from what was kept, the bucket is empty. */
export const reset = (lab: Lab, report: Report, options: UpOptions = {}): Promise<void> =>
  alone(
    lab,
    async () => {
      if (!hasCleanState(lab)) return bringUp(lab, report, options);
      const build = await prepare(lab, report, options.signal);
      return report.step(`lab "${lab.name}" reset`, () => becomeUp(build, () => returnToClean(build)));
    },
    (text) => report.line(text),
  );
