/** What stands between a caller and the twin's store: faults, and other people's changes at the worst moment. */
import type { Failure } from "../../model/failure.ts";
import type { Nas, NasRemover } from "./port.ts";

export type NasMethod = keyof Nas | keyof NasRemover;

/** One use of the NAS, as faults see it. */
export interface NasCall {
  readonly by: "nas" | "remover";
  readonly method: NasMethod;
  /** The dataset, snapshot or target that it is about, when there is one. */
  readonly name: string | undefined;
}

export interface NasFaultOptions {
  /** How often, at most; absent: until removed. */
  readonly times?: number;
  /** How many of these calls pass before the first one is met. Default 0. */
  readonly skip?: number;
  /** The call takes effect first: its answer is lost. */
  readonly afterEffect?: boolean;
}

type CallFilter = NasMethod | ((call: NasCall) => boolean);

interface Interruption {
  readonly matches: (call: NasCall) => boolean;
  readonly act: () => void;
  readonly afterEffect: boolean;
  skip: number;
  left: number;
}

/** Faults, and what was asked. */
export class MemoryGate {
  readonly #interruptions = new Set<Interruption>();
  readonly #calls: NasCall[] = [];

  /** Everything that was asked, in order, what failed included. */
  get calls(): readonly NasCall[] {
    return this.#calls;
  }

  /** Lets something happen at calls that match, until the function that it gives is called. */
  interrupt(match: CallFilter, act: () => void, options: NasFaultOptions = {}): () => void {
    const interruption: Interruption = {
      matches: typeof match === "function" ? match : (call) => call.method === match,
      act,
      afterEffect: options.afterEffect === true,
      skip: options.skip ?? 0,
      left: options.times ?? Number.POSITIVE_INFINITY,
    };
    this.#interruptions.add(interruption);
    return () => this.#interruptions.delete(interruption);
  }

  /** Lets calls fail until the function that it gives is called. A method alone stands for all calls of it. */
  fail(match: CallFilter, failure: Failure, options?: NasFaultOptions): () => void {
    const act = (): void => {
      throw failure;
    };
    return this.interrupt(match, act, options);
  }

  /** Makes a call: remembers it, and lets what is to happen before and after it happen. */
  do<T>(call: NasCall, effect: () => T): T {
    this.#calls.push(call);
    this.#trip(call, false);
    const result = effect();
    this.#trip(call, true);
    return result;
  }

  #trip(call: NasCall, afterEffect: boolean): void {
    for (const interruption of this.#interruptions) {
      if (interruption.afterEffect !== afterEffect || interruption.left <= 0 || !interruption.matches(call)) continue;
      if (interruption.skip > 0) {
        interruption.skip -= 1;
        continue;
      }
      interruption.left -= 1;
      interruption.act();
    }
  }
}
