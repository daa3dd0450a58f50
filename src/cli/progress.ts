/** Progress: a live line on a terminal, plain lines elsewhere, lines of JSON with --json. */
import type { Context } from "../context.ts";
import { singleLine } from "./single-line.ts";

export interface Progress {
  /** A new stage begins. */
  step(title: string): void;
  /** Detail of the present stage; may come often. */
  detail(text: string, data?: object): void;
  /** The last stage is over. */
  end(): void;
}

const clearLine = "\r\u001B[2K";
/** ms between two redraws, so that a slow terminal is not the bottleneck. */
const redrawInterval = 100;

export const openProgress = (context: Context, asJson: boolean): Progress => {
  if (asJson) return jsonProgress(context);
  return context.stderr.isTTY ? liveProgress(context) : plainProgress(context);
};

const jsonProgress = (context: Context): Progress => {
  const write = (event: object): void =>
    context.stdout.write(`${JSON.stringify({ time: new Date(context.clock.now()).toISOString(), ...event })}\n`);
  return {
    step: (title) => write({ type: "step", title }),
    detail: (text, data) => write({ type: "progress", text, ...data }),
    end: () => undefined,
  };
};

const plainProgress = (context: Context): Progress => ({
  step: (title) => context.stderr.write(`${singleLine(title)}\n`),
  detail: () => undefined,
  end: () => undefined,
});

const liveProgress = (context: Context): Progress => {
  let title = "";
  let drawn = 0;
  const draw = (text: string): void => context.stderr.write(`${clearLine}${fit(text, context.stderr.columns ?? 80)}`);
  const finish = (): void => {
    if (title !== "") context.stderr.write(`${clearLine}${title}\n`);
    title = "";
  };
  return {
    step: (next) => {
      finish();
      title = singleLine(next);
      draw(`${title} …`);
    },
    detail: (text) => {
      const now = context.clock.now();
      if (now - drawn < redrawInterval) return;
      drawn = now;
      draw(`${title}: ${singleLine(text)}`);
    },
    end: finish,
  };
};

const fit = (text: string, columns: number): string =>
  text.length < columns ? text : `${text.slice(0, columns - 2)}…`;
