/** What Argo CD is made of: its image and the manifests of its version. Made when somebody wants it, and cached. */
import { existsSync } from "node:fs";
import { copyFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { withLock } from "../../bootstrap/lock.mjs";
import { requireGo } from "../components/build.ts";
import { place } from "../components/cache.ts";
import { argoCdModule, type Component, readCatalogue } from "../components/catalogue.ts";
import { ensureImages } from "../components/images.ts";
import { argoCdPackages, ensurePackages } from "../components/packages.ts";
import type { Lab } from "../lab.ts";
import { tools } from "../parts.ts";
import type { Report } from "../shell/report.ts";
import { run } from "../shell/run.ts";

export interface ArgoCdParts {
  /** A docker-archive file. */
  readonly image: string;
  /** The release's core-install.yaml: everything but the API server and its web interface. */
  readonly manifests: string;
}

/** The folder of Argo CD's module, in exactly the pinned version. Comes from the Go module proxy when it is not there. */
const moduleDir = async ({ pins }: Component): Promise<string> => {
  const { stdout } = await run("go", ["mod", "download", "-json", argoCdModule], { cwd: pins });
  return (JSON.parse(stdout) as { readonly Dir: string }).Dir;
};

const readManifests = async ({ cacheDir }: Lab, report: Report): Promise<string> => {
  const component = readCatalogue().get("argocd");
  if (component === undefined) throw new Error("the catalogue has no argocd");
  const { version, key } = component;
  const file = join(cacheDir, "argocd", `core-install-${version}-${key}.yaml`);
  if (!existsSync(file)) {
    await report.step(`manifests of Argo CD ${version}`, () =>
      withLock(join(cacheDir, "argocd.lock"), async () => {
        await requireGo();
        const released = join(await moduleDir(component), "manifests", "core-install.yaml");
        await place(file, (draft) => copyFile(released, draft));
      }),
    );
  }
  return readFile(file, "utf8");
};

/**
 * Makes what is missing. Where it is all there it needs no network, and so works on the lab's laptop too, which has no way
 * out: what runs there asks for the parts on the host before.
 */
export const ensureArgoCd = async (lab: Lab, report: Report): Promise<ArgoCdParts> => {
  await ensurePackages(report, argoCdPackages);
  const binary = await tools(lab, ["argocd"], report);
  const images = await ensureImages(["argocd"], { report, cacheDir: lab.cacheDir, binary });
  const image = images.get("argocd");
  if (image === undefined) throw new Error("the image of Argo CD was not made");
  return { image, manifests: await readManifests(lab, report) };
};
