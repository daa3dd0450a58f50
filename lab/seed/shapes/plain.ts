/** Volumes without an app's layout: small ones for the cluster's odd corners, and those of the benchmarks. */
import { Plot } from "../plot.ts";
import { blob } from "./formats.ts";

interface Plain {
  readonly files: number;
  /** Bytes of a file: least and most. */
  readonly size: readonly [number, number];
  readonly filesPerFolder: number;
}

const plain =
  ({ files, size, filesPerFolder }: Plain) =>
  (seed: string): Plot => {
    const plot = new Plot(seed, { uid: 1000, gid: 1000 });
    for (let number = 0; number < files; number++) {
      plot.file(`folder-${Math.floor(number / filesPerFolder)}/file-${number}.bin`, blob(plot.random, size));
    }
    return plot;
  };

export const small = plain({ files: 40, size: [100, 40_000], filesPerFolder: 10 });

/** Thousands of tiny files. */
export const many = plain({ files: 3000, size: [1, 2000], filesPerFolder: 250 });

/** 10,000 files, 600 MB. */
export const benchOne = plain({ files: 10_000, size: [1000, 119_000], filesPerFolder: 100 });

/** 1,250 files, 57 MB. */
export const benchMany = plain({ files: 1250, size: [1000, 90_200], filesPerFolder: 50 });
