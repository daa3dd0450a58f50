/** What a TrueNAS keeps in its database and the lab nowhere else: one JSON file, replaced as a whole at every change. */
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

export type Row = Readonly<Record<string, unknown>> & { readonly id: number };

export interface State {
  readonly nextId: number;
  /** Keys that were revoked, by their number, and why. */
  readonly revokedKeys: Readonly<Record<string, string>>;
  /** Tags by snapshot GUID: zfs-fuse keeps holds and cannot list them. */
  readonly holds: Readonly<Record<string, readonly string[]>>;
  readonly snapshotTasks: readonly Row[];
  readonly replications: readonly Row[];
  readonly portals: readonly Row[];
  readonly initiators: readonly Row[];
  /** Who is logged in to which target. Only tests set them: the lab has no iSCSI. */
  readonly sessions: readonly Readonly<Record<string, unknown>>[];
}

const first = (address: string): State => ({
  nextId: 100,
  revokedKeys: {},
  holds: {},
  snapshotTasks: [],
  replications: [],
  portals: [{ id: 1, listen: [{ ip: address, port: 3260 }], tag: 1, comment: "" }],
  initiators: [{ id: 1, initiators: [], comment: "" }],
  sessions: [],
});

export class StateFile {
  readonly #file: string;
  readonly #first: State;
  #last: Promise<unknown> = Promise.resolve();

  /** `address` is where the NAS' iSCSI portal listens. */
  constructor(file: string, address: string) {
    this.#file = file;
    this.#first = first(address);
  }

  async read(): Promise<State> {
    try {
      return { ...this.#first, ...(JSON.parse(await readFile(this.#file, "utf8")) as State) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return this.#first;
      throw new Error(`cannot read ${this.#file}`, { cause: error });
    }
  }

  /** Changes happen one after the other. */
  change<T>(edit: (state: State) => { readonly state: State; readonly result: T }): Promise<T> {
    const mine = this.#last.then(
      () => this.#edit(edit),
      () => this.#edit(edit),
    );
    this.#last = mine;
    return mine;
  }

  /** Replaces some of it. */
  set(part: Partial<State>): Promise<void> {
    return this.change((state) => ({ state: { ...state, ...part }, result: undefined }));
  }

  async #edit<T>(edit: (state: State) => { readonly state: State; readonly result: T }): Promise<T> {
    const { state, result } = edit(await this.read());
    await mkdir(dirname(this.#file), { recursive: true });
    const next = `${this.#file}.next`;
    await writeFile(next, `${JSON.stringify(state, undefined, 2)}\n`, { mode: 0o600 });
    await rename(next, this.#file);
    return result;
  }
}
