import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let root: string;

const at = (name: string): string => join(root, name);
const age = (name: string, seconds: number): void => utimesSync(at(name), seconds, seconds);
const run = (): string => execFileSync(process.execPath, [at("bin/holdfast.mjs")], { encoding: "utf8" }).trim();

/** A checkout whose files are all of one time, with a program that was built after it. */
const aCheckout = (): void => {
  for (const folder of ["src/cli", "dist/cli"]) mkdirSync(at(folder), { recursive: true });
  for (const folder of ["bin", "bootstrap"]) cpSync(folder, at(folder), { recursive: true });
  symlinkSync(join(process.cwd(), "node_modules"), at("node_modules"));
  writeFileSync(at("package.json"), '{ "type": "module" }');
  writeFileSync(at("src/main.ts"), 'const from: string = "sources"; console.log(from);');
  writeFileSync(at("src/cli/command.ts"), "export {};");
  writeFileSync(at("dist/cli/main.mjs"), 'console.log("built");');
  writeFileSync(at("dist/agent.mjs"), "");
  for (const name of ["package-lock.json", "rolldown.config.mjs"]) writeFileSync(at(name), "");
  for (const name of ["src/main.ts", "src/cli/command.ts", "src/cli", "src"]) age(name, 1000);
  for (const name of ["package-lock.json", "rolldown.config.mjs"]) age(name, 1000);
  for (const name of ["dist/cli/main.mjs", "dist/agent.mjs"]) age(name, 1001);
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "holdfast-program-"));
});
afterEach(() => rmSync(root, { recursive: true }));

describe("bin/holdfast.mjs", () => {
  it("runs what was built after the last change of the sources", () => {
    aCheckout();
    expect(run()).toBe("built");
  });

  it.each(["src/cli/command.ts", "src/cli", "package-lock.json", "rolldown.config.mjs"])(
    "runs the sources when %s has changed since",
    (name) => {
      aCheckout();
      age(name, 2000);
      expect(run()).toBe("sources");
    },
  );

  it("runs the sources where nothing was built", () => {
    aCheckout();
    rmSync(at("dist"), { recursive: true });
    expect(run()).toBe("sources");
  });

  it("runs the sources where an earlier build has left a part", () => {
    aCheckout();
    age("dist/agent.mjs", 500);
    expect(run()).toBe("sources");
  });
});
