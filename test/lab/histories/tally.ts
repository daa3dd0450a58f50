/** What was seen in histories, in numbers. */
import type { Play } from "./play.ts";

/** How often something was seen. */
export interface Tally {
  readonly volumes: number;
  /** Volumes that nothing kept. */
  readonly destroyed: number;
  readonly refused: number;
  readonly undeleted: number;
  readonly died: number;
  readonly resumed: number;
}

export const tallyOf = ({ ledger, log }: Play): Tally => {
  const lines = (pattern: RegExp): number => log.filter((line) => pattern.test(line)).length;
  return {
    volumes: ledger.entries.length,
    destroyed: ledger.entries.filter(({ hasBytes }) => !hasBytes).length,
    refused: lines(/denied request/),
    undeleted: lines(/undelete.* -> done/),
    died: lines(/-> died/),
    resumed: lines(/^ {2}resumed: done/),
  };
};

export const sumOf = (tallies: readonly Tally[]): Tally => {
  const sum = (key: keyof Tally): number => tallies.reduce((total, tally) => total + tally[key], 0);
  return {
    volumes: sum("volumes"),
    destroyed: sum("destroyed"),
    refused: sum("refused"),
    undeleted: sum("undeleted"),
    died: sum("died"),
    resumed: sum("resumed"),
  };
};
