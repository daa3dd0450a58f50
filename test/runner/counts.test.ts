import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkout } from "../../lab/lab.ts";
import { failuresOf, slowestOf } from "./counts.ts";

const times = { startTime: 0, endTime: 0 };
const passed = { fullName: "a volume comes back", status: "passed", failureMessages: [] };

describe("the failures of a test run", () => {
  it("are named by file and test, with what was said", () => {
    const failed = {
      fullName: "a volume stays",
      status: "failed",
      failureMessages: [`expected 1 to be 2\n    at own.ts:2:40\n    at node_modules/runner.js:1:2`],
    };
    const file = {
      name: join(checkout, "src", "volume.test.ts"),
      message: "",
      ...times,
      assertionResults: [passed, failed],
    };
    expect(failuresOf([file])).toEqual(["src/volume.test.ts: a volume stays\nexpected 1 to be 2\n    at own.ts:2:40"]);
  });

  it("do not say where the checkout lies: they are kept in the repository", () => {
    const failed = {
      fullName: "a volume stays",
      status: "failed",
      failureMessages: [`no\n    at ${checkout}/own.ts:2:40`],
    };
    const file = { name: join(checkout, "src", "volume.test.ts"), message: "", ...times, assertionResults: [failed] };
    expect(failuresOf([file])).toEqual(["src/volume.test.ts: a volume stays\nno\n    at own.ts:2:40"]);
  });

  it("include what was skipped, and files that could not be run", () => {
    const skipped = { fullName: "a volume goes", status: "skipped", failureMessages: null };
    const file = {
      name: join(checkout, "src", "volume.test.ts"),
      message: "no such module",
      ...times,
      assertionResults: [skipped],
    };
    expect(failuresOf([file])).toEqual([
      "src/volume.test.ts: a volume goes\nskipped",
      "src/volume.test.ts: no such module",
    ]);
  });
});

describe("the files that took longest", () => {
  it("are those with a good part of all the time, longest first", () => {
    const took = (name: string, seconds: number) => ({
      name: join(checkout, name),
      message: "",
      startTime: 1000,
      endTime: 1000 + seconds * 1000,
      assertionResults: [],
    });
    expect(slowestOf([took("a.test.ts", 1), took("b.test.ts", 12.34), took("c.test.ts", 90)])).toEqual([
      { file: "c.test.ts", seconds: 90 },
      { file: "b.test.ts", seconds: 12.3 },
    ]);
  });
});
