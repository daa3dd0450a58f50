/**
 * Exports kept in one JSON file on the NAS. Every change replaces the file as a whole, so a reader on another machine
 * sees the state before it or after it. One process may write; any number may read.
 */
import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type ExportTables, noExports, withChangedExport, withExport, withoutExport } from "./export-tables.ts";
import type { NasExports, NasExportsReader } from "./nas-exports.ts";

/** The registry's file within its folder. */
export const exportsFile = (registryDir: string): string => join(registryDir, "exports.json");

const read = async (file: string): Promise<ExportTables> => {
  try {
    return JSON.parse(await readFile(file, "utf8")) as ExportTables;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return noExports;
    throw new Error(`cannot read the NAS' exports from ${file}`, { cause: error });
  }
};

const replace = async (file: string, tables: ExportTables): Promise<void> => {
  await mkdir(dirname(file), { recursive: true });
  const next = `${file}.next`;
  const handle = await open(next, "w");
  try {
    await handle.writeFile(`${JSON.stringify(tables, undefined, 2)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(next, file);
};

/** Reads the exports of a NAS, anew at every question. A registry that was never written is empty. */
export const readFileExports = (registryDir: string): NasExportsReader => ({
  query: async (kind) => (await read(exportsFile(registryDir))).rows[kind],
});

/** The exports of a NAS, for its one writer. Changes happen one after the other. */
export const openFileExports = (registryDir: string): NasExports => {
  const file = exportsFile(registryDir);
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work, work);
    last = mine;
    return mine;
  };
  return {
    ...readFileExports(registryDir),
    create: (kind, fields) =>
      inTurn(async () => {
        const { tables, made } = withExport(await read(file), kind, fields);
        await replace(file, tables);
        return made;
      }),
    update: (kind, id, fields) =>
      inTurn(async () => {
        const { tables, made } = withChangedExport(await read(file), kind, id, fields);
        await replace(file, tables);
        return made;
      }),
    remove: (kind, id) => inTurn(async () => replace(file, withoutExport(await read(file), kind, id))),
  };
};
