/** `npm run test:long`: what takes too long for every run. Its last result is kept in test/results/long.json. */
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { checkout } from "../lab/lab.ts";
import { onFreshLab } from "./runner/lab-stages.ts";
import { conclude, outcomesOf } from "./runner/stage.ts";

const outcomes = await outcomesOf(onFreshLab("faults, bad input, and restores killed at any moment", "long"));
const result = {
  date: new Date().toISOString().slice(0, 10),
  cores: cpus().length,
  node: process.version,
  stages: outcomes,
};
mkdirSync(join(checkout, "test", "results"), { recursive: true });
writeFileSync(join(checkout, "test", "results", "long.json"), `${JSON.stringify(result, undefined, 2)}\n`);
process.exitCode = conclude(outcomes);
