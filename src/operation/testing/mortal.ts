/**
 * Processes that die: from its death on, nothing that a process awaits ever comes back, so that no `catch` and no
 * `finally` of it runs, exactly as after a kill. The world that its ports lead to stays as it is.
 */
export class Life {
  #calls = 0;
  #isOver = false;
  readonly #until: number;
  readonly #ended: Promise<void>;
  #end: () => void = () => undefined;

  /** It dies with the `until`-th crossing: each call of a port is two, one before its effect and one after. */
  constructor(until = Number.POSITIVE_INFINITY) {
    this.#until = until;
    this.#ended = new Promise((resolve) => (this.#end = resolve));
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** How many crossings there were. */
  get calls(): number {
    return this.#calls;
  }

  /** Resolves at its death. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Dies now. */
  end(): void {
    this.#isOver = true;
    this.#end();
  }

  /** Never returns once the process is dead. */
  async cross(): Promise<void> {
    if (!this.#isOver && (this.#calls += 1) >= this.#until) this.end();
    if (this.#isOver) await new Promise(() => undefined);
  }

  /** The same port as this process has it. */
  port<T extends object>(inner: T): T {
    return new Proxy(inner, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== "function") return value;
        return (...args: readonly unknown[]) => this.#call(() => Reflect.apply(value, target, args) as unknown);
      },
    });
  }

  #call(effect: () => unknown): unknown {
    const dead = this.#isOver;
    const run = async (): Promise<unknown> => {
      await this.cross();
      const result = await effect();
      await this.cross();
      return result;
    };
    return dead ? new Promise(() => undefined) : run();
  }

  /** A clock that is read freely, and whose sleeps end only for the living. */
  clock<T extends { now(): number; sleep(milliseconds: number, signal?: AbortSignal): Promise<void> }>(inner: T): T {
    const sleep = async (milliseconds: number, signal?: AbortSignal): Promise<void> => {
      try {
        await inner.sleep(milliseconds, signal);
      } finally {
        if (this.#isOver) await new Promise(() => undefined);
      }
    };
    return { ...inner, sleep };
  }
}
