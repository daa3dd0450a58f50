/** What reads the sources only, side by side: types, lint with the borders of the house, format, dead code. */
import { program, type Stage } from "./stage.ts";

export const staticStages: readonly Stage[] = [
  program("types", "tsc", ["--noEmit", "-p", "."]),
  program("lint", "oxlint", ["--type-aware", "--deny-warnings", "."]),
  program("format", "oxfmt", ["--check", "."]),
  program("dead code", "knip", []),
];
