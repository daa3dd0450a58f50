/**
 * Where operations write down what they do, before and after they do it. An operation is a row of numbered entries; the
 * store knows them only as texts.
 *
 * Contract: an entry is durable when `append` returns, and is never there in part; entries are never changed; reading
 * gives them without a gap or fails as JOURNAL_UNREADABLE. Two processes that append under the same number: one
 * succeeds, the other gets LOCK_LOST. That is what keeps a process from going on that somebody else has taken over from.
 */
export interface JournalStore {
  /** All operations in the order of their names, which begin with a time, and how many entries each has. */
  sizes(): Promise<ReadonlyMap<string, number>>;
  /**
   * Entries 1, 2, 3 …; none when the operation is unknown. With `size`, as `sizes` has just given it, a store of several
   * places need not look for newer entries.
   */
  read(operation: string, size?: number): Promise<readonly string[]>;
  /** Writes entry `number`, counted from 1. */
  append(operation: string, number: number, text: string): Promise<void>;
  /**
   * Takes an operation away with all its entries; nothing, when it is unknown. Whoever looks meanwhile, or after this was
   * cut off in the middle, finds it whole or not at all.
   */
  remove(operation: string): Promise<void>;
}

/** Names of files, keys and objects are made from it. */
export const operationIdPattern = /^[a-z0-9][a-z0-9-]{0,60}$/;
