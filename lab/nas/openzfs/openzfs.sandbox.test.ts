import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { describeNas } from "../../../src/systems/nas/conformance.ts";
import { codeOf, type NasSubject, type Somebody } from "../../../src/systems/nas/conformance-bench.ts";
import { ZfsNas } from "../../../src/systems/nas/zfs/nas.ts";
import { ZfsRemover } from "../../../src/systems/nas/zfs/remover.ts";
import type { Shell } from "../../../src/systems/nas/zfs/shell.ts";
import { type SshAccess, SshShell } from "../../../src/systems/nas/zfs/ssh.ts";
import { output } from "../../zfs/exec.ts";
import { openZfs } from "../../zfs/zfs.ts";
import { type OpenZfsSandbox, openOpenZfsSandbox } from "./sandbox.ts";
import type { Sshd } from "./sshd.ts";

const clock = {
  now: () => Date.now(),
  sleep: (milliseconds: number, signal?: AbortSignal) => sleep(milliseconds, undefined, signal ? { signal } : {}),
};

let site: OpenZfsSandbox;
let sshd: Sshd;
beforeAll(async () => {
  site = await openOpenZfsSandbox();
  sshd = await site.openSshd();
});
afterAll(async () => {
  // A failed start has nothing to close.
  await sshd?.close();
  await site?.close();
});

const localShell = (): Shell => ({
  run: (line) => site.exec("sh", ["-c", line]),
  close: async () => undefined,
});

const access = (): SshAccess => ({
  host: "127.0.0.1",
  port: sshd.port,
  user: "root",
  privateKey: sshd.privateKey,
  hostKey: sshd.hostKey,
});

const until = async (holds: () => Promise<boolean>): Promise<void> => {
  while (!(await holds())) await sleep(50);
};

const options = { parents: ["tank/k8s"] };

const script = (text: string, ...args: readonly string[]): Promise<string> =>
  output(site.real, "sh", ["-c", text, "sh", ...args]);

const somebody: Somebody = {
  create: (name, { properties = {} } = {}) => openZfs(site.real).create(name, properties),
  write: async (dataset, text) => void (await script('printf %s "$2" > "/mnt/$1/file"', dataset, text)),
  read: (dataset) => script('cat "/mnt/$1/file"', dataset),
  hold: async (snapshot) => void (await output(site.real, "zfs", ["hold", "somebody", snapshot])),
  release: async (snapshot) => void (await output(site.real, "zfs", ["release", "somebody", snapshot])),
  use: async (dataset) => {
    const pid = await script('cd "/mnt/$1" && { sleep 1000 > /dev/null 2>&1 & echo $!; }', dataset);
    return async () => void (await script('kill "$1"', pid.trim()));
  },
};

const subjectOf = async (shells: readonly [Shell, Shell]): Promise<NasSubject> => {
  const run = `c${randomBytes(3).toString("hex")}`;
  await openZfs(site.real).create(`tank/k8s/${run}`);
  const [nas, remover] = [new ZfsNas(shells[0], options), new ZfsRemover(shells[1], options)];
  return {
    nas,
    remover,
    somebody,
    parent: `tank/k8s/${run}`,
    volumes: false,
    close: async () => void (await Promise.all([nas.close(), remover.close(), nas.close()])),
  };
};

describeNas("ZfsNas over SSH", () => subjectOf([new SshShell(access(), clock), new SshShell(access(), clock)]));

describe("SSH", () => {
  it("gives code and both outputs apart, whatever is in them", async () => {
    const shell = new SshShell(access(), clock);
    const answer = await shell.run(String.raw`printf 'a\tb\n😀'; printf 'no\n' >&2; exit 3`);
    expect(answer).toEqual({ code: 3, stdout: "a\tb\n😀", stderr: "no\n" });
    expect((await shell.run("head -c 1000000 /dev/zero | tr '\\0' x")).stdout.length).toBe(1_000_000);
    await shell.close();
    await shell.close();
  });

  it("uses one connection, and a new one after it broke, for what may be asked again", async () => {
    const shell = new SshShell(access(), clock);
    const nas = new ZfsNas(shell, options);
    const before = sshd.connections;
    await nas.describe();
    await Promise.all([nas.describe(), nas.describe()]);
    expect(sshd.connections - before).toBe(1);
    sshd.cut();
    expect((await nas.describe()).product).toBe("zfs");
    expect(sshd.connections - before).toBe(2);
    await nas.close();
  });

  it("does not talk to a host with another key, and says which key it has", async () => {
    const other = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO0xmNCcUzNaWN4Lh7FXd3Hf6gkVvxCPRGqDXpwEXAMP";
    for (const hostKey of [other, undefined, "ssh-rsa AAAAB3NzaC1yc2E=", "nonsense"]) {
      const failure = new ZfsNas(new SshShell({ ...access(), hostKey }, clock), options).pools();
      await expect(failure).rejects.toMatchObject({ code: "NAS_UNTRUSTED" });
    }
    const shown = new SshShell({ ...access(), hostKey: other }, clock).run("true");
    await expect(shown).rejects.toMatchObject({ why: expect.stringContaining(sshd.hostKey) as string });
  });

  it("does not show a host that it does not trust the user's key", async () => {
    const before = sshd.connections;
    expect(await codeOf(new SshShell({ ...access(), hostKey: undefined }, clock).run("touch /run/was-here"))).toBe(
      "NAS_UNTRUSTED",
    );
    expect(sshd.connections - before).toBe(1);
    expect((await site.exec("test", ["-e", "/run/was-here"])).code).toBe(1);
  });

  it.each([
    ["a user whom it does not know", { user: "nobody" }, "NAS_UNAUTHORIZED"],
    ["a key that is none", { privateKey: "-----BEGIN SECRET-----" }, "NAS_UNAUTHORIZED"],
    ["a port where nobody is", { port: 1 }, "NAS_UNREACHABLE"],
    ["a name that is none", { host: "nas.invalid" }, "NAS_UNREACHABLE"],
  ] as const)("refuses %s, without a word of the key", async (_, change, code) => {
    const nas = new ZfsNas(new SshShell({ ...access(), ...change }, clock), options);
    const error = await nas.pools().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toMatch(/BEGIN|OPENSSH/);
  });

  it("ends what takes too long, and goes on", async () => {
    const limits = { connect: 5000, command: 2000, keepalive: 10_000 };
    const shell = new SshShell(access(), clock, limits);
    await expect(shell.run("sleep 30")).rejects.toMatchObject({ mayHaveRun: true });
    expect((await shell.run("echo again")).stdout).toBe("again\n");
    await shell.close();
  });

  it("notices a connection that went silent", async () => {
    const shell = new SshShell(access(), clock, { connect: 5000, command: 20_000, keepalive: 500 });
    await shell.run("true");
    sshd.freeze();
    await expect(shell.run("true")).rejects.toMatchObject({ mayHaveRun: true });
    expect((await shell.run("echo again")).stdout).toBe("again\n");
    await shell.close();
  });
});

describe("a connection that breaks in the middle of a change", () => {
  const root = "tank/k8s/broken";
  beforeAll(() => openZfs(site.real).create(root));

  /** Over SSH. The first command like `line` has not answered when the connection is cut: as soon as `happened`. */
  const breaking = (line: RegExp, happened: () => Promise<boolean>): Shell => {
    const inner = new SshShell(access(), clock);
    let isDue = true;
    return {
      run: async (asked) => {
        if (!isDue || !line.test(asked)) return inner.run(asked);
        isDue = false;
        const [answer] = await Promise.allSettled([
          inner.run(`sleep 0.5; ${asked}; sleep 10`),
          until(happened).finally(() => sshd.cut()),
        ]);
        if (answer.status === "rejected") throw answer.reason;
        return answer.value;
      },
      close: () => inner.close(),
    };
  };
  const isThere = async (name: string): Promise<boolean> => (await site.real("zfs", ["list", name])).code === 0;

  it("is looked up: what took effect succeeds, and is not done twice", async () => {
    const shell = breaking(/zfs snapshot/, () => isThere(`${root}@s`));
    const nas = new ZfsNas(shell, options);
    const made = await nas.createSnapshot({ dataset: root, snapshot: "s" });
    expect((await nas.snapshots(root)).map(({ name, guid }) => [name, guid])).toEqual([[made.name, made.guid]]);
    await nas.close();
  });

  it("is looked up: what did not is not known to, and nothing is done blindly", async () => {
    // Nothing arrives, and the client cannot know.
    const shell = breaking(/zfs snapshot/, async () => {
      sshd.freeze();
      return true;
    });
    const asked: string[] = [];
    const run = (line: string) => {
      asked.push(line);
      return shell.run(line);
    };
    const nas = new ZfsNas({ ...shell, run }, options);
    expect(await codeOf(nas.createSnapshot({ dataset: root, snapshot: "t" }))).toBe("NAS_UNREACHABLE");
    expect(asked.filter((line) => line.includes("zfs snapshot"))).toHaveLength(1);
    await nas.close();
  });

  it("succeeds when it destroyed what was to be destroyed", async () => {
    const nas = new ZfsNas(localShell(), options);
    const [snapshot] = await nas.snapshots(root);
    const shell = breaking(/zfs destroy/, async () => !(await isThere(`${root}@s`)));
    const remover = new ZfsRemover(shell, options);
    await remover.destroySnapshot(snapshot!);
    expect(await nas.snapshots(root)).toEqual([]);
    await remover.close();
  });
});
