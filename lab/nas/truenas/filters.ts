/** TrueNAS' query filters and options over plain objects. Pure. */
import { z } from "zod";
import { CallError, MatchNotFound } from "./call-error.ts";

type Row = Readonly<Record<string, unknown>>;

/** ["field", "op", value], or ["OR", [branch, …]] whose branches are a filter or a list of filters. */
export const filtersSchema = z.array(z.array(z.unknown())).default([]);

const longest = 10_000;

export const optionsSchema = z
  .strictObject({
    select: z.array(z.union([z.string(), z.array(z.string())])).default([]),
    order_by: z.array(z.string()).default([]),
    limit: z.int().min(0).max(longest).default(0),
    offset: z.int().min(0).default(0),
    count: z.boolean().default(false),
    get: z.boolean().default(false),
    extra: z.record(z.string(), z.unknown()).default({}),
    relationships: z.boolean().default(true),
    force_sql_filters: z.boolean().default(false),
  })
  .prefault({});

export type Filters = z.output<typeof filtersSchema>;
export type QueryOptions = z.output<typeof optionsSchema>;

const invalid = (text: string): CallError => new CallError(text, "EINVAL");

/** "a.b" is member b of a; a backslash keeps a dot in a name; a number is a place in a list. */
const pathOf = (path: string): readonly string[] =>
  path.split(/(?<!\\)\./).map((part) => part.replaceAll(String.raw`\.`, "."));

/** Undefined when the row does not have it. */
const valueAt = (row: unknown, path: string): unknown => {
  let current = row;
  for (const part of pathOf(path)) {
    if (Array.isArray(current)) current = /^\d+$/.test(part) ? (current[Number(part)] ?? null) : undefined;
    else if (typeof current === "object" && current !== null) current = (current as Row)[part];
    else return current === undefined ? undefined : null;
  }
  return current;
};

const fold = (value: unknown): unknown => {
  if (typeof value === "string") return value.toLowerCase();
  return Array.isArray(value) ? value.map(fold) : value;
};

const equal = (a: unknown, b: unknown): boolean =>
  a === b || (typeof a === "object" && a !== null && JSON.stringify(a) === JSON.stringify(b));

const contains = (list: unknown, item: unknown): boolean => {
  if (typeof list === "string") return typeof item === "string" && list.includes(item);
  if (Array.isArray(list)) return list.some((one) => equal(one, item));
  return typeof list === "object" && list !== null && String(item) in list;
};

const ordered = (compare: (a: number | string, b: number | string) => boolean) => (a: unknown, b: unknown) => {
  if (typeof a !== typeof b || (typeof a !== "number" && typeof a !== "string"))
    throw invalid(`'<' not supported between instances of '${typeof a}' and '${typeof b}'`);
  return compare(a, b as number | string);
};

const text = (value: unknown): string => (typeof value === "string" ? value : String(value));

type Operation = (value: unknown, wanted: unknown) => boolean;

/** A field that is null fails every one of these but equality, `in` and `~`. */
const operations: Readonly<Record<string, Operation>> = {
  "=": equal,
  "!=": (a, b) => !equal(a, b),
  ">": ordered((a, b) => a > b),
  ">=": ordered((a, b) => a >= b),
  "<": ordered((a, b) => a < b),
  "<=": ordered((a, b) => a <= b),
  // Python's re.match: from the beginning, not to the end.
  "~": (a, b) => new RegExp(`^(?:${text(b)})`).test(text(a ?? "")),
  in: (a, b) => contains(b, a),
  nin: (a, b) => a !== null && !contains(b, a),
  rin: (a, b) => a !== null && contains(a, b),
  rnin: (a, b) => a !== null && !contains(a, b),
  "^": (a, b) => a !== null && text(a).startsWith(text(b)),
  "!^": (a, b) => a !== null && !text(a).startsWith(text(b)),
  $: (a, b) => a !== null && text(a).endsWith(text(b)),
  "!$": (a, b) => a !== null && !text(a).endsWith(text(b)),
};

type Filter = readonly unknown[];
type Test = (row: Row) => boolean;

const deepest = 3;

const branchOf = (branch: unknown, depth: number): Test => {
  if (!Array.isArray(branch)) throw invalid(`Invalid filter ${JSON.stringify(branch)}`);
  const filters = (Array.isArray(branch[0]) ? branch : [branch]) as readonly Filter[];
  return allOf(filters, depth + 1);
};

const testOf = (filter: Filter, depth: number): Test => {
  if (filter.length === 2) {
    const [operation, branches] = filter;
    if (operation !== "OR") throw invalid(`Invalid operation: ${String(operation)}`);
    if (!Array.isArray(branches) || branches.length === 0) throw invalid("OR filter requires at least one branch.");
    const tests = branches.map((branch) => branchOf(branch, depth));
    return (row) => tests.some((test) => test(row));
  }
  if (filter.length !== 3) throw invalid(`Invalid filter ${JSON.stringify(filter)}`);
  const [field, given, wanted] = filter;
  const name = String(given);
  const anyCase = name.startsWith("C") && name !== "C~";
  const operation = operations[anyCase ? name.slice(1) : name];
  if (operation === undefined) throw invalid(`Invalid operation: ${name}`);
  return (row) => {
    const value = valueAt(row, String(field));
    if (value === undefined) return false;
    return anyCase ? operation(fold(value), fold(wanted)) : operation(value, wanted);
  };
};

const allOf = (filters: readonly Filter[], depth: number): Test => {
  if (depth > deepest) throw invalid("query-filters max recursion depth exceeded");
  const tests = filters.map((filter) => testOf(filter, depth));
  return (row) => tests.every((test) => test(row));
};

const compare = (a: unknown, b: unknown): number => {
  if (equal(a, b)) return 0;
  return (a as string) < (b as string) ? -1 : 1;
};

/** "-name" turns the order around; "nulls_first:" and "nulls_last:" say where null goes. */
const order = (rows: readonly Row[], by: string): readonly Row[] => {
  const nulls = /^nulls_(first|last):/.exec(by)?.[1];
  const rest = by.replace(/^nulls_(first|last):/, "");
  const [field, sign] = rest.startsWith("-") ? [rest.slice(1), -1] : [rest, 1];
  const rank = (value: unknown): number => (value === null && nulls !== undefined ? (nulls === "first" ? -1 : 1) : 0);
  return [...rows].sort((left, right) => {
    const [a, b] = [valueAt(left, field) ?? null, valueAt(right, field) ?? null];
    return rank(a) - rank(b) || sign * compare(a, b);
  });
};

const select = (row: Row, fields: QueryOptions["select"]): Row => {
  const chosen: Record<string, unknown> = {};
  for (const field of fields) {
    const [path, name] = typeof field === "string" ? [field, undefined] : [field[0] ?? "", field[1]];
    const value = valueAt(row, path);
    if (value === undefined) continue;
    const keys = name === undefined ? pathOf(path) : [name];
    let place = chosen;
    for (const key of keys.slice(0, -1)) place = (place[key] ??= {}) as Record<string, unknown>;
    place[keys.at(-1) ?? path] = value;
  }
  return chosen;
};

/** Throws a `CallError` EINVAL for filters that cannot be, and `MatchNotFound` for `get` without a match. */
export const filterList = (rows: readonly Row[], filters: Filters, options: QueryOptions): unknown => {
  if (options.get && options.limit > 1) throw invalid("Invalid options combination. `get` implies a single result.");
  const test = allOf(filters, 0);
  let found: readonly Row[] = rows.filter(test);
  if (options.count) return found.length;
  for (const by of options.order_by.toReversed()) found = order(found, by);
  if (options.select.length > 0) found = found.map((row) => select(row, options.select));
  if (options.get) {
    const [first] = found;
    if (first === undefined) throw new MatchNotFound();
    return first;
  }
  const end = options.limit === 0 ? undefined : options.offset + options.limit;
  return found.slice(options.offset, end);
};

/** The names that a filter on one of these fields fixes; undefined when the filters let more through. */
export const namesFixedBy = (filters: Filters, fields: readonly string[]): readonly string[] | undefined => {
  for (const [field, operation, value] of filters) {
    if (typeof field !== "string" || !fields.includes(field)) continue;
    if (operation === "=" && typeof value === "string") return [value];
    if (operation === "in" && Array.isArray(value)) return value.map(String);
  }
  return undefined;
};
