import { describe, expect, it } from "vitest";
import { z } from "zod";
import { readArguments } from "./arguments.ts";
import { ValidationErrors } from "./call-error.ts";
import { flags } from "./method.ts";

const parameters = { id: z.string(), options: flags("force"), size: z.int().min(10).default(10) } as const;

const problems = (given: readonly unknown[]): unknown => {
  try {
    readArguments(parameters, given);
    return [];
  } catch (error) {
    if (!(error instanceof ValidationErrors)) throw error;
    return error.problems.map(({ attribute, message }) => [attribute, message]);
  }
};

describe("a call's arguments", () => {
  it("are taken by position, with defaults for what is left out", () => {
    expect(readArguments(parameters, ["a"])).toEqual({ id: "a", options: { force: false }, size: 10 });
    expect(readArguments(parameters, ["a", { force: true }, 12])).toMatchObject({ options: { force: true }, size: 12 });
  });

  it.each([
    [[], [["id", "Field required"]]],
    [[1], [["id", "Input should be a valid string"]]],
    [["a", { force: "no" }], [["options.force", "Input should be a valid boolean"]]],
    [["a", { forced: true }], [["options.forced", "Extra inputs are not permitted"]]],
    [["a", {}, 9], [["size", "Input should be greater than or equal to 10"]]],
    [["a", {}, 10, 1], [["", "Too many arguments (expected 3, found 4)"]]],
  ])("are refused in TrueNAS' words: %j", (given, wanted) => {
    expect(problems(given)).toEqual(wanted);
  });
});
