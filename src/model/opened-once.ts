/** What is opened when it is first asked for, and shared from then on. A failure is not kept: the next one asks anew. */
export class OpenedOnce<T> {
  readonly #open: () => Promise<T>;
  #opening: Promise<T> | undefined;

  constructor(open: () => Promise<T>) {
    this.#open = open;
  }

  get(): Promise<T> {
    if (this.#opening !== undefined) return this.#opening;
    const opening = this.#open();
    this.#opening = opening;
    opening.catch(() => (this.#opening = undefined));
    return opening;
  }

  /** What was opened, once it is; undefined where nobody has asked, or it could not be opened. */
  async ifOpened(): Promise<T | undefined> {
    try {
      return await this.#opening;
    } catch {
      // Whoever asked for it was told.
      return undefined;
    }
  }
}
