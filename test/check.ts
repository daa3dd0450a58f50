/** `npm run check`: the fast loop, without lab and without root. */
import { runStages, vitest } from "./runner/stage.ts";
import { staticStages } from "./runner/static-stages.ts";

process.exitCode = await runStages([staticStages, vitest("unit tests", "unit*")]);
