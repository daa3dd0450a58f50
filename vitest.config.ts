import { defineConfig } from "vitest/config";
import { freeIn, sharedMemory } from "./lab/memory.ts";
import { Order } from "./test/runner/order.ts";

const alone = "**/*.alone.test.ts";

/** Bytes that the trees of tests want, many times over. */
const room = 256 * 2 ** 20;
/** Trees that are made and removed thousands of times: in memory, where there is such a place. */
const inMemory: Record<string, string> = freeIn(sharedMemory) < room ? {} : { TMPDIR: sharedMemory };

export default defineConfig({
  test: {
    sequence: { sequencer: Order },
    // By default one core is left idle, which is half of a small machine.
    maxWorkers: "100%",
    projects: [
      {
        // Files that run one after the other in one process load what they share once: a third of the time is saved.
        test: {
          name: "unit",
          include: ["{src,lab,bootstrap,bench,demo,test}/**/*.test.ts"],
          exclude: ["test/lab/**", "test/long/**", "**/*.sandbox.test.ts", alone],
          testTimeout: 20_000,
          isolate: false,
        },
      },
      {
        // What replaces a module needs a process of its own. `vi.mock` is refused by lint elsewhere.
        test: {
          name: "unit-alone",
          include: [`{src,lab}/${alone}`],
          testTimeout: 20_000,
          env: inMemory,
        },
      },
      {
        test: {
          name: "sandbox",
          include: ["**/*.sandbox.test.ts"],
          exclude: ["node_modules/**", ".lab/**"],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        // These share one running lab, so they take turns.
        test: {
          name: "lab",
          include: ["test/lab/**/*.test.ts"],
          exclude: ["test/lab/lab-life.test.ts"],
          fileParallelism: false,
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        // What takes too long for every run: `npm run test:long`.
        test: {
          name: "long",
          include: ["test/long/**/*.test.ts"],
          fileParallelism: false,
          testTimeout: 1_800_000,
          hookTimeout: 300_000,
        },
      },
      {
        // Brings up labs of its own, on the host.
        test: {
          name: "lab-life",
          include: ["test/lab/lab-life.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
