/**
 * A journal with a mirror: recovery must work while the mirror's store is down, and the mirror must survive the machine
 * that writes. So an entry counts when the journal itself has it; the mirror gets it as soon as it can.
 */
import { isFailure, messageOf } from "../../model/failure.ts";
import { damaged, taken } from "./failures.ts";
import { byName } from "./memory.ts";
import type { JournalStore } from "./port.ts";

export interface Mirroring {
  readonly own: JournalStore;
  readonly mirror: JournalStore;
  /** What ran elsewhere and is over is kept here, to be read from the mirror once. What it has is never listed. */
  readonly kept: JournalStore;
  /** Whether no entry can follow these. */
  readonly isOver: (entries: readonly string[]) => boolean;
  /** Told once for each spell of trouble with the mirror. */
  readonly onTrouble: (error: unknown) => void;
}

export class MirroredJournal implements JournalStore {
  readonly #own: JournalStore;
  readonly #mirror: JournalStore;
  readonly #kept: JournalStore;
  readonly #isOver: Mirroring["isOver"];
  readonly #onTrouble: (error: unknown) => void;
  /** By operation: how many entries the mirror has for certain. */
  readonly #copied = new Map<string, number>();
  /** Of which the mirror has less, by the last look: the last entry may have been written while it was down. */
  #behind: string[] = [];
  #isInTrouble = false;

  constructor({ own, mirror, kept, isOver, onTrouble }: Mirroring) {
    this.#own = own;
    this.#mirror = mirror;
    this.#kept = kept;
    this.#isOver = isOver;
    this.#onTrouble = onTrouble;
  }

  /** Those of both. What the mirror lacks of ours it gets with this process' next entry: to look writes nothing. */
  async sizes(): Promise<ReadonlyMap<string, number>> {
    const [own, mirrored] = await Promise.all([this.#own.sizes(), this.#tried(() => this.#mirror.sizes())]);
    if (mirrored === undefined) return own;
    this.#behind = [...own].filter(([name, size]) => size > (mirrored.get(name) ?? 0)).map(([name]) => name);
    const names = [...new Set([...own.keys(), ...mirrored.keys()])];
    return byName(names.map((name) => [name, Math.max(own.get(name) ?? 0, mirrored.get(name) ?? 0)]));
  }

  /** That somebody else has gone on with it is found out by whoever writes. */
  async #catchUp(operation: string): Promise<void> {
    try {
      await this.#tried(() => this.#copy(operation));
    } catch (error) {
      if (!isFailure(error, "LOCK_LOST", "JOURNAL_UNREADABLE")) throw error;
    }
  }

  /** Our own entries; those of the mirror for an operation that began elsewhere, or went on there. */
  async read(operation: string, size?: number): Promise<readonly string[]> {
    const near = size === undefined ? undefined : await this.#readNear(operation, size);
    return near ?? this.#readBoth(operation);
  }

  /** Without the mirror, if it is all here. */
  async #readNear(operation: string, size: number): Promise<readonly string[] | undefined> {
    for (const store of [this.#own, this.#kept]) {
      const entries = await unlessDamaged(store.read(operation));
      if (entries !== undefined && entries.length >= size) return entries;
    }
    return undefined;
  }

  async #readBoth(operation: string): Promise<readonly string[]> {
    const mirrored = await this.#tried(() => this.#mirror.read(operation));
    try {
      const own = await this.#own.read(operation);
      if (mirrored === undefined || own.length >= mirrored.length) return own;
      if (this.#isOver(mirrored)) await this.#keep(operation, mirrored);
      return mirrored;
    } catch (error) {
      if (!isFailure(error, "JOURNAL_UNREADABLE")) throw error;
      const rescue =
        (mirrored?.length ?? 0) > 0
          ? `the mirror in the bucket has ${mirrored?.length} entries and can be read`
          : "the bucket has no mirror of it that can be read";
      throw damaged(operation, `${error.why ?? ""}; ${rescue}`, error);
    }
  }

  /** To be read sooner the next time: when that cannot be, nothing is lost. */
  async #keep(operation: string, entries: readonly string[]): Promise<void> {
    try {
      const { length } = await this.#kept.read(operation);
      for (const [index, text] of entries.entries())
        if (index >= length) await this.#kept.append(operation, index + 1, text);
    } catch {
      // Another process keeps it at this moment, or the disk is full.
    }
  }

  async append(operation: string, number: number, text: string): Promise<void> {
    await this.#fetch(operation, number);
    await this.#own.append(operation, number, text);
    await this.#tried(() => this.#copy(operation));
    for (const other of this.#behind.splice(0)) await this.#catchUp(other);
  }

  /** Everywhere, or, while the mirror cannot be written, nowhere: it would come back from there. */
  async remove(operation: string): Promise<void> {
    const isGone = await this.#tried(async () => {
      await this.#mirror.remove(operation);
      return true;
    });
    if (isGone !== true) return;
    this.#copied.delete(operation);
    this.#behind = this.#behind.filter((name) => name !== operation);
    await this.#own.remove(operation);
    await this.#kept.remove(operation);
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
    const copied = this.#copied.get(operation) ?? (await this.#copiedBefore(operation, own));
    for (let number = copied + 1; number <= own.length; number += 1) {
      await this.#copyOne(operation, number, own[number - 1] ?? "");
      this.#copied.set(operation, number);
    }
  }

  /** How much an earlier process has copied. A new operation is not asked for. */
  async #copiedBefore(operation: string, own: readonly string[]): Promise<number> {
    if (own.length === 1) return 0;
    const mirrored = await this.#mirror.read(operation);
    const other = mirrored.findIndex((text, index) => index < own.length && text !== own[index]);
    if (other >= 0) throw taken(operation, other + 1);
    return Math.min(mirrored.length, own.length);
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

/** What cannot be read here may be read elsewhere; `#readBoth` says what is damaged. */
const unlessDamaged = async <T>(read: Promise<T>): Promise<T | undefined> => {
  try {
    return await read;
  } catch (error) {
    if (isFailure(error, "JOURNAL_UNREADABLE")) return undefined;
    throw error;
  }
};
