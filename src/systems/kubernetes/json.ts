/**
 * JSON that keeps 64-bit integers. A number that JavaScript would round becomes a `bigint` on reading and the same
 * digits on writing, so an object can go through Holdfast without a field changing its value.
 * Node 20 has no JSON.rawJSON, hence the marker strings; they are only used when such a number is there.
 */

const suspicious = /\d{16}/;
const stringOrNumber = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
const integer = /^-?\d+$/;

/** A text that occurs in no string of `canonical` (written by JSON.stringify, so each string has one spelling). */
const markerOutside = (canonical: string): string => {
  let marker = "int64:";
  while (canonical.includes(marker)) marker = `int64_${marker}`;
  return marker;
};

/** Reads JSON; unsafe integers come back as `bigint`. Throws SyntaxError. */
export const decodeJson = (text: string): unknown => {
  const plain: unknown = JSON.parse(text);
  if (!suspicious.test(text)) return plain;
  const marker = markerOutside(JSON.stringify(plain));
  const marked = text.replace(stringOrNumber, (token) =>
    integer.test(token) && !Number.isSafeInteger(Number(token)) ? `"${marker}${token}"` : token,
  );
  return JSON.parse(marked, (_key, value: unknown) =>
    typeof value === "string" && value.startsWith(marker) ? BigInt(value.slice(marker.length)) : value,
  );
};

/** JSON, or undefined when there is a `bigint` in it: to look for one first takes ten times as long. */
const withoutBigInts = (value: unknown): string | undefined => {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
};

/** Writes JSON; a `bigint` becomes its digits. */
export const encodeJson = (value: unknown): string => {
  const plain = withoutBigInts(value);
  if (plain !== undefined) return plain;
  const marker = markerOutside(
    JSON.stringify(value, (_key, inner: unknown) => (typeof inner === "bigint" ? null : inner)),
  );
  const marked = JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "bigint" ? `${marker}${inner}` : inner,
  );
  return marked.replace(new RegExp(`"${marker}(-?\\d+)"`, "g"), "$1");
};

/** What reading gives of what writing made of a value: a copy of all that JSON keeps. */
export const copyJson = <T>(value: T): T => copyOf(value) as T;

const copyOf = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null) return scalarOf(value);
  if (Array.isArray(value)) return value.map((item) => copyOf(item) ?? null);
  const source = value as Record<string, unknown>;
  if (typeof source["toJSON"] === "function") return decodeJson(encodeJson(value));
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(source)) {
    const copied = copyOf(source[key]);
    if (copied === undefined) continue;
    if (key === "__proto__") Object.defineProperty(copy, key, { ...own, value: copied });
    else copy[key] = copied;
  }
  return copy;
};

const own = { configurable: true, enumerable: true, writable: true };

/** An integer that JavaScript has rounded is read as a bigint; JSON has no NaN, no Infinity, and no -0. */
const numberOf = (value: number): unknown => {
  if (!Number.isFinite(value)) return null;
  return !Number.isInteger(value) || Number.isSafeInteger(value) ? value + 0 : decodeJson(JSON.stringify(value));
};

const scalarOf = (value: unknown): unknown => {
  if (typeof value === "number") return numberOf(value);
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  return typeof value === "function" || typeof value === "symbol" ? undefined : value;
};
