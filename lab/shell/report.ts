/** Says on standard error what is being done and how long it takes. */
import { AsyncLocalStorage } from "node:async_hooks";

/** Shows a detail of the running step, such as a count; the last one stays in the step's closing line. */
export type Note = (text: string) => void;

export interface Report {
  /** Runs `work` as a step with a title. Steps may run side by side and inside each other. Rethrows what `work` throws. */
  step<T>(title: string, work: (note: Note) => Promise<T>): Promise<T>;
  /** Writes one line for good. */
  line(text: string): void;
}

export interface ReportOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

interface Step {
  readonly title: string;
  readonly depth: number;
  readonly begun: number;
  note: string;
}

const announceAfterMs = 2000;
const redrawEveryMs = 200;

/** 0.4 s, 12 s, 3 min 5 s. */
export const duration = (milliseconds: number): string => {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole < 120 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
};

const text = (sign: string, step: Step, now: number): string =>
  `${"  ".repeat(step.depth)}${sign} ${step.title}${step.note === "" ? "" : ` · ${step.note}`}  ${duration(now - step.begun)}`;

interface Drawing {
  begin(step: Step): void;
  /** Takes the step away and writes its last line. */
  end(step: Step, sign: string): void;
  line(text: string): void;
}

/** One line for each running step at the bottom of the terminal, redrawn in place. */
const liveDrawing = (output: ReportOutput, now: () => number): Drawing => {
  const running = new Set<Step>();
  let timer: NodeJS.Timeout | undefined;
  let drawn = 0;
  const draw = (finished = ""): void => {
    const width = (output.columns ?? 80) - 1;
    const lines = [...running].map((step) => `${text("…", step, now()).slice(0, width)}\n`);
    output.write(`${drawn === 0 ? "" : `\u001B[${drawn}A\r\u001B[J`}${finished}${lines.join("")}`);
    drawn = lines.length;
  };
  return {
    begin(step) {
      running.add(step);
      timer ??= setInterval(draw, redrawEveryMs).unref();
      draw();
    },
    end(step, sign) {
      running.delete(step);
      if (running.size === 0) {
        clearInterval(timer);
        timer = undefined;
      }
      draw(`${text(sign, step, now())}\n`);
    },
    line: (line) => draw(`${line}\n`),
  };
};

/** A line when a step turns out to be slow, and one when it ends. */
const plainDrawing = (output: ReportOutput, now: () => number): Drawing => {
  const timers = new Map<Step, NodeJS.Timeout>();
  return {
    begin(step) {
      const announce = (): unknown => output.write(`${"  ".repeat(step.depth)}… ${step.title}\n`);
      timers.set(step, setTimeout(announce, announceAfterMs).unref());
    },
    end(step, sign) {
      clearTimeout(timers.get(step));
      timers.delete(step);
      output.write(`${text(sign, step, now())}\n`);
    },
    line: (line) => output.write(`${line}\n`),
  };
};

/** A report on standard error, or on what the options name. */
export const createReport = (options: { readonly output?: ReportOutput; readonly now?: () => number } = {}): Report => {
  const { output = process.stderr, now = () => performance.now() } = options;
  const drawing = output.isTTY === true ? liveDrawing(output, now) : plainDrawing(output, now);
  const depths = new AsyncLocalStorage<number>();
  return {
    line: (text) => drawing.line(text),
    async step(title, work) {
      const depth = depths.getStore() ?? 0;
      const step: Step = { title, depth, begun: now(), note: "" };
      drawing.begin(step);
      try {
        const result = await depths.run(depth + 1, () => work((note) => void (step.note = note)));
        drawing.end(step, "✓");
        return result;
      } catch (error) {
        drawing.end(step, "✗");
        throw error;
      }
    },
  };
};

/** A report that says nothing. */
export const silentReport: Report = { step: (_title, work) => work(() => undefined), line: () => undefined };
