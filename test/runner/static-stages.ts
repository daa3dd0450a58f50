/** Everything that needs neither a lab nor root: types, lint, format, borders, dead code. */
import { program, type Stage } from "./stage.ts";

export const staticStages: readonly Stage[] = [
  program("types", "tsc", ["--noEmit", "-p", "."]),
  program("lint", "oxlint", ["--type-aware", "--deny-warnings", "."]),
  program("format", "oxfmt", ["--check", "."]),
  program("borders", "depcruise", ["--config", ".dependency-cruiser.cjs", "src", "lab", "test", "bench", "demo"]),
  program("dead code", "knip", []),
];
