/** Makes sure that components are there: found on PATH, in the cache, downloaded, or built. */
import { withLock } from "../../bootstrap/lock.mjs";
import type { Report } from "../shell/report.ts";
import { type Build, goBuild, requireGo } from "./build.ts";
import { buildLog, cachedPath, componentsLock, isCached, placeProgram } from "./cache.ts";
import {
  type Catalogue,
  type Component,
  type ComponentName,
  officialSites,
  readCatalogue,
  type Sites,
} from "./catalogue.ts";
import { ComponentError } from "./component-error.ts";
import { type Downloads, noDownloads, openDownloads } from "./download.ts";
import { installedPath } from "./on-path.ts";

type Origin = "path" | "cache" | "download" | "build";

export interface ComponentRecord {
  readonly name: ComponentName;
  readonly version: string;
  readonly how: Origin;
  /** Spent on making it; 0 when it was there. */
  readonly seconds: number;
}

export interface EnsureOptions {
  readonly report: Report;
  /** Finished programs are kept below this folder. */
  readonly cacheDir: string;
  readonly signal?: AbortSignal;
  /** Called once for each component, as soon as it is there. */
  readonly onRecord?: (record: ComponentRecord) => void;
  /** PATH is searched; HOLDFAST_LAB_DOWNLOAD=0 switches downloads off. This process's environment by default. */
  readonly env?: NodeJS.ProcessEnv;
  readonly sites?: Sites;
  readonly catalogue?: Catalogue;
  readonly build?: Build;
}

interface Found {
  readonly path: string;
  readonly how: Origin;
}

/** What one run works with. */
interface Workshop {
  readonly options: EnsureOptions;
  readonly downloads: Downloads;
  readonly build: Build;
}

const toolsOf = (options: EnsureOptions): Workshop => {
  const { env = process.env, sites = officialSites, build } = options;
  let goChecked: Promise<void> | undefined;
  const checkedBuild: Build = async (component, buildOptions) => {
    await (goChecked ??= requireGo());
    await goBuild(component, buildOptions);
  };
  return {
    options,
    downloads: env.HOLDFAST_LAB_DOWNLOAD === "0" ? noDownloads : openDownloads(sites),
    build: build ?? checkedBuild,
  };
};

const find = async (
  component: Component,
  { cacheDir, env = process.env }: EnsureOptions,
): Promise<Found | undefined> => {
  const installed = await installedPath(component, env.PATH);
  if (installed !== undefined) return { path: installed, how: "path" };
  return isCached(cacheDir, component) ? { path: cachedPath(cacheDir, component), how: "cache" } : undefined;
};

/** Downloads or builds into the cache. Another run may have done it while this one waited for the lock. */
const make = async (component: Component, workshop: Workshop, note: (text: string) => void): Promise<Origin> => {
  const { cacheDir, signal } = workshop.options;
  if (isCached(cacheDir, component)) return "cache";
  let how: Origin = "build";
  await placeProgram(cachedPath(cacheDir, component), async (target) => {
    if (component.download !== undefined && (await workshop.downloads.get(component.download, target, note))) {
      how = "download";
      return;
    }
    note("building");
    const logFile = buildLog(cacheDir, component);
    await workshop.build(component, { target, logFile, note, ...(signal === undefined ? {} : { signal }) });
  });
  return how;
};

/** What a step's last line says. */
const endings: Readonly<Record<Origin, string>> = {
  path: "found on PATH",
  cache: "made by another run",
  download: "downloaded",
  build: "built",
};

const makeAlone = (component: Component, workshop: Workshop): Promise<Origin> => {
  const { report, cacheDir, signal } = workshop.options;
  return report.step(`${component.name} ${component.version}`, async (note) => {
    const onWait = (pid: number): void => note(`waiting for process ${pid}, which makes components`);
    const how = await withLock(componentsLock(cacheDir), () => make(component, workshop, note), { onWait, signal });
    note(endings[how]);
    return how;
  });
};

const selected = (names: readonly ComponentName[], catalogue: Catalogue): Component[] => {
  const unknown = names.filter((name) => !catalogue.has(name));
  if (unknown.length > 0) throw new ComponentError(`unknown components: ${unknown.join(", ")}`);
  return [...catalogue.values()].filter(({ name }) => names.includes(name));
};

/**
 * Returns the absolute path of every named component, making those that are missing one after the other in the
 * catalogue's order. Safe to interrupt and to run twice at once. Throws a ComponentError when one cannot be had.
 */
export const ensureComponents = async (
  names: readonly ComponentName[],
  options: EnsureOptions,
): Promise<ReadonlyMap<ComponentName, string>> => {
  const components = selected(names, options.catalogue ?? readCatalogue());
  const workshop = toolsOf(options);
  const found = await Promise.all(components.map((component) => find(component, options)));
  const paths = new Map<ComponentName, string>();
  try {
    for (const [index, component] of components.entries()) {
      const begun = performance.now();
      const there = found[index];
      const how = there?.how ?? (await makeAlone(component, workshop));
      paths.set(component.name, there?.path ?? cachedPath(options.cacheDir, component));
      const seconds = there === undefined ? (performance.now() - begun) / 1000 : 0;
      options.onRecord?.({ name: component.name, version: component.version, how, seconds });
    }
  } finally {
    workshop.downloads.close();
  }
  return paths;
};
