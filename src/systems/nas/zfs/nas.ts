/** Plain ZFS as the port's NAS: OpenZFS' command line through a shell. */
import { Failure, isFailure } from "../../../model/failure.ts";
import { isBelow, isDatasetName, isPropertyName, isSnapshotName, poolOf } from "../names.ts";
import type {
  Dataset,
  DatasetChange,
  Exports,
  Identity,
  Nas,
  NasDescription,
  NewExport,
  NewSnapshot,
  Pool,
  ReplicationTask,
  Rights,
  Snapshot,
  SnapshotTask,
  VolumeExport,
} from "../port.ts";
import { invalid, missing, otherGuid, taken, unsupported } from "../refusals.ts";
import { Commands } from "./commands.ts";
import { parsePools, poolColumns } from "./output.ts";
import { Reader } from "./reader.ts";
import { neededBy, parseAllowed, parseId, rightsOf } from "./rights.ts";
import type { Shell } from "./shell.ts";

export interface ZfsOptions {
  /** The storage drivers' parent datasets, where rights are looked at. */
  readonly parents: readonly string[];
}

const byHand =
  "Export it on the NAS by hand, over NFS or iSCSI, and give the PersistentVolume that address; or restore from Velero's copies, which need no export.";

export class ZfsNas implements Nas {
  readonly #commands: Commands;
  readonly #reader: Reader;
  readonly #options: ZfsOptions;

  constructor(shell: Shell, options: ZfsOptions) {
    this.#commands = new Commands(shell);
    this.#reader = new Reader(this.#commands);
    this.#options = options;
  }

  async describe(): Promise<NasDescription> {
    const answer = await this.#commands.ask(["zfs", "version"]);
    // "zfs-2.1.11-1" of the tools, "zfs-kmod-…" of the kernel module.
    const version = /^zfs-(\d+(?:\.\d+)*)/m.exec(answer.stdout)?.[1];
    if (version === undefined)
      throw new Failure("NAS_VERSION_UNKNOWN", {
        what: "The NAS does not say which version of OpenZFS it has.",
        why: `\`zfs version\`: ${answer.stderr.trim() || answer.stdout.trim()}`,
        todo: "Holdfast needs OpenZFS 0.8 or newer there. Nothing was changed.",
      });
    return {
      product: "zfs",
      version,
      transport: "ssh",
      can: { rename: true, exclude: true, nfs: false, iscsi: false },
    };
  }

  async pools(): Promise<readonly Pool[]> {
    return parsePools(await this.#commands.read(["zpool", "list", "-Hp", "-o", poolColumns], "list its pools"));
  }

  async dataset(name: string): Promise<Dataset | undefined> {
    return await this.#reader.dataset(name);
  }

  async datasets(under: string): Promise<readonly Dataset[]> {
    return await this.#reader.datasets(under);
  }

  async snapshots(dataset: string, options: { readonly recursive?: boolean } = {}): Promise<readonly Snapshot[]> {
    return await this.#reader.snapshots(dataset, options.recursive);
  }

  async createSnapshot(wanted: NewSnapshot): Promise<Snapshot> {
    const name = `${wanted.dataset}@${wanted.snapshot}`;
    checkSnapshot(wanted, name);
    // Only what was not there before can have been made by a command whose answer is lost.
    if ((await this.#reader.snapshot(name)) !== undefined) throw taken(name);
    await this.#commands.change({
      words: ["zfs", "snapshot", ...(await this.#snapshotWords(wanted, name))],
      doing: `take the snapshot "${name}"`,
      isDone: async () => (await this.#reader.snapshot(name)) !== undefined,
    });
    const made = await this.#reader.snapshot(name);
    if (made === undefined) throw missing(name, "it was made, and somebody removed it at once");
    return made;
  }

  async clone(snapshot: Identity, target: string, change: DatasetChange): Promise<Dataset> {
    if (!isDatasetName(target)) throw invalid(target, "invalid dataset name");
    checkProperties(change);
    const source = await this.#reader.snapshot(snapshot.name);
    if (source === undefined) throw missing(snapshot.name);
    if (source.guid !== snapshot.guid) throw otherGuid(snapshot, source);
    if (poolOf(target) !== poolOf(snapshot.name)) throw invalid(target, "it is in another pool than the snapshot");
    if ((await this.#reader.dataset(target)) !== undefined) throw taken(target);
    const { volsize, ...atOnce } = change;
    await this.#makeClone(snapshot.name, target, settings(atOnce));
    if (volsize !== undefined) return await this.change(target, { volsize });
    return await this.#present(target);
  }

  async change(dataset: string, change: DatasetChange): Promise<Dataset> {
    if (!isDatasetName(dataset)) throw missing(dataset);
    checkProperties(change);
    const doing = `change "${dataset}"`;
    const isDone = async (): Promise<boolean> => {
      const present = await this.#reader.dataset(dataset);
      return present !== undefined && isAsWanted(present, change);
    };
    const set = settings(change);
    if (set.length > 0) await this.#commands.change({ words: ["zfs", "set", ...set, dataset], doing, isDone });
    for (const [property, value] of Object.entries(change.properties ?? {}))
      if (value === null) {
        const isGone = async (): Promise<boolean> => (await this.#present(dataset)).properties[property] === undefined;
        await this.#commands.change({ words: ["zfs", "inherit", property, dataset], doing, isDone: isGone });
      }
    return await this.#present(dataset);
  }

  async promote(dataset: Identity): Promise<void> {
    const { origin } = await this.#same(dataset);
    if (origin === undefined) return;
    await this.#commands.change({
      words: ["zfs", "promote", dataset.name],
      doing: `promote "${dataset.name}"`,
      isDone: async () => (await this.#same(dataset)).origin !== origin,
    });
  }

  async rename(dataset: Identity, name: string): Promise<void> {
    if (!isDatasetName(name)) throw invalid(name, "invalid dataset name");
    await this.#same(dataset);
    if ((await this.#reader.dataset(name)) !== undefined) throw taken(name);
    await this.#commands.change({
      words: ["zfs", "rename", dataset.name, name],
      doing: `rename "${dataset.name}" to "${name}"`,
      isDone: async () => (await this.#reader.dataset(name))?.guid === dataset.guid,
    });
  }

  async exports(): Promise<Exports> {
    return { nfs: [], iqnBase: undefined, targets: [], extents: [], targetExtents: [] };
  }

  async createExport({ dataset }: NewExport): Promise<VolumeExport> {
    throw unsupported(`Holdfast cannot export "${dataset}" from a NAS of kind zfs-ssh.`, byHand);
  }

  async removeExport(made: VolumeExport): Promise<void> {
    const name = made.kind === "nfs" ? made.path : made.iqn;
    throw unsupported(`Holdfast cannot end the export of "${name}" on a NAS of kind zfs-ssh.`, "End it on the NAS.");
  }

  async sessions(target: string): Promise<readonly string[]> {
    throw unsupported(`A NAS of kind zfs-ssh does not tell who uses "${target}".`, "Look at it on the NAS.");
  }

  async snapshotTasks(): Promise<readonly SnapshotTask[]> {
    return [];
  }

  async replicationTasks(): Promise<readonly ReplicationTask[]> {
    return [];
  }

  async rights(): Promise<Rights> {
    return await readRights(this.#commands, this.#options.parents, neededBy.nas);
  }

  async close(): Promise<void> {
    await this.#commands.close();
  }

  async #snapshotWords({ dataset, snapshot, recursive, exclude = [] }: NewSnapshot, name: string) {
    if (exclude.length === 0) return recursive === true ? ["-r", name] : [name];
    // Named one by one in one command, they are one transaction too.
    const isLeftOut = (one: string): boolean => exclude.some((left) => one === left || isBelow(one, left));
    const names = (await this.#reader.datasets(dataset)).map((one) => one.name).filter((one) => !isLeftOut(one));
    if (names.length === 0) throw missing(dataset);
    return names.map((one) => `${one}@${snapshot}`);
  }

  async #makeClone(snapshot: string, target: string, set: readonly string[]): Promise<void> {
    const isDone = async (): Promise<boolean> => (await this.#reader.dataset(target))?.origin === snapshot;
    try {
      await this.#commands.change({
        words: ["zfs", "clone", ...set.flatMap((one) => ["-o", one]), snapshot, target],
        doing: `clone "${snapshot}" to "${target}"`,
        isDone,
      });
    } catch (error) {
      // On Linux a user may clone, and only root may mount what came of it.
      if (!isFailure(error, "NAS_FORBIDDEN") || !(await isDone())) throw error;
      const doing = `mount the clone "${target}", which it has made`;
      const isMounted = (): Promise<boolean> => this.#reader.isMounted(target);
      await this.#commands.change({ words: ["zfs", "mount", target], doing, isDone: isMounted });
    }
  }

  async #present(name: string): Promise<Dataset> {
    const present = await this.#reader.dataset(name);
    if (present === undefined) throw missing(name);
    return present;
  }

  /** The dataset that is meant and no other with its name. */
  async #same(wanted: Identity): Promise<Dataset> {
    const present = await this.#present(wanted.name);
    if (present.guid !== wanted.guid) throw otherGuid(wanted, present);
    return present;
  }
}

/** For the user of either credential. */
export const readRights = async (
  commands: Commands,
  parents: readonly string[],
  needed: readonly string[],
): Promise<Rights> => {
  const who = parseId(await commands.read(["id"], "say who the user is"));
  if (who.isRoot) return rightsOf(who, [], needed);
  const granted: (readonly string[])[] = [];
  for (const parent of parents) {
    if (!isDatasetName(parent)) throw invalid(parent, "it is no dataset's name");
    const text = await commands.read(["zfs", "allow", parent], `say what may be done with "${parent}"`);
    granted.push(parseAllowed(text, who));
  }
  return rightsOf(who, granted, needed);
};

const checkSnapshot = ({ dataset, recursive, exclude = [] }: NewSnapshot, name: string): void => {
  if (!isSnapshotName(name)) throw invalid(name, "invalid snapshot name");
  const stray = exclude.find((one) => !isBelow(one, dataset));
  if (stray !== undefined || (exclude.length > 0 && recursive !== true))
    throw invalid(stray ?? dataset, "only what is below a recursive snapshot's dataset can be left out");
};

const checkProperties = ({ properties = {} }: DatasetChange): void => {
  const odd = Object.keys(properties).find((name) => !isPropertyName(name));
  if (odd !== undefined) throw invalid(odd, "user properties have a colon in their name, and no capitals");
};

/** As `zfs set` and `zfs clone -o` take them. */
const settings = ({ refquota, volsize, properties = {} }: DatasetChange): readonly string[] => [
  ...(refquota === undefined ? [] : [`refquota=${refquota === 0 ? "none" : refquota}`]),
  ...(volsize === undefined ? [] : [`volsize=${volsize}`]),
  ...Object.entries(properties).flatMap(([name, value]) => (value === null ? [] : [`${name}=${value}`])),
];

/** Whether everything that is to be set is. */
const isAsWanted = (dataset: Dataset, { refquota, volsize, properties = {} }: DatasetChange): boolean =>
  (refquota === undefined || (dataset.refquota ?? 0) === refquota) &&
  (volsize === undefined || dataset.volsize === volsize) &&
  Object.entries(properties).every(([name, value]) => value === null || dataset.properties[name] === value);
