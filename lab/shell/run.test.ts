import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { commandLine, run, RunError } from "./run.ts";

describe("run", () => {
  it("returns both outputs and passes input and environment", async () => {
    const result = await run("sh", ["-c", "cat; echo $COLOUR >&2"], { input: "hello", env: { COLOUR: "blue" } });
    expect(result).toEqual({ stdout: "hello", stderr: "blue\n" });
  });

  it("throws with command line, exit code and the end of stderr", async () => {
    const error: unknown = await run("sh", ["-c", "echo broken >&2; exit 3"]).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(RunError);
    expect(error).toMatchObject({
      exitCode: 3,
      stderr: "broken\n",
      message: "sh -c 'echo broken >&2; exit 3': exit code 3\nbroken",
    });
  });

  it("says that a program is missing", async () => {
    await expect(run("no-such-program")).rejects.toThrow("no-such-program: could not be started");
  });

  it("ends a program that takes too long, and one that is interrupted", async () => {
    await expect(run("sleep", ["10"], { timeoutMs: 50 })).rejects.toThrow("not done within 50 ms");
    await expect(run("sleep", ["10"], { signal: AbortSignal.timeout(50) })).rejects.toThrow("interrupted");
    await expect(run("sleep", ["10"], { signal: AbortSignal.abort() })).rejects.toThrow("interrupted");
  });

  it("does not mind a program that ends without reading its input", async () => {
    await expect(run("true", [], { input: "x".repeat(1_000_000) })).resolves.toEqual({ stdout: "", stderr: "" });
  });

  it("keeps both outputs in a log file", async () => {
    const dir = mkdtempSync(join(tmpdir(), "run-"));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const logFile = join(dir, "logs", "a.log");
    await run("sh", ["-c", "echo out; sleep 0.05; echo err >&2"], { logFile });
    expect(readFileSync(logFile, "utf8")).toBe("out\nerr\n");
  });

  it("quotes words only where a shell needs it", () => {
    expect(commandLine("ls", ["-l", "a b", "it's"])).toBe(`ls -l 'a b' 'it'\\''s'`);
  });
});
