/** Inventories in the bucket: `holdfast/<cluster>/inventory/<time>.ndjson.gz` (ADR 0006). */
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { promisify } from "node:util";
import { createGzip, gunzip } from "node:zlib";
import { Failure, isFailure, messageOf } from "../../model/failure.ts";
import { linesOf } from "../../systems/kubernetes/lines.ts";
import type { Bucket } from "../../systems/s3/port.ts";
import { recordsPrefix } from "../records.ts";
import type { InventoryContent } from "./content.ts";
import { fingerprintOf } from "./fingerprint.ts";
import { ContentReader, type Head, headLine, linesOfContent, readHead } from "./lines.ts";

export interface Inventory extends InventoryContent {
  readonly head: Head;
  readonly key: string;
}

/** Where an inventory lies, and of when it is. */
interface InventoryEntry {
  readonly key: string;
  /** ms since 1970. */
  readonly time: number;
}

const ending = ".ndjson.gz";
const inventoryPrefix = (cluster: string): string => `${recordsPrefix(cluster)}inventory/`;

/** "20261125T030000123Z": sorts as time does. */
const timeText = (time: number): string => new Date(time).toISOString().replaceAll(/[-:.]/g, "");

const timeOf = (text: string): number =>
  Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z$/, "$1-$2-$3T$4:$5:$6.$7Z"));

/** All inventories, oldest first. Cost: one list. */
export const listInventories = async (bucket: Bucket, cluster: string): Promise<readonly InventoryEntry[]> => {
  const prefix = inventoryPrefix(cluster);
  const entries: InventoryEntry[] = [];
  for await (const { key } of bucket.list(prefix)) {
    const time = key.endsWith(ending) ? timeOf(key.slice(prefix.length, -ending.length)) : Number.NaN;
    if (!Number.isNaN(time)) entries.push({ key, time });
  }
  return entries;
};

/** The newest inventory, or the newest that is not younger than `at` (ms since 1970). Throws COPY_CORRUPT. */
export const readInventory = async (bucket: Bucket, cluster: string, at?: number): Promise<Inventory | undefined> => {
  const entry = (await listInventories(bucket, cluster)).findLast(({ time }) => at === undefined || time <= at);
  return entry === undefined ? undefined : readEntry(bucket, entry);
};

/** A reader that looks for a hint does not go further back than this many inventories. */
const mostInventories = 100;

/**
 * Newest first, for who looks for a hint: what cannot be read is one hint less, and is passed over. Cost: one list, and
 * one read for each that is taken, 100 at the most.
 */
export async function* inventoriesBackwards(
  bucket: Bucket,
  cluster: string,
): AsyncGenerator<{ readonly inventory: Inventory; readonly time: number }, void, undefined> {
  for (const entry of (await listInventories(bucket, cluster)).toReversed().slice(0, mostInventories)) {
    const inventory = await readIfWhole(bucket, entry);
    if (inventory !== undefined) yield { inventory, time: entry.time };
  }
}

// Not a stream: piped, an error of the decompression would reach nobody.
const unzip = promisify(gunzip);

/**
 * Undefined when it was removed meanwhile. Throws COPY_CORRUPT. Cost: the whole inventory in memory, about as much as the
 * cluster's PVs, claims and workloads are in `kubectl get -o json`.
 */
const readEntry = async (bucket: Bucket, { key }: InventoryEntry): Promise<Inventory | undefined> => {
  const stored = await bucket.get(key);
  if (stored === undefined) return undefined;
  try {
    const reader = new ContentReader();
    let head: Head | undefined;
    for await (const line of linesOf(Readable.from([await unzip(stored.body)]))) {
      if (head === undefined) head = readHead(line);
      else reader.take(line);
    }
    if (head === undefined) throw new SyntaxError("it is empty");
    return { ...reader.content(head), head, key };
  } catch (error) {
    throw new Failure("COPY_CORRUPT", {
      what: `The inventory ${key} cannot be read.`,
      why: messageOf(error),
      todo: "An older one may do. The next change of the cluster's volumes writes a new one.",
      cause: error,
    });
  }
};

/**
 * Writes the inventory when it differs from the newest one in what matters; gives its key, or undefined when there was
 * nothing new. Lines are compressed as they are made: memory holds the content and the compressed bytes. Cost: one list, one read, and at a change one write.
 */
export const writeInventory = async (
  bucket: Bucket,
  place: { readonly cluster: string; readonly uid: string },
  content: InventoryContent,
  now: number,
): Promise<string | undefined> => {
  const newest = (await listInventories(bucket, place.cluster)).at(-1);
  const fingerprint = fingerprintOf(content);
  // Where the newest cannot be read, a new one is due.
  const last = newest === undefined ? undefined : await readIfWhole(bucket, newest);
  if (last?.head.fingerprint === fingerprint) return undefined;
  // A clock that was ahead once must not hide every later inventory behind the one that it dated.
  const time = Math.max(now, (newest?.time ?? 0) + 1);
  const key = `${inventoryPrefix(place.cluster)}${timeText(time)}${ending}`;
  const head: Head = {
    holdfast: "inventory",
    version: 1,
    cluster: place.uid,
    time: new Date(now).toISOString(),
    fingerprint,
    nas: nasHead(content),
  };
  await bucket.put(key, await compressed(head, content), "absent");
  return key;
};

const nasHead = ({ nas }: InventoryContent): Head["nas"] => {
  if (nas === undefined) return null;
  const iqnBase = nas.exports?.iqnBase;
  return {
    addresses: [...nas.addresses],
    exports: nas.exports !== undefined,
    ...(iqnBase === undefined ? {} : { iqnBase }),
  };
};

const compressed = async (head: Head, content: InventoryContent): Promise<Uint8Array> => {
  const lines = function* (): Generator<string, void, undefined> {
    yield `${headLine(head)}\n`;
    for (const line of linesOfContent(content)) yield `${line}\n`;
  };
  const chunks: Buffer[] = [];
  await pipeline(Readable.from(lines()), createGzip(), async (zipped: AsyncIterable<Buffer>) => {
    for await (const chunk of zipped) chunks.push(chunk);
  });
  return Buffer.concat(chunks);
};

const readIfWhole = async (bucket: Bucket, entry: InventoryEntry): Promise<Inventory | undefined> => {
  try {
    return await readEntry(bucket, entry);
  } catch (error) {
    if (isFailure(error, "COPY_CORRUPT")) return undefined;
    throw error;
  }
};
