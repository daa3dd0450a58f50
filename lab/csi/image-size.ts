/** How large an ext4 file system is, and making it as large as what it lies in. */
import { stat } from "node:fs/promises";
import { type Exec, output } from "../zfs/exec.ts";
import { RpcError, status } from "./rpc.ts";

interface Size {
  readonly blocks: number;
  readonly blockBytes: number;
}

const numberAfter = (label: string, text: string): number =>
  Number(new RegExp(`^${label}:\\s+(\\d+)$`, "m").exec(text)?.[1] ?? Number.NaN);

const sizeOf = async (exec: Exec, device: string): Promise<Size> => {
  const text = await output(exec, "dumpe2fs", ["-h", device]);
  return { blocks: numberAfter("Block count", text), blockBytes: numberAfter("Block size", text) };
};

/** Bytes of the file system on a device or in an image. */
export const fileSystemBytes = async (exec: Exec, device: string): Promise<number> => {
  const { blocks, blockBytes } = await sizeOf(exec, device);
  return blocks * blockBytes;
};

/** e2fsck says 1 when it has mended something. */
const mended = 1;

/** Nothing may have mounted it. Does nothing where the file system fills its image. */
export const growToImage = async (exec: Exec, image: string): Promise<void> => {
  const { blocks, blockBytes } = await sizeOf(exec, image);
  if (Math.floor((await stat(image)).size / blockBytes) <= blocks) return;
  const { code, stderr } = await exec("e2fsck", ["-f", "-p", image]);
  if (code > mended || code < 0) throw new RpcError(status.INTERNAL, `e2fsck ${image}: ${stderr.trim()}`);
  await output(exec, "resize2fs", [image]);
};
