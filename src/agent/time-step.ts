/** How finely a file system keeps times. Most keep nanoseconds; some only microseconds or whole seconds. */
import { lstat, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A time of which every digit down to the microsecond says something. */
const probeSeconds = 1_000_000_007.123_457;

const steps = [1n, 1000n, 1_000_000n, 1_000_000_000n] as const;

/** ns between two times that the file system at `root` can tell apart. Leaves nothing behind; `name` must be ours. */
export const timeStep = async (root: string, name: string): Promise<bigint> => {
  const file = join(root, name);
  await writeFile(file, "");
  try {
    await utimes(file, probeSeconds, probeSeconds);
    const { mtimeNs } = await lstat(file, { bigint: true });
    const zeros = steps.findLast((step) => mtimeNs % step === 0n) ?? 1n;
    // The probe itself ends in a microsecond: what keeps that keeps everything that we can find out about.
    return zeros <= 1000n ? 1n : zeros;
  } finally {
    await rm(file);
  }
};
