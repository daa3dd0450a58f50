/**
 * Random histories of volumes that are guarded, deleted in every way and brought back, on a real API server with its
 * controllers and a real driver (test/lab/histories/). Many more are played by `npm run test:long`.
 */
import { expect, it } from "vitest";
import { playHistories, toldText, type Wanted } from "./histories/run.ts";
import { openRunningLab } from "./running-lab.ts";

const count = 24;
const atATime = 4;

/** The same histories in every run, so that what fails is the change; `npm run test:long` plays others each time. */
const seed = 663_200_082;
/** What a failure prints, to play that one history again. */
const path: string | undefined = undefined;

it("no history loses bytes that were to stay, and in the end every claim has its own volume", async () => {
  const wanted: Wanted = { seed, count, atATime, restarts: 1, tell: (text) => void process.stdout.write(text) };
  const told = await playHistories(await openRunningLab(), wanted, path);
  process.stdout.write(toldText(wanted, told));
  expect(told.failures.join("\n\n"), `seed ${seed}`).toBe("");
});
