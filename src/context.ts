/**
 * The only way to the outside. `main.ts` makes one Context from the real process; tests make their own.
 * Nothing else in `src/` touches `Date.now`, `Math.random`, `process`, `console` or global timers (lint enforces it).
 */

/** Where text goes. `isTTY` decides about colour and progress drawing. */
export interface Output {
  readonly isTTY: boolean;
  /** Columns of the terminal, when there is one. */
  readonly columns?: number;
  write(text: string): void;
}

/** Where answers come from. `readLine` gives undefined at end of input; a hidden answer is not shown while it is typed. */
export interface Input {
  readonly isTTY: boolean;
  readLine(prompt: string, options?: { readonly hidden?: boolean }): Promise<string | undefined>;
}

/** Time. `sleep` ends early by throwing the signal's reason. */
export interface Clock {
  /** Milliseconds since 1970, UTC. */
  now(): number;
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** Everything a command may use of the world. */
export interface Context {
  readonly clock: Clock;
  /** Lower-case letters and digits, unpredictable; for names of temporary objects. */
  randomId(length: number): string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  /** Aborted on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}
