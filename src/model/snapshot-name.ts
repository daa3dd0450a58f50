/** Names of Holdfast's ZFS snapshots, and whether somebody else's naming schema could be taken for one. Pure. */

/** "holdfast_20261125T030000Z_x7k2": underscores and a UTC time that no default schema has. */
export const snapshotNameOf = (time: number, random: string): string =>
  `holdfast_${new Date(time).toISOString().replaceAll(/[-:]|\.\d+/g, "")}_${random}`;

/** What strftime's directives stand for, as far as TrueNAS knows them. */
const directives: Readonly<Record<string, string>> = {
  Y: "\\d{4}",
  m: "\\d{2}",
  d: "\\d{2}",
  H: "\\d{2}",
  M: "\\d{2}",
  S: "\\d{2}",
  y: "\\d{2}",
  j: "\\d{3}",
  s: "\\d+",
  z: "(?:[+-]\\d{4}|--\\d{4})",
  Z: "[A-Za-z]+",
  p: "[AP]M",
  I: "\\d{2}",
  B: "[A-Za-z]+",
  b: "[A-Za-z]+",
  a: "[A-Za-z]+",
  A: "[A-Za-z]+",
};

const literal = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);

const patternOf = (schema: string): RegExp => {
  const parts = schema.split(/(%.)/).map((part) => {
    if (!part.startsWith("%")) return literal(part);
    // What is not known may stand for anything.
    return directives[part.slice(1)] ?? ".*";
  });
  return new RegExp(`^${parts.join("")}$`);
};

const samples = [Date.UTC(2026, 10, 25, 3), Date.UTC(2031, 0, 1)].flatMap((time) =>
  ["x7k2", "2222", "abcd"].map((random) => snapshotNameOf(time, random)),
);

/** Whether a name that this schema (strftime) makes could be one of ours: its retention would then remove ours. */
export const couldName = (schema: string): boolean => samples.some((name) => patternOf(schema).test(name));
