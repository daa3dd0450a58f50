/**
 * An sshd for each connection to a port of this machine, with keys made for it, and a wire in between that a test can
 * freeze and cut. sshd talks through a pipe: over TCP on the loopback it waits 40 ms for each small packet.
 */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { execBehind, output } from "../../zfs/exec.ts";

export interface Sshd {
  readonly port: number;
  /** Of the user root. */
  readonly privateKey: string;
  /** As in the host's .pub file. */
  readonly hostKey: string;
  /** How many connections were made. */
  readonly connections: number;
  /** Lets nothing through any more on the connections that there are. */
  freeze(): void;
  /** Breaks the connections that there are; new ones are taken. */
  cut(): void;
  close(): Promise<void>;
}

const keyPair = async (file: string): Promise<void> =>
  void (await output(execBehind(), "ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", file]));

const config = (dir: string): string =>
  [
    `HostKey ${dir}/host-key`,
    `AuthorizedKeysFile ${dir}/user-key.pub`,
    "PermitRootLogin prohibit-password",
    "PasswordAuthentication no",
    "UsePAM no",
    "StrictModes no",
    "",
  ].join("\n");

interface Connection {
  freeze(): void;
  cut(): void;
}

const connectionOf = (client: Socket, command: readonly string[]): Connection => {
  const [program = "", ...args] = command;
  const { stdin, stdout } = spawn(program, args, { stdio: ["pipe", "pipe", "ignore"] });
  const cut = (): void => {
    client.destroy();
    stdin.destroy();
    stdout.destroy();
  };
  client.setNoDelay(true);
  client.pipe(stdin);
  stdout.pipe(client);
  // What breaks on one side breaks on the other.
  for (const end of [client, stdin, stdout]) end.on("error", cut);
  client.on("close", cut);
  return {
    cut,
    freeze: () => {
      client.unpipe(stdin);
      stdout.unpipe(client);
    },
  };
};

/** `inside` are the words in front of a command that is to run where sshd runs; keys and configuration go into `dir`. */
export const openSshd = async (inside: readonly string[], dir: string): Promise<Sshd> => {
  await Promise.all(["host-key", "user-key"].map((name) => keyPair(join(dir, name))));
  writeFileSync(join(dir, "sshd.conf"), config(dir));
  const connections: Connection[] = [];
  const cut = (): void => {
    for (const connection of connections) connection.cut();
  };
  const server = createServer((client) => {
    connections.push(connectionOf(client, [...inside, "/usr/sbin/sshd", "-i", "-f", join(dir, "sshd.conf")]));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    privateKey: readFileSync(join(dir, "user-key"), "utf8"),
    hostKey: readFileSync(join(dir, "host-key.pub"), "utf8").trim(),
    get connections() {
      return connections.length;
    },
    freeze: () => {
      for (const connection of connections) connection.freeze();
    },
    cut,
    close: async () => {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
};
