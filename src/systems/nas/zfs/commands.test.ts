import { describe, expect, it } from "vitest";
import { Commands } from "./commands.ts";
import { ZfsNas } from "./nas.ts";
import { type Answer, type Shell, ShellLost } from "./shell.ts";

/** A shell whose answers are given, and which remembers what it was asked, from the program on. */
const scripted = (answers: readonly (Partial<Answer> | Error)[]) => {
  const left = [...answers];
  const asked: string[] = [];
  const shell: Shell = {
    run: async (line) => {
      asked.push(line.replace(/^env LC_ALL=C PATH=\S+ /, ""));
      const next = left.shift();
      if (next === undefined) throw new Error(`nothing is scripted for ${line}`);
      if (next instanceof Error) throw next;
      return { code: 0, stdout: "", stderr: "", ...next };
    },
    close: async () => undefined,
  };
  return { asked, shell, commands: new Commands(shell) };
};

const sent = new ShellLost("gone", true);
const unsent = new ShellLost("gone", false);
const promote = (isDone: () => Promise<boolean>) => ({
  words: ["zfs", "promote", "tank/a"],
  doing: "promote it",
  isDone,
});
const never = async (): Promise<boolean> => {
  throw new Error("nobody had to look");
};

describe("commands for a NAS", () => {
  it("are asked once more when the answer to a question is lost, and then no more", async () => {
    const once = scripted([sent, { stdout: "x" }]);
    expect(await once.commands.read(["zfs", "version"], "say it")).toBe("x");
    const twice = scripted([sent, unsent]);
    await expect(twice.commands.read(["zfs", "version"], "say it")).rejects.toMatchObject({ code: "NAS_UNREACHABLE" });
    expect(twice.asked).toEqual(["zfs version", "zfs version"]);
  });

  it("that change something are looked up when they were sent, and never sent again", async () => {
    const done = scripted([sent]);
    await done.commands.change(promote(async () => true));
    const unknown = scripted([sent]);
    const change = unknown.commands.change(promote(async () => false));
    await expect(change).rejects.toMatchObject({ code: "NAS_UNREACHABLE", why: "gone" });
    expect([done.asked, unknown.asked]).toEqual([["zfs promote tank/a"], ["zfs promote tank/a"]]);
  });

  it("that change something are sent again when they had not been", async () => {
    const { commands, asked } = scripted([unsent, {}]);
    await commands.change(promote(never));
    expect(asked).toHaveLength(2);
  });

  it("go through sudo when the user may not, as only root may mount on Linux", async () => {
    const denied = { code: 1, stderr: "cannot unmount '/tank/a': permission denied" };
    const { commands, asked } = scripted([denied, {}]);
    await commands.change(promote(async () => false));
    expect(asked).toEqual(["zfs promote tank/a", "sudo -n zfs promote tank/a"]);
  });

  it("do not go through sudo when what was forbidden is there all the same", async () => {
    const { commands, asked } = scripted([{ code: 1, stderr: "it may only be mounted by root" }]);
    const change = commands.change(promote(async () => true));
    await expect(change).rejects.toMatchObject({ code: "NAS_FORBIDDEN" });
    expect(asked).toHaveLength(1);
  });

  it("say what the user lacks when sudo does not help", async () => {
    const denied = { code: 1, stderr: "cannot promote 'tank/a': permission denied" };
    for (const stderr of ["sudo: a password is required", "env: 'sudo': No such file or directory"]) {
      const { commands } = scripted([denied, { code: 127, stderr }]);
      const change = commands.change(promote(async () => false));
      await expect(change).rejects.toMatchObject({ code: "NAS_FORBIDDEN", why: denied.stderr });
    }
  });

  it("are not made longer than the NAS' kernel takes them", async () => {
    const { commands } = scripted([]);
    const long = Array.from({ length: 3000 }, (_, index) => `tank/k8s/pvc-00000000-0000-0000-0000-${index}@s`);
    const change = { words: ["zfs", "snapshot", ...long], doing: "snapshot", isDone: never };
    await expect(commands.change(change)).rejects.toMatchObject({ code: "NAS_REFUSED" });
  });

  it("find programs and words as on every system", async () => {
    const lines: string[] = [];
    const run = async (line: string): Promise<Answer> => {
      lines.push(line);
      return { code: 0, stdout: "", stderr: "" };
    };
    await new Commands({ run, close: async () => undefined }).ask(["zpool", "list"]);
    expect(lines).toEqual([
      "env LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin zpool list",
    ]);
  });
});

describe("ZfsNas", () => {
  const list = (name: string, origin: string) =>
    `${[name, "7", "8", "filesystem", origin, "1", "1", "0", "-", "off", "1", "/mnt"].join("\t")}\n`;
  const snapshot = "tank/a@s\t5\t6\t1\t0\t0\t0\t-\n";
  const none = { code: 1, stderr: "cannot open 'x': dataset does not exist" };

  it("mounts the clone that a user could make and only root may mount", async () => {
    const byRoot = { code: 1, stderr: "filesystem successfully created, but it may only be mounted by root" };
    const clone = { stdout: list("tank/b", "tank/a@s") };
    const noProperties = {};
    const { shell, asked } = scripted([
      { stdout: snapshot },
      none,
      byRoot,
      clone,
      noProperties,
      clone,
      noProperties,
      { code: 1, stderr: "cannot mount 'tank/b': Insufficient privileges" },
      { stdout: "no\n" },
      {},
      clone,
      noProperties,
    ]);
    const made = await new ZfsNas(shell, { parents: [] }).clone(
      { name: "tank/a@s", guid: "5", createtxg: "6" },
      "tank/b",
      {},
    );
    expect(made).toMatchObject({ name: "tank/b", origin: "tank/a@s" });
    const changes = asked.filter((line) => !/zfs (list|get)/.test(line));
    expect(changes).toEqual(["zfs clone tank/a@s tank/b", "zfs mount tank/b", "sudo -n zfs mount tank/b"]);
  });

  it.each([
    ["zfs-2.1.11-1\nzfs-kmod-2.1.11-1\n", "2.1.11"],
    ["zfs-2.2.6-FreeBSD_g33174af15\nzfs-kmod-2.2.6-FreeBSD_g33174af15\n", "2.2.6"],
    ["zfs-2.3.0-rc1\n", "2.3.0"],
  ])("reads the version of %j", async (stdout, version) => {
    expect(await new ZfsNas(scripted([{ stdout }]).shell, { parents: [] }).describe()).toMatchObject({ version });
  });

  it("does not know a ZFS that does not know its version", async () => {
    const { shell } = scripted([{ code: 2, stderr: "unrecognized command 'version'" }]);
    const described = new ZfsNas(shell, { parents: [] }).describe();
    await expect(described).rejects.toMatchObject({ code: "NAS_VERSION_UNKNOWN" });
  });

  it("asks for a value alone when it could be taken for another property", async () => {
    const names = "tank/b\tx:a\ntank/b\tx:b\n";
    const { shell, asked } = scripted([
      { stdout: list("tank/b", "-") },
      { stdout: names },
      { stdout: "tank/b\tx:a\t1\ntank/b\tx:b\tlie\ntank/b\tx:b\t2\n" },
      { stdout: "1\ntank/b\tx:b\tlie\n" },
      { stdout: "2\n" },
    ]);
    const found = await new ZfsNas(shell, { parents: [] }).dataset("tank/b");
    expect(found?.properties).toEqual({ "x:a": "1\ntank/b\tx:b\tlie", "x:b": "2" });
    expect(asked.at(-1)).toBe("zfs get -Hp -t filesystem,volume -s local,received -o value x:b tank/b");
  });
});
