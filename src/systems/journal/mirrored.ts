/**
 * A journal with a mirror: recovery must work while the mirror's store is down, and the mirror must survive the machine
 * that writes. So an entry counts when the journal itself has it; the mirror gets it as soon as it can.
 */
import { isFailure, messageOf } from "../../model/failure.ts";
import { damaged } from "./failures.ts";
import type { JournalStore } from "./port.ts";

export interface Mirroring {
  readonly own: JournalStore;
  readonly mirror: JournalStore;
  /** Told once for each spell of trouble with the mirror. */
  readonly onTrouble: (error: unknown) => void;
}

export class MirroredJournal implements JournalStore {
  readonly #own: JournalStore;
  readonly #mirror: JournalStore;
  readonly #onTrouble: (error: unknown) => void;
  /** By operation: how many entries the mirror has for certain. */
  readonly #copied = new Map<string, number>();
  #isInTrouble = false;

  constructor({ own, mirror, onTrouble }: Mirroring) {
    this.#own = own;
    this.#mirror = mirror;
    this.#onTrouble = onTrouble;
  }

  /** Those of both. */
  async operations(): Promise<readonly string[]> {
    const [own, mirrored] = await Promise.all([this.#own.operations(), this.#tried(() => this.#mirror.operations())]);
    return [...new Set([...own, ...(mirrored ?? [])])].toSorted();
  }

  /** Our own entries; those of the mirror for an operation that began elsewhere, or went on there. */
  async read(operation: string): Promise<readonly string[]> {
    const mirrored = await this.#tried(() => this.#mirror.read(operation));
    try {
      const own = await this.#own.read(operation);
      return own.length >= (mirrored?.length ?? 0) ? own : (mirrored ?? own);
    } catch (error) {
      if (!isFailure(error, "JOURNAL_UNREADABLE")) throw error;
      const rescue =
        (mirrored?.length ?? 0) > 0
          ? `the mirror in the bucket has ${mirrored?.length} entries and can be read`
          : "the bucket has no mirror of it that can be read";
      throw damaged(operation, `${error.why ?? ""}; ${rescue}`, error);
    }
  }

  async append(operation: string, number: number, text: string): Promise<void> {
    await this.#fetch(operation, number);
    await this.#own.append(operation, number, text);
    await this.#tried(() => this.#copy(operation));
  }

  /** What began elsewhere is carried on here: its entries come first. */
  async #fetch(operation: string, number: number): Promise<void> {
    const own = await this.#own.read(operation);
    if (own.length >= number - 1) return;
    const entries = await this.#mirror.read(operation);
    for (const [index, text] of entries.entries()) {
      if (index >= own.length && index < number - 1) await this.#own.append(operation, index + 1, text);
    }
  }

  /** Everything that the mirror lacks, in order. LOCK_LOST when it has something else. */
  async #copy(operation: string): Promise<void> {
    const own = await this.#own.read(operation);
    for (let number = (this.#copied.get(operation) ?? 0) + 1; number <= own.length; number += 1) {
      await this.#copyOne(operation, number, own[number - 1] ?? "");
      this.#copied.set(operation, number);
    }
  }

  async #copyOne(operation: string, number: number, text: string): Promise<void> {
    try {
      await this.#mirror.append(operation, number, text);
    } catch (error) {
      if (!isFailure(error, "LOCK_LOST")) throw error;
      // It may be ours, from a write whose answer was lost or from an earlier run of this operation.
      if ((await this.#mirror.read(operation))[number - 1] !== text) throw error;
    }
  }

  /** The mirror's troubles are told and no reason to stop; that somebody else goes on with the operation is one. */
  async #tried<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await work();
      this.#isInTrouble = false;
      return result;
    } catch (error) {
      if (isFailure(error, "LOCK_LOST")) throw error;
      if (!isFailure(error)) throw new Error(`the journal's mirror: ${messageOf(error)}`, { cause: error });
      if (!this.#isInTrouble) this.#onTrouble(error);
      this.#isInTrouble = true;
      return undefined;
    }
  }
}
