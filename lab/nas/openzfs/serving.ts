/**
 * How a machine gets the front's `zfs` and `zpool`: two small programs that hand their words to one process over a socket,
 * so that a command does not wait for a Node.js of its own.
 */
import { chmodSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import type { Execution } from "../../zfs/exec.ts";
import type { OpenZfsFront } from "./front.ts";

/** Its own name and its words, with NULs between them; back come code, length of standard output, both outputs. */
const program = (socket: string): string => `#!/usr/bin/perl
use strict; use warnings; use IO::Socket::UNIX;
my ($name) = $0 =~ m{([^/]+)$};
my $nas = IO::Socket::UNIX->new(Peer => "${socket}") or die "the front of OpenZFS does not answer: $!\\n";
print $nas join("\\0", $name, @ARGV);
$nas->flush; $nas->shutdown(1);
my $answer = do { local $/; <$nas> };
my ($code, $length, $rest) = split /\\n/, $answer // "", 3;
defined $rest or die "the front of OpenZFS ended\\n";
print substr($rest, 0, $length); print STDERR substr($rest, $length);
exit $code;
`;

/** Puts the programs into a folder of the machine that is to have them. */
export const installPrograms = (folder: string, socket: string): void => {
  for (const name of ["zfs", "zpool"]) {
    writeFileSync(join(folder, name), program(socket));
    chmodSync(join(folder, name), 0o755);
  }
};

const encode = ({ code, stdout, stderr }: Execution): string =>
  `${code}\n${Buffer.byteLength(stdout)}\n${stdout}${stderr}`;

/** Everything until the other side has said all. An iterator over the socket would close it too. */
const wordsOf = (socket: Socket): Promise<readonly string[]> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", reject);
    socket.on("end", () => resolve(Buffer.concat(chunks).toString("utf8").split("\0")));
  });

const answer = async (front: OpenZfsFront, socket: Socket): Promise<void> => {
  const [name = "", ...args] = await wordsOf(socket);
  socket.end(encode(await front.run(name, args)));
};

/** Serves the programs. The function that it gives ends that. */
export const serveFront = async (front: OpenZfsFront, socketFile: string): Promise<() => Promise<void>> => {
  // The end of the words is not the end of the connection.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    answer(front, socket).catch((error: unknown) => {
      socket.end(encode({ code: 70, stdout: "", stderr: `defect of the lab: ${String(error)}\n` }));
    });
  });
  await new Promise<void>((resolve) => server.listen(socketFile, resolve));
  return () => new Promise((resolve) => server.close(() => resolve()));
};
