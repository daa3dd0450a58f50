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

/** Writes JSON; a `bigint` becomes its digits. */
export const encodeJson = (value: unknown): string => {
  let found = false;
  const plain = JSON.stringify(value, (_key, inner: unknown) => {
    if (typeof inner !== "bigint") return inner;
    found = true;
    return null;
  });
  if (!found) return plain;
  const marker = markerOutside(plain);
  const marked = JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === "bigint" ? `${marker}${inner}` : inner,
  );
  return marked.replace(new RegExp(`"${marker}(-?\\d+)"`, "g"), "$1");
};
