/** The random histories of test/lab/83-deletion-histories.test.ts, many more of them, with more restarts. */
import { randomInt } from "node:crypto";
import { expect, it } from "vitest";
import { playHistories, toldText, type Wanted } from "../lab/histories/run.ts";
import { openRunningLab } from "../lab/running-lab.ts";

const count = 500;
const atATime = 8;

/** What a failure prints, to play that one history again. */
const again: { readonly seed: number; readonly path: string } | undefined = undefined;

it("no history loses bytes that were to stay, and in the end every claim has its own volume", async () => {
  const { seed, path } = again ?? { seed: randomInt(2 ** 31), path: undefined };
  const wanted: Wanted = { seed, count, atATime, restarts: 2, tell: (text) => void process.stdout.write(text) };
  const told = await playHistories(await openRunningLab(), wanted, path);
  process.stdout.write(toldText(wanted, told));
  expect(told.failures.join("\n\n"), `seed ${seed}`).toBe("");
}, 3_600_000);
