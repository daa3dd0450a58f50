/** One process' work on one operation: its locks, its place in the journal. */
import type { Clock } from "../context.ts";
import type { JournalStore } from "../systems/journal/port.ts";
import { type Entry, type EntryBody, entryText, readEntries } from "./entry.ts";
import type { Locks } from "./locks.ts";
import { type OperationState, stateOf } from "./state.ts";

export interface SessionOptions {
  readonly journal: JournalStore;
  readonly clock: Clock;
  readonly operation: string;
  /** Names this run in the journal. */
  readonly run: string;
  readonly locks: Locks;
}

export class Session {
  readonly #options: SessionOptions;
  readonly #entries: Entry[];

  private constructor(options: SessionOptions, entries: readonly Entry[]) {
    this.#options = options;
    this.#entries = [...entries];
  }

  /** Of an operation that does not exist yet. */
  static begin(options: SessionOptions): Session {
    return new Session(options, []);
  }

  /** Of an operation that another run has begun. From the first entry that this one writes, that run cannot write any more. */
  static async continue(options: SessionOptions): Promise<Session> {
    return new Session(options, await readEntries(options.journal, options.operation));
  }

  get operation(): string {
    return this.#options.operation;
  }

  get locks(): Locks {
    return this.#options.locks;
  }

  get state(): OperationState {
    return stateOf(this.#options.operation, this.#entries);
  }

  /** Writes the next entry. Throws LOCK_LOST when the locks are lost, or another run has written. */
  async write(body: EntryBody): Promise<void> {
    const { journal, clock, operation, run, locks } = this.#options;
    locks.demand();
    const entry: Entry = { ...body, time: clock.now(), run };
    await journal.append(operation, this.#entries.length + 1, entryText(entry));
    this.#entries.push(entry);
  }
}
