/** The bytes of a seeded file, from nothing but its entry. */
import type { Extent, SeedEntry } from "./entry.ts";
import { Random } from "./random.ts";

/** No piece is longer. */
export const pieceBytes = 1 << 18;

/** Bytes at a place in a file. */
export interface Piece {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Where a file's data is; what lies between is holes. */
export const extentsOf = (entry: SeedEntry): readonly Extent[] =>
  entry.extents ?? (entry.size === 0 ? [] : [{ offset: 0, length: entry.size }]);

/** Bytes of a file that are not holes. */
export const dataBytes = (entry: SeedEntry): number => extentsOf(entry).reduce((sum, { length }) => sum + length, 0);

/** The data of a file in ascending pieces of at most 256 KiB; holes are left out. */
export function* contentOf(entry: SeedEntry): Generator<Piece> {
  const { head = new Uint8Array(0) } = entry;
  if (entry.extents === undefined && head.length >= entry.size) {
    for (let offset = 0; offset < entry.size; offset += pieceBytes) {
      yield { offset, bytes: head.subarray(offset, Math.min(offset + pieceBytes, entry.size)) };
    }
    return;
  }
  const random = new Random(entry.contentKey ?? entry.path);
  for (const extent of extentsOf(entry)) {
    for (let done = 0; done < extent.length; done += pieceBytes) {
      const bytes = random.bytes(Math.min(pieceBytes, extent.length - done));
      const offset = extent.offset + done;
      if (offset < head.length) bytes.set(head.subarray(offset, offset + bytes.length));
      yield { offset, bytes };
    }
  }
}
