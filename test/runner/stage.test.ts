import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { checkout } from "../../lab/lab.ts";
import { failuresOf } from "./stage.ts";

const passed = { fullName: "a volume comes back", status: "passed", failureMessages: [] };

describe("the failures of a test run", () => {
  it("are named by file and test, with what was said", () => {
    const failed = {
      fullName: "a volume stays",
      status: "failed",
      failureMessages: [`expected 1 to be 2\n    at own.ts:2:40\n    at node_modules/runner.js:1:2`],
    };
    const file = { name: join(checkout, "src", "volume.test.ts"), message: "", assertionResults: [passed, failed] };
    expect(failuresOf([file])).toEqual(["src/volume.test.ts: a volume stays\nexpected 1 to be 2\n    at own.ts:2:40"]);
  });

  it("do not say where the checkout lies: they are kept in the repository", () => {
    const failed = {
      fullName: "a volume stays",
      status: "failed",
      failureMessages: [`no\n    at ${checkout}/own.ts:2:40`],
    };
    const file = { name: join(checkout, "src", "volume.test.ts"), message: "", assertionResults: [failed] };
    expect(failuresOf([file])).toEqual(["src/volume.test.ts: a volume stays\nno\n    at own.ts:2:40"]);
  });

  it("include what was skipped, and files that could not be run", () => {
    const skipped = { fullName: "a volume goes", status: "skipped", failureMessages: null };
    const file = {
      name: join(checkout, "src", "volume.test.ts"),
      message: "no such module",
      assertionResults: [skipped],
    };
    expect(failuresOf([file])).toEqual([
      "src/volume.test.ts: a volume goes\nskipped",
      "src/volume.test.ts: no such module",
    ]);
  });
});
