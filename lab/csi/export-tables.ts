/** The NAS' exports as one value, and what can be done to it. Pure: every change gives a new value. */
import { ExportExists, ExportMissing, type ExportKind, type ExportKinds } from "./nas-exports.ts";

export interface ExportTables {
  /** Ids are never used twice, so that a stale id cannot name somebody else's export. */
  readonly nextId: number;
  readonly rows: { readonly [K in ExportKind]: readonly ExportKinds[K][] };
}

export const noExports: ExportTables = { nextId: 1, rows: { nfs: [], target: [], extent: [], targetextent: [] } };

/** What must be unique within each kind. */
const identity: { readonly [K in ExportKind]: (fields: Omit<ExportKinds[K], "id">) => string } = {
  nfs: ({ path }) => path,
  target: ({ name }) => name,
  extent: ({ name }) => name,
  targetextent: ({ target, lunid }) => `of target ${target} with LUN ${lunid}`,
};

/** Adds an export. Throws `ExportExists`. */
export const withExport = <K extends ExportKind>(
  tables: ExportTables,
  kind: K,
  fields: Omit<ExportKinds[K], "id">,
): { readonly tables: ExportTables; readonly made: ExportKinds[K] } => {
  const rows: readonly ExportKinds[K][] = tables.rows[kind];
  const name = identity[kind](fields);
  if (rows.some((row) => identity[kind](row) === name)) throw new ExportExists(kind, name);
  const made = { id: tables.nextId, ...fields } as ExportKinds[K];
  return { tables: { nextId: tables.nextId + 1, rows: { ...tables.rows, [kind]: [...rows, made] } }, made };
};

/** Changes an export. Throws `ExportExists`, `ExportMissing`. */
export const withChangedExport = <K extends ExportKind>(
  tables: ExportTables,
  kind: K,
  id: number,
  fields: Partial<Omit<ExportKinds[K], "id">>,
): { readonly tables: ExportTables; readonly made: ExportKinds[K] } => {
  const rows: readonly ExportKinds[K][] = tables.rows[kind];
  const present = rows.find((row) => row.id === id);
  if (present === undefined) throw new ExportMissing(kind, id);
  const made = { ...present, ...fields };
  const name = identity[kind](made);
  if (rows.some((row) => row.id !== id && identity[kind](row) === name)) throw new ExportExists(kind, name);
  const changed = rows.map((row) => (row.id === id ? made : row));
  return { tables: { ...tables, rows: { ...tables.rows, [kind]: changed } }, made };
};

/** Removes an export and, with a target or an extent, its associations. */
export const withoutExport = (tables: ExportTables, kind: ExportKind, id: number): ExportTables => {
  const rows: ExportTables["rows"] = { ...tables.rows, [kind]: tables.rows[kind].filter((row) => row.id !== id) };
  if (kind !== "target" && kind !== "extent") return { ...tables, rows };
  return { ...tables, rows: { ...rows, targetextent: rows.targetextent.filter((row) => row[kind] !== id) } };
};
