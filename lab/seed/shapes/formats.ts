/** How files of real programs begin, and small files that are complete. */
import { createHash } from "node:crypto";
import type { Content } from "../plot.ts";
import type { Random } from "../random.ts";

export const jpegHead = Buffer.from("ffd8ffe000104a46494600010100000100010000", "hex");
export const zipHead = Buffer.from("504b0304140000000800", "hex");
export const webpHead = Buffer.from("52494646ffffff0057454250565038200000", "hex");
export const bifHead = Buffer.from("894249460d0a1a0a00000000", "hex");

/** Kilobytes of random bytes that begin like a known format. */
export const blob = (random: Random, [least, most]: readonly [number, number], head?: Uint8Array): Content => ({
  size: random.between(least, most),
  ...(head === undefined ? {} : { head }),
});

const words = "import grab scan refresh episode movie series task health cache update history indexer download".split(
  " ",
) as [string, ...string[]];

/** Lines as a .NET program logs them. */
export const logText = (random: Random, lines: number): string =>
  Array.from({ length: lines }, (_, line) => {
    const time = new Date(Date.UTC(2025, 10, 1) + line * 61_000).toISOString().replace("T", " ").slice(0, 21);
    return `${time}|Info|${random.pick(words)}Service|${random.pick(words)} ${random.pick(words)} ${random.between(1, 9999)}\n`;
  }).join("");

/** A valid tag of a cache directory: programs that make backups may leave its directory out. */
export const cacheDirTag = [
  "Signature: 8a477f597d28d172789f06886806bc55",
  "# This file is a cache directory tag created by (application name).",
  "# For information about cache directory tags, see https://bford.info/cachedir/",
  "",
].join("\n");

const sqlitePage = 4096;

/** A whole SQLite database without tables: one page. */
export const emptyDatabase = (): Buffer => {
  const page = Buffer.alloc(sqlitePage);
  page.write("SQLite format 3\0", 0, "latin1");
  page.writeUInt16BE(sqlitePage, 16);
  page.set([1, 1, 0, 64, 32, 32], 18);
  page.writeUInt32BE(1, 24); // change counter
  page.writeUInt32BE(1, 28); // pages
  page.writeUInt32BE(4, 44); // schema format
  page.writeUInt32BE(1, 56); // UTF-8
  page.writeUInt32BE(1, 92); // valid for this change counter
  page.writeUInt32BE(3_040_001, 96); // SQLite's version
  page[100] = 0x0d; // an empty leaf of the schema table
  page.writeUInt16BE(sqlitePage, 105); // its cells begin at the end
  return page;
};

export type Bencodable = number | string | Uint8Array | readonly Bencodable[] | { readonly [key: string]: Bencodable };

/** BitTorrent's encoding. Keys are sorted as it demands. */
export const bencode = (value: Bencodable): Buffer => {
  if (typeof value === "number") return Buffer.from(`i${value}e`);
  if (typeof value === "string") return bencode(Buffer.from(value));
  if (value instanceof Uint8Array) return Buffer.concat([Buffer.from(`${value.length}:`), value]);
  const parts = Array.isArray(value)
    ? ["l", ...value.map(bencode)]
    : [
        "d",
        ...Object.entries(value)
          .sort(([one], [other]) => (one < other ? -1 : 1))
          .flat()
          .map(bencode),
      ];
  return Buffer.concat([
    ...parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part)),
    Buffer.from("e"),
  ]);
};

export const sha1 = (data: Uint8Array): Buffer => createHash("sha1").update(data).digest();
