/**
 * The node's images. Importing them takes seconds, so a containerd root with all of them in it is prepared once per
 * set of images and kept in the cache; a new node starts from a copy that shares the big files as hard links.
 */
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
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
  await runInside(lab, "node", ["ctr", "--address", containerdSocket, "--namespace", "k8s.io", "images", "import", image]);
};

const importAll = async (lab: Lab, images: readonly string[]): Promise<void> => {
  await startContainerd(lab);
  for (const image of images) await importImage(lab, image);
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

/** Puts the images into the node's containerd, which must not be running yet. */
export const loadImages = async (lab: Lab, images: readonly string[]): Promise<void> => {
  const { containerd: root } = paths(lab);
  if (existsSync(root)) return;
  const prepared = preparedDir(lab, images);
  if (existsSync(prepared)) {
    await copy(prepared, root);
    return;
  }
  await importAll(lab, images);
  const draft = `${prepared}.${lab.id}`;
  rmSync(draft, { recursive: true, force: true });
  await copy(root, draft);
  try {
    renameSync(draft, prepared);
  } catch (error) {
    // Another lab was quicker with the same set.
    if (!existsSync(prepared)) throw error;
    rmSync(draft, { recursive: true, force: true });
  }
};
