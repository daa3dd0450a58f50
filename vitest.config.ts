import { defineConfig } from "vitest/config";
import { Order } from "./test/runner/order.ts";

export default defineConfig({
  test: {
    sequence: { sequencer: Order },
    // By default one core is left idle, which is half of a small machine.
    maxWorkers: "100%",
    projects: [
      {
        test: {
          name: "unit",
          include: ["{src,lab,bootstrap,bench,demo,test}/**/*.test.ts"],
          exclude: ["test/lab/**", "test/long/**", "**/*.sandbox.test.ts"],
          testTimeout: 20_000,
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
