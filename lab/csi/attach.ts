/**
 * How a node gets at an exported volume. The lab's kernel has neither an NFS nor an iSCSI client: the NAS' datasets appear
 * on the node under the same path by mount propagation, and the driver mounts from there what the NAS exports.
 */
import { type Exec, output } from "../zfs/exec.ts";
import { growToImage } from "./image-size.ts";
import type { StringMap } from "./messages.ts";
import { mountAt } from "./mount-table.ts";
import type { NasExportsReader } from "./nas-exports.ts";
import { RpcError, status } from "./rpc.ts";
import { datasetOf, imageName, type Protocol, targetNameOf } from "./volume-shape.ts";

export interface AttachOptions {
  readonly exec: Exec;
  readonly exports: NasExportsReader;
  readonly mountRoot: string;
}

export interface Attachment {
  readonly context: StringMap;
  readonly path: string;
  readonly readOnly: boolean;
}

/** Mounts a volume on an empty directory. Throws an `RpcError` when the NAS does not export it. */
export type Attach = (attachment: Attachment) => Promise<void>;

const attribute = (context: StringMap, name: string): string => {
  const value = context[name];
  if (value === undefined || value === "")
    throw new RpcError(status.INVALID_ARGUMENT, `volume attribute ${name} is missing`);
  return value;
};

/** A dataset that the NAS has not mounted would show an empty directory, and the app would start anew in it. */
const requireDataset = async (path: string): Promise<void> => {
  if ((await mountAt(path))?.fsType !== "fuse.zfs")
    throw new RpcError(status.INTERNAL, `the NAS has no dataset mounted at ${path}`);
};

const attachNfs =
  ({ exec, exports }: AttachOptions): Attach =>
  async ({ context, path, readOnly }) => {
    const [server, share] = [attribute(context, "server"), attribute(context, "share")];
    const shared = (await exports.query("nfs")).some((row) => row.path === share && row.enabled);
    if (!shared)
      throw new RpcError(status.INTERNAL, `mount.nfs: access denied by server while mounting ${server}:${share}`);
    await requireDataset(share);
    await output(exec, "mount", ["--bind", share, path]);
    if (readOnly) await output(exec, "mount", ["-o", "remount,bind,ro", path]);
  };

const attachIscsi =
  (options: AttachOptions): Attach =>
  async ({ context, path, readOnly }) => {
    const { exec, mountRoot } = options;
    const dataset = await findLun(options.exports, context);
    await requireDataset(`${mountRoot}/${dataset}`);
    const image = `${mountRoot}/${dataset}/${imageName}`;
    if (!readOnly) {
      await formatIfBlank(exec, image);
      await growToImage(exec, image);
    }
    await output(exec, "mount", ["-t", "ext4", "-o", readOnly ? "loop,ro" : "loop", image, path]);
  };

/** The dataset behind a portal's IQN and LUN. */
const findLun = async (exports: NasExportsReader, context: StringMap): Promise<string> => {
  const [portal, iqn, lun] = [attribute(context, "portal"), attribute(context, "iqn"), attribute(context, "lun")];
  const target = (await exports.query("target")).find((row) => row.name === targetNameOf(iqn));
  if (target === undefined) throw new RpcError(status.INTERNAL, `iscsiadm: no target ${iqn} at portal ${portal}`);
  const mapping = (await exports.query("targetextent")).find(
    (row) => row.target === target.id && row.lunid === Number(lun),
  );
  const extent = (await exports.query("extent")).find((row) => row.id === mapping?.extent && row.enabled);
  if (extent === undefined) throw new RpcError(status.INTERNAL, `iscsiadm: target ${iqn} has no LUN ${lun}`);
  return datasetOf(extent.disk);
};

const nothingFound = 2;

/** Makes a file system in a blank image only: blkid says "nothing found", and anything else it says leaves the image alone. */
const formatIfBlank = async (exec: Exec, image: string): Promise<void> => {
  const { code, stderr } = await exec("blkid", ["-p", image]);
  if (code === 0) return;
  if (code !== nothingFound)
    throw new RpcError(status.INTERNAL, `blkid ${image}: ${stderr.trim() || `exit code ${code}`}`);
  await output(exec, "mkfs.ext4", ["-q", "-F", "-m", "0", image]);
};

/** Mounts for each protocol. */
export const attachers = (options: AttachOptions): Readonly<Record<Protocol, Attach>> => ({
  nfs: attachNfs(options),
  iscsi: attachIscsi(options),
});

/** Unmounts everything that lies on a path; nothing there is no error. */
export const detach = async (exec: Exec, path: string): Promise<void> => {
  while ((await mountAt(path)) !== undefined) await output(exec, "umount", [path]);
};
