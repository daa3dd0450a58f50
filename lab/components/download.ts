/** Official releases, checked against the checksums that are published beside them. */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { extract, type Extract } from "tar-stream";
import type { Note } from "../shell/report.ts";
import type { Download, Site, Sites } from "./catalogue.ts";
import { ComponentError } from "./component-error.ts";

const reachTimeoutMs = 3000;
const stallTimeoutMs = 30_000;

export interface Downloads {
  /**
   * Writes the program to `target`. False when the site cannot be reached or lacks the file; throws a ComponentError
   * when the content does not have the published checksum.
   */
  get(download: Download, target: string, note: Note): Promise<boolean>;
  /** Removes what was kept for the run. */
  close(): void;
}

/** The checksum of a file in a published list, or the only one there is. */
export const publishedSha256 = (list: string, file: string): string | undefined => {
  const entries = list
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+\*?/));
  const [sum] =
    entries.length === 1 ? (entries[0] ?? []) : (entries.find(([, name = ""]) => basename(name) === file) ?? []);
  return sum !== undefined && /^[0-9a-f]{64}$/i.test(sum) ? sum.toLowerCase() : undefined;
};

/** Node's fetch reports every failure of the network as a TypeError; the timeouts are ours. */
const isNetworkFailure = (error: unknown): boolean =>
  error instanceof TypeError || (error instanceof Error && ["TimeoutError", "AbortError"].includes(error.name));

/** Ends a transfer when no data comes for a while. */
const stallGuard = () => {
  const controller = new AbortController();
  const stop = (): void => controller.abort(new DOMException("no data for 30 s", "TimeoutError"));
  let timer = setTimeout(stop, stallTimeoutMs);
  return {
    signal: controller.signal,
    alive: () => {
      clearTimeout(timer);
      timer = setTimeout(stop, stallTimeoutMs);
    },
    end: () => clearTimeout(timer),
  };
};

/** Streams an address to a file and returns its SHA-256; undefined when it is not there. */
const fetchTo = async (url: string, file: string, note: Note): Promise<string | undefined> => {
  const guard = stallGuard();
  try {
    const response = await fetch(url, { signal: guard.signal });
    if (!response.ok || response.body === null) return undefined;
    const hash = createHash("sha256");
    let bytes = 0;
    const watch = new Transform({
      transform(piece: Buffer, _encoding, done) {
        guard.alive();
        hash.update(piece);
        bytes += piece.length;
        note(`downloading, ${Math.round(bytes / 1e6)} MB`);
        done(null, piece);
      },
    });
    await pipeline(Readable.fromWeb(response.body), watch, createWriteStream(file));
    return hash.digest("hex");
  } finally {
    guard.end();
  }
};

const writeEntry = async (entries: Extract, member: string, target: string): Promise<boolean> => {
  let found = false;
  for await (const entry of entries) {
    if (entry.header.name.replace(/^\.\//, "") === member && entry.header.type === "file") {
      await pipeline(entry, createWriteStream(target));
      found = true;
    } else entry.resume();
  }
  return found;
};

const extractMember = async (archive: string, member: string, target: string): Promise<void> => {
  const entries = extract();
  const [found] = await Promise.all([
    writeEntry(entries, member, target),
    pipeline(createReadStream(archive), createGunzip(), entries),
  ]);
  if (!found) throw new ComponentError(`${basename(archive)} does not hold ${member}`);
};

/** Downloads of one run. A site that did not answer is not asked again; an archive with several programs is fetched once. */
export const openDownloads = (sites: Sites): Downloads => {
  const silent = new Set<Site>();
  const files = new Map<string, string>();
  let dir: string | undefined;

  const checksum = async ({ site, path, checksums }: Download): Promise<string | undefined> => {
    const response = await fetch(`${sites[site]}${checksums}`, { signal: AbortSignal.timeout(reachTimeoutMs) });
    if (response.status === 403 || response.status === 407 || response.status >= 500) silent.add(site);
    return response.ok ? publishedSha256(await response.text(), basename(path)) : undefined;
  };

  const fetchVerified = async (download: Download, note: Note): Promise<string | undefined> => {
    const url = `${sites[download.site]}${download.path}`;
    const known = files.get(url);
    const wanted = known === undefined ? await checksum(download) : undefined;
    if (known !== undefined || wanted === undefined) return known;
    dir ??= mkdtempSync(join(tmpdir(), "holdfast-download-"));
    const file = join(dir, `${files.size}-${basename(download.path)}`);
    const got = await fetchTo(url, file, note);
    if (got === undefined) return undefined;
    if (got !== wanted) {
      const advice =
        "Nothing was kept. Try again later, or set HOLDFAST_LAB_DOWNLOAD=0 to build it from source instead.";
      throw new ComponentError(
        `${url} does not have its published checksum.\nwanted ${wanted}\ngot    ${got}\n${advice}`,
      );
    }
    files.set(url, file);
    return file;
  };

  return {
    async get(download, target, note) {
      if (silent.has(download.site)) return false;
      try {
        const file = await fetchVerified(download, note);
        if (file === undefined) return false;
        await (download.member === undefined ? copyFile(file, target) : extractMember(file, download.member, target));
        return true;
      } catch (error) {
        if (!isNetworkFailure(error)) throw error;
        silent.add(download.site);
        return false;
      }
    },
    close() {
      if (dir !== undefined) rmSync(dir, { recursive: true });
    },
  };
};

/** Downloads that are switched off. */
export const noDownloads: Downloads = { get: () => Promise.resolve(false), close: () => undefined };
