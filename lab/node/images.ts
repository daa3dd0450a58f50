/**
 * The node's images. Importing them takes seconds, so a containerd root with all of them in it is prepared once per
 * set of images and kept in the cache; a new node starts from a copy that shares the big files as hard links.
 */
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Lab, paths } from "../lab.ts";
import { endDaemon, runInside } from "../site/daemon.ts";
import { run } from "../shell/run.ts";
import { containerdSocket, startContainerd } from "./runtime.ts";

/** Files that containerd changes in place, so that they must be copied and not linked. */
const databases = [
  "io.containerd.metadata.v1.bolt/meta.db",
  "io.containerd.snapshotter.v1.overlayfs/metadata.db",
] as const;

/** Image files carry the hash of their content in their name. */
const preparedDir = (lab: Lab, images: readonly string[]): string => {
  const key = createHash("sha256")
    .update(
      images
        .map((file) => basename(file))
        .toSorted()
        .join("\n"),
    )
    .digest("hex")
    .slice(0, 16);
  return join(lab.cacheDir, "containerd", key);
};

/** Adds one image to a containerd that is running; pods made from then on use it. */
export const importImage = async (lab: Lab, image: string): Promise<void> => {
  await runInside(lab, "node", [
    "ctr",
    "--address",
    containerdSocket,
    "--namespace",
    "k8s.io",
    "images",
    "import",
    image,
  ]);
};

const importInto = async (lab: Lab, images: readonly string[]): Promise<void> => {
  await startContainerd(lab);
  const ctr = ["ctr", "--address", containerdSocket, "--namespace", "k8s.io"];
  for (const image of images) await runInside(lab, "node", [...ctr, "images", "import", image]);
  await endDaemon(lab, "node", "containerd");
};

const copy = async (from: string, to: string): Promise<void> => {
  mkdirSync(dirname(to), { recursive: true });
  try {
    await run("cp", ["-al", from, to]);
  } catch {
    // Another file system: no hard links across it, so the files are copied whole.
    rmSync(to, { recursive: true, force: true });
    await run("cp", ["-a", from, to]);
  }
  for (const database of databases) {
    rmSync(join(to, database), { force: true });
    cpSync(join(from, database), join(to, database));
  }
};

/** Each takes a gigabyte; a lab that runs keeps its own links to the files. */
const keptRoots = 3;

const removeOld = (dir: string): void => {
  const ageOf = (name: string): number => statSync(join(dir, name)).mtimeMs;
  const roots = readdirSync(dir).filter((name) => !name.includes("."));
  const byAge = roots.toSorted((one, other) => ageOf(other) - ageOf(one));
  for (const name of byAge.slice(keptRoots)) rmSync(join(dir, name), { recursive: true, force: true });
};

/** Keeps a copy of the node's containerd root, which must not be in use. */
const keep = async (lab: Lab, prepared: string): Promise<void> => {
  const draft = `${prepared}.${lab.id}`;
  rmSync(draft, { recursive: true, force: true });
  await copy(paths(lab).containerd, draft);
  try {
    renameSync(draft, prepared);
  } catch (error) {
    // Another lab was quicker with the same set.
    if (!existsSync(prepared)) throw error;
    rmSync(draft, { recursive: true, force: true });
  }
  removeOld(dirname(prepared));
};

/** Fills the node's containerd root from a copy; false when there is none. */
const takeOut = async (lab: Lab, prepared: string): Promise<boolean> => {
  if (!existsSync(prepared)) return false;
  const now = new Date();
  utimesSync(prepared, now, now);
  await copy(prepared, paths(lab).containerd);
  return true;
};

/** Holdfast's own image changes with every line of its sources, the others hardly ever. */
const isChanging = (image: string): boolean => basename(image).startsWith("holdfast-");

/** Puts the images into the node's containerd, which must not be running yet. */
export const loadImages = async (lab: Lab, images: readonly string[]): Promise<void> => {
  if (existsSync(paths(lab).containerd)) return;
  const whole = preparedDir(lab, images);
  if (await takeOut(lab, whole)) return;
  const stable = images.filter((image) => !isChanging(image));
  const base = preparedDir(lab, stable);
  if (!(await takeOut(lab, base))) {
    await importInto(lab, stable);
    await keep(lab, base);
  }
  await importInto(lab, images.filter(isChanging));
  await keep(lab, whole);
};
