/** A Context whose terminal is a pair of strings. */
import type { Context } from "../../context.ts";

export interface FakeTerminal {
  /** True for all three streams; they are no terminals when absent. */
  readonly isTTY?: boolean;
  readonly columns?: number;
  /** What is typed, line by line; end of input after the last. */
  readonly typed?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly signal?: AbortSignal;
  /** ms since 1970 */
  readonly now?: () => number;
}

export interface FakeContext extends Context {
  /** What was written so far. */
  out(): string;
  err(): string;
  /** What a terminal would have shown of what was typed. */
  echoed(): string;
}

export const fakeContext = (terminal: FakeTerminal = {}): FakeContext => {
  const { isTTY = false, columns, env = {}, cwd = "/nowhere" } = terminal;
  const typed = [...(terminal.typed ?? [])];
  const texts = { out: "", err: "", echo: "" };
  const output = (stream: "out" | "err") => ({
    isTTY,
    ...(columns === undefined ? {} : { columns }),
    write: (text: string): void => {
      texts[stream] += text;
    },
  });
  return {
    clock: { now: terminal.now ?? (() => Date.UTC(2026, 10, 23, 12)), sleep: async () => undefined },
    randomId: (length) => "a".repeat(length),
    env,
    cwd,
    stdin: {
      isTTY,
      readLine: async (prompt, options) => {
        texts.err += prompt;
        const line = typed.shift();
        if (options?.hidden !== true) texts.echo += line ?? "";
        return line;
      },
    },
    stdout: output("out"),
    stderr: output("err"),
    signal: terminal.signal ?? new AbortController().signal,
    out: () => texts.out,
    err: () => texts.err,
    echoed: () => texts.echo,
  };
};
