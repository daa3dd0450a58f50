/** `npm test`: everything that must hold before a change lands, on this machine, from a fresh clone if need be. */
import { labStages } from "./runner/lab-stages.ts";
import { ensureNode24 } from "./runner/node24.ts";
import { runStages, vitest } from "./runner/stage.ts";
import { staticStages } from "./runner/static-stages.ts";

const node24 = await ensureNode24();

process.exitCode = await runStages([
  staticStages,
  vitest("unit tests", "unit*"),
  // Sandbox tests take turns, and leave most of a core to others.
  [
    vitest("sandbox tests", "sandbox"),
    vitest("unit tests on Node.js 24", "unit*", { node: node24, within: ["nice"], workers: 1, apart: true }),
  ],
  ...labStages,
]);
