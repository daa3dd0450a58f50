/** What a lab is made of: programs, packages and images, made when something needs them. */
import { join } from "node:path";
import { isBuilt } from "../bootstrap/built.mjs";
import { type ComponentName, componentNames } from "./components/catalogue.ts";
import { type ComponentRecord, ensureComponents } from "./components/ensure.ts";
import { ensureImages, type ImageName } from "./components/images.ts";
import { ensurePackages } from "./components/packages.ts";
import { checkout, type Lab } from "./lab.ts";
import type { Binaries } from "./node/control-plane.ts";
import type { Report } from "./shell/report.ts";
import { run } from "./shell/run.ts";

export interface Parts {
  readonly binary: Binaries;
  /** docker-archive files. */
  readonly images: readonly string[];
  readonly records: readonly ComponentRecord[];
}

const imageNames: readonly ImageName[] = [
  "pause",
  "app",
  "qbittorrent",
  "coredns",
  "velero",
  "veleroPluginForAws",
  "holdfast",
];

/** What every lab is made of. Argo CD is made when somebody wants it: gitops/parts.ts. */
const labComponents = componentNames.filter((name) => name !== "argocd");

const agentFile = join(checkout, "dist", "agent.mjs");
const wasmFile = join(checkout, "dist", "node-sqlite3-wasm.wasm");

/** Holdfast as its users have it: the CLI, and the program of its own pods, from the sources as they are now. */
const build = async (report: Report): Promise<void> => {
  if (isBuilt(checkout)) return;
  await report.step("Holdfast, built", () =>
    run(join(checkout, "node_modules", ".bin", "rolldown"), ["-c"], { cwd: checkout }),
  );
};

const lookUp =
  (paths: ReadonlyMap<ComponentName, string>): Binaries =>
  (name) => {
    const path = paths.get(name);
    if (path === undefined) throw new Error(`the component ${name} was not asked for`);
    return path;
  };

/** Paths of components, made when they are missing. For commands on a lab that runs already. */
export const tools = async (lab: Lab, names: readonly ComponentName[], report: Report): Promise<Binaries> =>
  lookUp(await ensureComponents(names, { report, cacheDir: lab.cacheDir }));

/** Everything a whole lab needs from the start. */
export const ensureParts = async (lab: Lab, report: Report, signal?: AbortSignal): Promise<Parts> => {
  const abort = signal === undefined ? {} : { signal };
  await ensurePackages(report);
  const records: ComponentRecord[] = [];
  const paths = await ensureComponents(labComponents, {
    report,
    cacheDir: lab.cacheDir,
    onRecord: (record) => records.push(record),
    ...abort,
  });
  await build(report);
  const binary = lookUp(paths);
  const agent = { file: agentFile, extra: [wasmFile] };
  const images = await ensureImages(imageNames, { report, cacheDir: lab.cacheDir, binary, agent, ...abort });
  return { binary, images: [...images.values()], records };
};
