/** What a seed says about one path of a volume. */
import type { TreeEntry } from "../../src/model/tree.ts";

/** A stretch of a file that holds data. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
}

/** What makes kopia leave an entry out of a copy without saying so. */
export type LeftOutBy = "kopiaignore" | "cachedir";

export interface SeedEntry extends Omit<TreeEntry, "type"> {
  /** A "hardlink" is a further name of the file at `target`, and repeats that file's attributes. */
  readonly type: "file" | "directory" | "symlink" | "hardlink";
  /** The path of the volume's root itself is ".". */
  readonly path: string;
  /** Random content follows from this key; see content.ts. */
  readonly contentKey?: string;
  /** The first bytes of the file; random ones follow up to `size`. */
  readonly head?: Uint8Array;
  /** In a sparse file, where the data is: ascending, starting and ending at multiples of 4096. The rest is holes, read as zeros. */
  readonly extents?: readonly Extent[];
  /** Set where kopia's default settings keep the entry out of a copy. */
  readonly leftOutBy?: LeftOutBy;
}

/** The path of a volume's root directory among its entries. */
export const rootPath = ".";
