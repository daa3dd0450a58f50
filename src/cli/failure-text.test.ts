import { describe, expect, it } from "vitest";
import { catalogue, type FailureCode } from "../model/failure-catalogue.ts";
import { Failure } from "../model/failure.ts";
import { exitStatuses } from "./exit-status-help.ts";
import { asFailure, exitStatusOf, failureData, failureText } from "./failure-text.ts";
import { fakeContext } from "./testing/fake-context.ts";

const context = fakeContext();
const failure = new Failure("BUCKET_MISSING", { what: "There is no bucket.", why: "NoSuchBucket", todo: "Create it." });

describe("a failure", () => {
  it("says what, why, what to do, and its code", () => {
    expect(failureText(failure, context)).toBe(
      "error: There is no bucket.\n  why: NoSuchBucket\n  do:  Create it.\n  (BUCKET_MISSING)\n",
    );
  });

  it("leaves out what it does not know, and takes what to do from the catalogue", () => {
    expect(failureText(new Failure("NOT_INTERACTIVE", { what: "No terminal." }), context)).toBe(
      `error: No terminal.\n  do:  ${catalogue.NOT_INTERACTIVE.todo}\n  (NOT_INTERACTIVE)\n`,
    );
  });

  it("says the same as data", () => {
    expect(failureData(failure)).toEqual({
      error: {
        code: "BUCKET_MISSING",
        what: "There is no bucket.",
        why: "NoSuchBucket",
        todo: "Create it.",
        exitStatus: 1,
      },
    });
  });

  it("cannot steer the terminal with what a server or a file's name put into it", () => {
    const why = "line one\nline\ttwo \u001B[2J\u009B31m\r\u0007\u0000end";
    expect(failureText(new Failure("BUCKET_REFUSED", { what: "x", why }), context)).toContain(
      "why: line one\nline\ttwo [2J31mend\n",
    );
    expect(failureText(new Error("\u001B]0;title\u0007"), context)).toBe(
      "defect in Holdfast: ]0;title\n  HOLDFAST_DEBUG=1 shows where.\n",
    );
  });

  it("ends with the exit status that its code has in the catalogue, which the help explains", () => {
    for (const [code, { exit }] of Object.entries(catalogue)) {
      expect(exitStatusOf(new Failure(code as FailureCode, { what: "x" }))).toBe(exit);
      expect(exitStatuses[exit]).toMatch(/\S/);
    }
  });
});

describe("anything else that is thrown", () => {
  it("is called a defect, with its message, and its place only when asked for", () => {
    const error = new TypeError("x is undefined");
    expect(failureText(error, context)).toBe("defect in Holdfast: x is undefined\n  HOLDFAST_DEBUG=1 shows where.\n");
    expect(failureText(error, fakeContext({ env: { HOLDFAST_DEBUG: "1" } }))).toContain("failure-text.test.ts");
    expect(failureText("a string", context)).toContain("defect in Holdfast: a string\n");
    expect(failureData(error)).toEqual({ error: { code: "DEFECT", what: "x is undefined", exitStatus: 1 } });
    expect(exitStatusOf(error)).toBe(1);
  });

  it("is an interruption when the user interrupted, unless it is already a failure", () => {
    const interrupted = fakeContext({ signal: AbortSignal.abort() });
    const error = new Error("aborted");
    expect(asFailure(error, interrupted)).toMatchObject({ code: "INTERRUPTED", exitCode: 130, cause: error });
    expect(asFailure(failure, interrupted)).toBe(failure);
    expect(asFailure(error, context)).toBe(error);
  });
});
