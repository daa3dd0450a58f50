import { describe, expect, it } from "vitest";
import { exitStatuses } from "./exit-status-help.ts";
import { runCli } from "./run-cli.ts";
import { fakeContext } from "./testing/fake-context.ts";

interface Ended {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command line where there is no configuration, no cluster and no terminal. */
const holdfast = async (...words: readonly string[]): Promise<Ended> => {
  const texts = { out: "", err: "" };
  const process = {
    stdout: { write: (text: string) => void (texts.out += text) },
    stderr: { write: (text: string) => void (texts.err += text) },
    env: {},
  };
  const context = fakeContext();
  const status = await runCli("1.2.3", words, { process, context });
  return { status, out: texts.out + context.out(), err: texts.err + context.err() };
};

const commands = [
  [["status"], ["--namespace", "--output"]],
  [["doctor"], ["--output"]],
  [["backup"], ["--wait", "--timeout"]],
  [["restore"], ["--point", "--at", "--to", "--dry-run", "--yes"]],
  [["points", "list"], ["--output"]],
  [["points", "show"], ["--output"]],
  [["why"], ["--output"]],
  [["adopt"], []],
  [["serve"], ["--listen", "--mode"]],
  [
    ["guard", "on"],
    ["--mode", "--dry-run", "--yes"],
  ],
  [
    ["guard", "off"],
    ["--dry-run", "--yes"],
  ],
  [["guard", "status"], ["--output"]],
  [["guard", "check"], ["--output"]],
  [
    ["guard", "allow-delete"],
    ["--for", "--withdraw"],
  ],
  [["retire"], ["--no-copy", "--for", "--dry-run", "--yes"]],
  [["trash", "list"], ["--output"]],
  [
    ["trash", "restore"],
    ["--dry-run", "--yes"],
  ],
  [
    ["trash", "empty"],
    ["--older-than", "--no-copy", "--dry-run", "--yes"],
  ],
  [
    ["kit", "create"],
    ["--out", "--recipient", "--passphrase-file", "--yes"],
  ],
] as const;

/** These work where there is no holdfast.yaml, or no cluster. */
const worldless = [
  [
    ["kit", "check"],
    ["--config", "--identity", "--passphrase-file", "--output"],
  ],
  [
    ["kit", "show"],
    ["--identity", "--passphrase-file", "--secrets", "--output"],
  ],
] as const;

describe("help", () => {
  it("of everything names every command and every exit status", async () => {
    const { status, out, err } = await holdfast("--help");
    expect(status).toBe(0);
    expect(err).toBe("");
    for (const [[name]] of commands) expect(out).toMatch(new RegExp(`^  ${name}\\b.*\\S`, "m"));
    for (const [code, meaning] of Object.entries(exitStatuses))
      expect(out).toMatch(new RegExp(`^ +${code}  ${meaning}$`, "m"));
  });

  const worldFlags = ["--config", "--kubeconfig", "--context"];
  const rows = [...commands.map(([route, flags]) => [route, [...flags, ...worldFlags]] as const), ...worldless];
  it.each(rows)("of %j prints its usage and its flags", async (route, flags) => {
    for (const flag of ["--help", "-h"]) {
      const { status, out, err } = await holdfast(...route, flag);
      expect(status).toBe(0);
      expect(err).toBe("");
      expect(out).toMatch(new RegExp(`^USAGE\\n  holdfast ${route.join(" ")} `));
      for (const name of flags) expect(out).toMatch(new RegExp(`^.{6}\\[?${name}\\]?[. ]+\\w`, "m"));
    }
  });

  it("of a group of commands names them", async () => {
    const { status, out } = await holdfast("points", "--help");
    expect(status).toBe(0);
    expect(out).toMatch(/^ {2}list\b/m);
    expect(out).toMatch(/^ {2}show\b/m);
  });

  it("says so when nothing is asked at all", async () => {
    const { status, out, err } = await holdfast();
    expect(status).toBe(0);
    expect(out + err).toContain("USAGE");
  });

  it("has no colours where there is no terminal", async () => {
    for (const words of [["--help"], ["restore", "--help"], ["stauts"], ["why"]]) {
      const { out, err } = await holdfast(...words);
      expect(out + err).not.toContain("\u001B");
    }
  });
});

describe("the version", () => {
  it("is printed alone", async () => {
    expect(await holdfast("--version")).toEqual({ status: 0, out: "1.2.3\n", err: "" });
  });
});

describe("a command line that is not understood", () => {
  it.each([
    [["stauts"], /status/],
    [["points", "shwo"], /show|shwo/],
    [["status", "--nmaespace", "media"], /nmaespace/],
    [["status", "extra"], /extra/],
    [["status", "-o", "xml"], /json/],
    [["why"], /VOLUME/],
    [["why", "a", "b"], /b/],
    [["restore"], /VOLUME/],
    [["restore", "a", "--mover", "rsync"], /kopia/],
    [["restore", "a", "--timeout", "soon"], /"soon" is not a duration/],
    [["backup", "--verify-files-percent", "200"], /200/],
    [["status", "--config"], /config/],
    [["kit", "create"], /out/],
    [["guard", "on", "--mode", "lock"], /deny/],
    [["serve", "--listen", "everywhere"], /HOST:PORT/],
    [["guard", "allow-delete"], /VOLUME/],
    [["kit", "check"], /FILE/],
    [["retire"], /VOLUME/],
    [["trash", "restore"], /VOLUME/],
    [["trash", "empty", "--older-than", "soon"], /"soon" is not a duration/],
  ])("ends %j with status 2 and says what is wrong", async (words, expected) => {
    const { status, out, err } = await holdfast(...words);
    expect(status).toBe(2);
    expect(out).toBe("");
    expect(err).toMatch(expected);
    expect(err).not.toMatch(/\n\s+at /);
  });
});

describe("a command without holdfast.yaml", () => {
  const runnable = [
    ["status"],
    ["doctor"],
    ["backup"],
    ["restore", "a"],
    ["points"],
    ["points", "list"],
    ["points", "show", "p"],
    ["why", "a"],
    ["adopt"],
    ["kit", "create", "--out", "home.kit"],
  ];

  it.each(runnable)("ends with status 2 and says where it looked: %s %s", async (...words) => {
    const { status, out, err } = await holdfast(...words.filter((word) => typeof word === "string"));
    expect(status).toBe(2);
    expect(out).toBe("");
    expect(err).toContain("/nowhere/holdfast.yaml");
    expect(err).toContain("(CONFIG_MISSING)");
  });

  it("says it as JSON when JSON was asked for", async () => {
    const { status, err } = await holdfast("status", "-o", "json");
    expect(status).toBe(2);
    expect(JSON.parse(err)).toMatchObject({ error: { code: "CONFIG_MISSING", exitStatus: 2 } });
  });
});
