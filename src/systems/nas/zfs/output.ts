/** What OpenZFS' commands print with -H and -p: a line for each object, tabs between its fields. */
import type { Dataset, Pool, Snapshot } from "../port.ts";
import { isDatasetName, isSnapshotName, partsOf } from "../names.ts";
import type { SeenSnapshot } from "../removal.ts";
import { oddOutput } from "./failures.ts";

/** A dataset without its user properties, which another command tells. */
export type BareDataset = Omit<Dataset, "properties">;

export type ListedSnapshot = Snapshot & SeenSnapshot;

/** A mountpoint may hold tabs, so it is last. */
export const datasetColumns = [
  "name,guid,createtxg,type,origin,used,available",
  "refquota,volsize,readonly,creation,mountpoint",
].join(",");
export const snapshotColumns = "name,guid,createtxg,creation,used,referenced,userrefs,clones";
export const poolColumns = "name,size,free,health,readonly";

const linesOf = (text: string): readonly string[] => text.split("\n").filter((line) => line !== "");

/** As many fields as there are columns, the last one with all tabs that are left. */
const fieldsOf = (line: string, columns: string, command: string): readonly string[] => {
  const wanted = columns.split(",").length;
  const fields = line.split("\t");
  if (fields.length < wanted) throw oddOutput(command, line);
  return [...fields.slice(0, wanted - 1), fields.slice(wanted - 1).join("\t")];
};

const absent: ReadonlySet<string> = new Set(["-", "", "none"]);
const textOf = (field: string | undefined): string | undefined =>
  field === undefined || absent.has(field) ? undefined : field;

/** A count; 0 for a dash. Throws for anything else: human sizes come from a ZFS that does not know -p. */
const numberOf = (field: string | undefined, line: string, command: string): number => {
  const text = textOf(field);
  if (text === undefined) return 0;
  if (!/^\d+$/.test(text)) throw oddOutput(command, line);
  return Number(text);
};

const isDecimal = (text: string): boolean => /^\d+$/.test(text);

/** The lines of `zfs list -Hp -t filesystem,volume -o datasetColumns`. */
export const parseDatasets = (text: string): readonly BareDataset[] => linesOf(text).map(parseDataset);

const parseDataset = (line: string): BareDataset => {
  const command = "zfs list";
  const fields = fieldsOf(line, datasetColumns, command);
  const [name = "", guid = "", createtxg = "", kind, origin, used, available] = fields;
  const [refquota, volsize, readOnly, creation, mountpoint] = fields.slice(7);
  const count = (field: string | undefined): number => numberOf(field, line, command);
  if (kind !== "filesystem" && kind !== "volume") throw oddOutput(command, line);
  if (!isDatasetName(name) || !isDecimal(guid) || !isDecimal(createtxg)) throw oddOutput(command, line);
  return {
    name,
    guid,
    createtxg,
    kind,
    mountpoint: mountpoint?.startsWith("/") === true ? mountpoint : undefined,
    origin: textOf(origin),
    used: count(used),
    available: count(available),
    // ZFS prints 0 for none.
    refquota: count(refquota) || undefined,
    volsize: kind === "volume" ? count(volsize) : undefined,
    readOnly: readOnly === "on",
    created: count(creation) * 1000,
  };
};

/** The lines of `zfs list -Hp -t snapshot -o snapshotColumns`, oldest first. */
export const parseSnapshots = (text: string): readonly ListedSnapshot[] => {
  const command = "zfs list -t snapshot";
  const found = linesOf(text).map((line) => {
    const fields = fieldsOf(line, snapshotColumns, command);
    const [name = "", guid = "", createtxg = "", creation, used, referenced, holds, clones = ""] = fields;
    const count = (field: string | undefined): number => numberOf(field, line, command);
    if (!isSnapshotName(name) || !isDecimal(guid) || !isDecimal(createtxg)) throw oddOutput(command, line);
    const { dataset, snapshot } = partsOf(name);
    return {
      name,
      dataset,
      snapshot,
      guid,
      createtxg,
      created: count(creation) * 1000,
      used: count(used),
      referenced: count(referenced),
      held: count(holds) > 0,
      clones: absent.has(clones) ? [] : clones.split(","),
    };
  });
  return found.toSorted((a, b) => Number(BigInt(a.createtxg) - BigInt(b.createtxg)));
};

/** The lines of `zpool list -Hp -o poolColumns`. */
export const parsePools = (text: string): readonly Pool[] =>
  linesOf(text).map((line) => {
    const command = "zpool list";
    const [name = "", size, free, health = "", readOnly] = fieldsOf(line, poolColumns, command);
    const count = (field: string | undefined): number => numberOf(field, line, command);
    return { name, size: count(size), free: count(free), health, readOnly: readOnly === "on" };
  });
