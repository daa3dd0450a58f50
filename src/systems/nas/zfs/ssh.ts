/** The shell over SSH. The library is loaded with the first command; the private key never touches a disk. */
import type { Client, ConnectConfig, ServerHostKeyAlgorithm } from "ssh2";
import type { Clock } from "../../../context.ts";
import { Failure, messageOf } from "../../../model/failure.ts";
import { type Answer, type Shell, ShellLost } from "./shell.ts";

export interface SshAccess {
  readonly host: string;
  /** 22, as a rule. */
  readonly port: number;
  readonly user: string;
  /** PEM or OpenSSH text, without a passphrase. */
  readonly privateKey: string;
  /** The one key that the NAS may show, as in known_hosts: "ssh-ed25519 AAAA…". Without it nothing is trusted. */
  readonly hostKey: string | undefined;
}

/** ms */
export interface SshLimits {
  readonly connect: number;
  /** From a command's start to its end: destroying a large dataset takes its time. */
  readonly command: number;
  /** Between signs of life; three that are missed end the connection. */
  readonly keepalive: number;
}

const defaultLimits: SshLimits = { connect: 15_000, command: 120_000, keepalive: 10_000 };

/** One connection, made with the first command and again after it broke; one command at a time. */
export class SshShell implements Shell {
  readonly #access: SshAccess;
  readonly #clock: Clock;
  readonly #limits: SshLimits;
  #client: Client | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(access: SshAccess, clock: Clock, limits = defaultLimits) {
    this.#access = access;
    this.#clock = clock;
    this.#limits = limits;
  }

  run(line: string): Promise<Answer> {
    const work = (): Promise<Answer> => this.#run(line);
    const mine = this.#last.then(work, work);
    this.#last = mine;
    return mine;
  }

  async close(): Promise<void> {
    this.#client?.destroy();
    this.#client = undefined;
  }

  async #run(line: string): Promise<Answer> {
    const client = (this.#client ??= await this.#connect());
    const over = new AbortController();
    let isLate = false;
    const late = this.#clock.sleep(this.#limits.command, over.signal).then(
      () => {
        isLate = true;
        return client.destroy();
      },
      // Aborted: it has ended in time.
      () => undefined,
    );
    try {
      return await execute(client, line);
    } catch (error) {
      if (isLate) throw new ShellLost(`no answer within ${this.#limits.command / 1000} s`, true, error);
      throw error;
    } finally {
      over.abort();
      await late;
    }
  }

  async #connect(): Promise<Client> {
    const { Client } = await import("ssh2");
    const client = new Client();
    let shown: string | undefined;
    const see = (key: string): boolean => {
      shown = key;
      return key === pinnedKey(this.#access.hostKey);
    };
    return await new Promise((resolve, reject) => {
      const refuse = (error: unknown): void => reject(connectionFailure(error, this.#access, shown));
      // It stays: an error of a connection that nobody uses just now must not end the process. Its close follows.
      client.on("error", refuse);
      client.once("close", () => {
        if (this.#client === client) this.#client = undefined;
        refuse(new Error("the connection was closed"));
      });
      // A command is several small packets each way; without this each waits for the one before to be confirmed.
      client.once("ready", () => resolve(client.setNoDelay(true)));
      try {
        client.connect(this.#config(see));
      } catch (error) {
        reject(keyFailure(error, this.#access));
      }
    });
  }

  #config(see: (key: string) => boolean): ConnectConfig {
    const { host, port, user: username, privateKey, hostKey } = this.#access;
    const { connect: readyTimeout, keepalive: keepaliveInterval } = this.#limits;
    const serverHostKey = algorithmsOf(pinnedKey(hostKey));
    return {
      host,
      port,
      username,
      privateKey,
      readyTimeout,
      keepaliveInterval,
      keepaliveCountMax: 3,
      hostVerifier: (key: Buffer) => see(publicKey(key)),
      ...(serverHostKey === undefined ? {} : { algorithms: { serverHostKey } }),
    };
  }
}

/** Runs one command. Throws `ShellLost` when the connection breaks before it has ended. */
const execute = (client: Client, line: string): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const lose = (error: unknown, mayHaveRun: boolean): void => {
      client.off("close", broken);
      // Whatever is wrong with it, the next command gets a new one.
      client.destroy();
      reject(new ShellLost(messageOf(error), mayHaveRun, error));
    };
    const broken = (): void => lose(new Error("the connection broke"), true);
    client.once("close", broken);
    try {
      client.exec(line, (error, stream) => {
        if (error !== undefined) return lose(error, !wasRefused(error));
        const answer = { stdout: "", stderr: "" };
        let code: number | undefined;
        stream.setEncoding("utf8").on("data", (text: string) => (answer.stdout += text));
        stream.stderr.setEncoding("utf8").on("data", (text: string) => (answer.stderr += text));
        // Without a status it was killed, and nobody knows how far it came.
        stream.on("exit", (status: number | null) => (code = status ?? undefined));
        stream.on("close", () => {
          if (code === undefined) return broken();
          client.off("close", broken);
          resolve({ code, ...answer });
        });
        stream.end();
      });
    } catch (error) {
      lose(error, false);
    }
  });

/** The NAS opened no channel, or no command in it: nothing has run. */
const wasRefused = (error: Error): boolean => "reason" in error || error.message.startsWith("Unable to exec");

/** "ssh-ed25519 AAAA…" of a key as the protocol sends it: its type comes first, after its length. */
const publicKey = (key: Buffer): string =>
  `${key.subarray(4, 4 + key.readUInt32BE(0)).toString("ascii")} ${key.toString("base64")}`;

/** Type and key of a line of known_hosts or of a .pub file, without hosts and comment. */
const pinnedKey = (line: string | undefined): string | undefined =>
  /(?:^|\s)((?:ssh|ecdsa|sk)-\S+ +[A-Za-z0-9+/]+=*)(?:\s|$)/.exec(line ?? "")?.[1]?.replace(/ +/, " ");

/** The NAS may have keys of several types; only the pinned one helps. */
const algorithmsOf = (pinned: string | undefined): ServerHostKeyAlgorithm[] | undefined => {
  const type = pinned?.split(" ")[0];
  if (type === "ssh-rsa") return ["rsa-sha2-512", "rsa-sha2-256"];
  return type === undefined ? undefined : [type as ServerHostKeyAlgorithm];
};

/** ssh2 says at which level a connection ended. */
const levelOf = (error: unknown): string | undefined => (error as { readonly level?: string }).level;

const connectionFailure = (error: unknown, { host, port, user, hostKey }: SshAccess, shown?: string): Failure => {
  const where = `${host}:${port}`;
  const why = messageOf(error);
  if (/Host denied|no matching host key/.test(why)) {
    const pinned = pinnedKey(hostKey);
    return new Failure("NAS_UNTRUSTED", {
      what: `The host key of ${where} is not the one that is trusted.`,
      why: [
        shown === undefined ? "it has none of the trusted key's type" : `it shows "${shown}"`,
        pinned === undefined ? "nas.hostKey holds no public key" : `nas.hostKey is "${pinned}"`,
      ].join(", and "),
      todo: "Compare it with /etc/ssh/ssh_host_*_key.pub on the NAS itself, and put the right one into nas.hostKey. If it changed without your doing, somebody may sit in between.",
      cause: error,
    });
  }
  if (levelOf(error) === "client-authentication")
    return new Failure("NAS_UNAUTHORIZED", { what: `${where} does not let "${user}" in.`, why, cause: error });
  return new Failure("NAS_UNREACHABLE", { what: `${where} does not answer.`, why, cause: error });
};

/** What ssh2 throws at once is about the private key; its texts hold nothing of it. */
const keyFailure = (error: unknown, { user }: SshAccess): Failure =>
  new Failure("NAS_UNAUTHORIZED", {
    what: `The key of "${user}" is no private key that can be used.`,
    why: messageOf(error),
    todo: "nas.key must lead to a private key in OpenSSH's or PEM format, without a passphrase.",
    cause: error,
  });
