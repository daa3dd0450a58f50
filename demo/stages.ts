/** The demo's stages: each has a heading, is timed, and ends the demo when what it should show is not true. */

export class NotTrue extends Error {}

/** Ends the demo with what was expected and what was seen. */
export const demand = (condition: boolean, text: string): void => {
  if (!condition) throw new NotTrue(text);
};

export interface Stages {
  /** Runs one stage; its seconds are kept under `name`. */
  run<T>(name: string, heading: string, work: () => Promise<T>): Promise<T>;
  readonly seconds: Readonly<Record<string, number>>;
}

export const createStages = (write: (text: string) => void): Stages => {
  const seconds: Record<string, number> = {};
  return {
    seconds,
    async run(name, heading, work) {
      write(`\n━━ ${heading}\n`);
      const began = performance.now();
      try {
        return await work();
      } finally {
        seconds[name] = Math.round((performance.now() - began) / 100) / 10;
      }
    },
  };
};
