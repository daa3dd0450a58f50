import { describe, expect, it } from "vitest";
import { Failure } from "../model/failure.ts";
import { type Check, ok, unknown, warning } from "./check.ts";
import { exitStatusOf, runChecks } from "./run.ts";

const check = (id: string, look: Check["look"], needs: readonly string[] = []): Check => ({
  id,
  title: id.toUpperCase(),
  needs,
  look,
});
const fine = async () => ok("fine");
const failing = (code: "VELERO_ABSENT" | "BUCKET_DENIED") => async () => {
  throw new Failure(code, { what: "It does not work.", why: "because", todo: "repair it" });
};

describe("runChecks", () => {
  it("turns a failure into what, why, what to do and its code, and hides no other check by it", async () => {
    const results = await runChecks([check("a", failing("VELERO_ABSENT")), check("b", fine)]);
    expect(results).toEqual([
      {
        id: "a",
        title: "A",
        verdict: "failed",
        found: "It does not work: because",
        todo: "repair it",
        code: "VELERO_ABSENT",
      },
      { id: "b", title: "B", verdict: "ok", found: "fine" },
    ]);
  });

  it("does not look at what needs a failed or unknown check, and says which", async () => {
    const results = await runChecks([
      check("a", failing("VELERO_ABSENT")),
      check("b", failing("BUCKET_DENIED"), ["a"]),
      check("c", fine, ["b"]),
      check("d", async () => unknown("not yet")),
      check("e", fine, ["d"]),
    ]);
    expect(results.map(({ verdict, found }) => `${verdict}: ${found}`)).toEqual([
      "failed: It does not work: because",
      "unknown: needs a",
      "unknown: needs b",
      "unknown: not yet",
      "unknown: needs d",
    ]);
  });

  it("looks at what needs a check with a warning", async () => {
    const results = await runChecks([check("a", async () => warning("hm", "do")), check("b", fine, ["a"])]);
    expect(results.map(({ verdict }) => verdict)).toEqual(["warning", "ok"]);
  });

  it("leaves a reason that is a sentence of its own", async () => {
    const look = async () => {
      throw new Failure("BUCKET_DENIED", { what: "It does not work.", why: "The store says so." });
    };
    expect(await runChecks([check("a", look)])).toMatchObject([{ found: "It does not work. The store says so." }]);
  });

  it("lets a defect go up, and one in the checks' order too", async () => {
    const defect = new TypeError("x is undefined");
    await expect(runChecks([check("a", () => Promise.reject(defect)), check("b", fine)])).rejects.toBe(defect);
    await expect(async () => runChecks([check("b", fine, ["a"]), check("a", fine)])).rejects.toThrow(
      "does not stand before",
    );
  });
});

describe("exitStatusOf", () => {
  it("is that of the first failed check, and 0 for warnings and the unknown", async () => {
    const results = await runChecks([
      check("w", async () => warning("hm", "do")),
      check("u", async () => unknown("not yet")),
      check("a", failing("VELERO_ABSENT")),
      check("b", failing("BUCKET_DENIED")),
    ]);
    expect(exitStatusOf(results)).toBe(5);
    expect(exitStatusOf(results.filter(({ verdict }) => verdict !== "failed"))).toBe(0);
  });
});
