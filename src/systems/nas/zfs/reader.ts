/** Looks at a NAS through `zfs list` and `zfs get`. */
import { isDatasetName, isSnapshotName, partsOf } from "../names.ts";
import type { Dataset } from "../port.ts";
import type { Commands } from "./commands.ts";
import { codeOfText, zfsFailure } from "./failures.ts";
import {
  type BareDataset,
  datasetColumns,
  type ListedSnapshot,
  parseDatasets,
  parseSnapshots,
  snapshotColumns,
} from "./output.ts";
import { parsePropertyNames, parsePropertyValues, type PropertyName, type PropertyValue } from "./property-output.ts";

const datasetTypes = "filesystem,volume";
/** Properties that came with a replicated dataset are its own as well. */
const own = "local,received";

export class Reader {
  readonly #commands: Commands;

  constructor(commands: Commands) {
    this.#commands = commands;
  }

  async dataset(name: string): Promise<Dataset | undefined> {
    return (await this.#datasets(name, []))[0];
  }

  /** The dataset and everything below it, parents first. */
  async datasets(under: string): Promise<readonly Dataset[]> {
    return await this.#datasets(under, ["-r"]);
  }

  async snapshot(name: string): Promise<ListedSnapshot | undefined> {
    if (!isSnapshotName(name)) return undefined;
    const text = await this.#list(["-t", "snapshot", "-o", snapshotColumns, name], name);
    return parseSnapshots(text)[0];
  }

  /** Those of one dataset, or of everything below it too, oldest first. */
  async snapshots(dataset: string, recursive = false): Promise<readonly ListedSnapshot[]> {
    if (!isDatasetName(dataset)) return [];
    const reach = recursive ? ["-r"] : ["-d", "1"];
    const text = await this.#list(["-t", "snapshot", ...reach, "-o", snapshotColumns, dataset], dataset);
    return parseSnapshots(text).filter((snapshot) => recursive || snapshot.dataset === dataset);
  }

  async isMounted(name: string): Promise<boolean> {
    const words = ["zfs", "get", "-Hp", "-o", "value", "mounted", name];
    return (await this.#commands.read(words, `say whether "${name}" is mounted`)).trim() === "yes";
  }

  /** Nothing, when `name` does not exist. */
  async #list(words: readonly string[], name: string): Promise<string> {
    return await this.#present(["zfs", "list", "-Hp", ...words], `list "${name}"`);
  }

  async #present(words: readonly string[], doing: string): Promise<string> {
    const answer = await this.#commands.ask(words);
    if (answer.code === 0) return answer.stdout;
    if (codeOfText(answer.stderr) === "NAS_MISSING") return "";
    throw zfsFailure(doing, answer);
  }

  async #datasets(name: string, reach: readonly string[]): Promise<readonly Dataset[]> {
    if (!isDatasetName(name)) return [];
    const bare = parseDatasets(await this.#list([...reach, "-t", datasetTypes, "-o", datasetColumns, name], name));
    if (bare.length === 0) return [];
    const values = await this.#properties(name, reach);
    return bare.map((dataset) => withProperties(dataset, values));
  }

  async #properties(name: string, reach: readonly string[]): Promise<readonly PropertyValue[]> {
    const doing = `read the properties of "${name}"`;
    const get = (columns: string, property: string, of: string, how = reach): Promise<string> =>
      this.#present(["zfs", "get", "-Hp", ...how, "-t", datasetTypes, "-s", own, "-o", columns, property, of], doing);
    const names = parsePropertyNames(await get("name,property", "all", name));
    if (!names.some(isUsers)) return [];
    const together = parsePropertyValues(await get("name,property,value", "all", name), names);
    if (together !== undefined) return together;
    const alone: PropertyValue[] = [];
    for (const one of names.filter(isUsers)) {
      const text = await get("value", one.property, one.dataset, []);
      // Nothing at all: it was removed meanwhile.
      if (text !== "") alone.push({ name: one, value: text.replace(/\n$/, "") });
    }
    return alone;
  }
}

/** Of the user, not a setting of ZFS. */
const isUsers = ({ property }: PropertyName): boolean => property.includes(":");

const withProperties = (dataset: BareDataset, values: readonly PropertyValue[]): Dataset => {
  const mine = values.filter(({ name }) => name.dataset === dataset.name && isUsers(name));
  const properties = Object.fromEntries(mine.map(({ name, value }) => [name.property, value]));
  return { ...dataset, properties };
};

/** "tank/a" and "s" of "tank/a@s", for what destroys several at once: "tank/a@s,t". */
export const together = (dataset: string, snapshots: readonly { readonly name: string }[]): string =>
  `${dataset}@${snapshots.map(({ name }) => partsOf(name).snapshot).join(",")}`;
