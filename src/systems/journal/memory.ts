/** The journal in memory: for tests of what writes into it, and for what need not last. */
import type { JournalStore } from "./port.ts";
import { damaged, taken } from "./failures.ts";

export class MemoryJournal implements JournalStore {
  readonly #operations = new Map<string, Map<number, string>>();

  async sizes(): Promise<ReadonlyMap<string, number>> {
    return byName([...this.#operations].map(([operation, entries]) => [operation, entries.size]));
  }

  async read(operation: string): Promise<readonly string[]> {
    return inOrder(operation, this.#operations.get(operation) ?? new Map());
  }

  async append(operation: string, number: number, text: string): Promise<void> {
    const entries = this.#operations.get(operation) ?? new Map<number, string>();
    if (entries.has(number)) throw taken(operation, number);
    this.#operations.set(operation, entries.set(number, text));
  }

  async remove(operation: string): Promise<void> {
    this.#operations.delete(operation);
  }

  /** For tests: an entry is lost. */
  lose(operation: string, number: number): void {
    this.#operations.get(operation)?.delete(number);
  }
}

/** As `JournalStore.sizes` gives them. */
export const byName = (sizes: readonly (readonly [operation: string, size: number])[]): ReadonlyMap<string, number> =>
  new Map(sizes.toSorted(([a], [b]) => (a < b ? -1 : 1)));

/** Entries by number as a row without a gap. Throws JOURNAL_UNREADABLE. */
export const inOrder = (operation: string, entries: ReadonlyMap<number, string>): readonly string[] =>
  [...entries.keys()]
    .toSorted((a, b) => a - b)
    .map((number, index) => {
      const text = entries.get(number);
      if (number !== index + 1 || text === undefined) throw damaged(operation, `entry ${index + 1} is missing`);
      return text;
    });
