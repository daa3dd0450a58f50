/**
 * Reads objects of a repository through kopia's own server on the loopback interface: one process for any number of
 * reads, where its command line would need one each.
 */
import type { ChildProcess } from "node:child_process";
import { Failure, messageOf } from "../../model/failure.ts";
import { kopiaFailure } from "./failures.ts";
import type { KopiaProgram } from "./program.ts";

export class ObjectServer {
  readonly #program: KopiaProgram;
  #started: Promise<{ readonly child: ChildProcess; readonly address: string }> | undefined;

  constructor(program: KopiaProgram) {
    this.#program = program;
  }

  /** The object's content as it arrives. COPY_MISSING or COPY_CORRUPT when it cannot be read to its end. */
  async *read(objectId: string, from = 0): AsyncIterable<Uint8Array> {
    const answer = await this.#ask(objectId, from);
    if (!answer.ok || answer.body === null) {
      throw new Failure(answer.status === 404 ? "COPY_MISSING" : "COPY_CORRUPT", {
        what: `kopia cannot read the object ${objectId}.`,
        why: `${answer.status} ${(await answer.text()).trim().slice(0, 200)}`,
      });
    }
    try {
      yield* answer.body;
    } catch (error) {
      throw new Failure("COPY_CORRUPT", {
        what: `The object ${objectId} could not be read to its end.`,
        why: error instanceof Error ? error.message : String(error),
        cause: error,
      });
    }
  }

  /**
   * kopia breaks the connection off, without an answer, where an object's first block is not in the store: with the server
   * alive that is said of the object, at the second time; the first may have met a connection that another read ended.
   */
  async #ask(objectId: string, from: number): Promise<Response> {
    const { child, address } = await this.#start();
    for (let tried = 1; ; tried += 1) {
      try {
        return await fetch(
          `${address}/api/v1/objects/${objectId}`,
          from === 0 ? {} : { headers: { range: `bytes=${from}-` } },
        );
      } catch (error) {
        if (child.exitCode !== null || child.signalCode !== null)
          throw kopiaFailure("serve the repository's objects", `it ended: ${child.signalCode ?? child.exitCode}`);
        if (tried === 2)
          throw new Failure("COPY_CORRUPT", {
            what: `kopia cannot read the object ${objectId}.`,
            why: `it breaks off: ${messageOf((error as Error).cause ?? error)}`,
            cause: error,
          });
      }
    }
  }

  /** A small object as text: a directory, a link's target. */
  async text(objectId: string): Promise<string> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.read(objectId)) chunks.push(chunk);
    return Buffer.concat(chunks).toString("utf8");
  }

  async close(): Promise<void> {
    const started = this.#started;
    this.#started = undefined;
    if (started !== undefined) await this.#program.end((await started).child);
  }

  #start(): Promise<{ readonly child: ChildProcess; readonly address: string }> {
    this.#started ??= this.#launch();
    return this.#started;
  }

  async #launch(): Promise<{ readonly child: ChildProcess; readonly address: string }> {
    const child = this.#program.start([
      // It listens in the network namespace of the agent's pod, where nobody else is.
      "server",
      "start",
      "--address=http://127.0.0.1:0",
      "--insecure",
      "--without-password",
      "--no-grpc",
      "--no-control-api",
    ]);
    child.stdout?.resume();
    const address = await new Promise<string>((resolve, reject) => {
      let text = "";
      child.once("error", reject);
      child.once("close", () => reject(kopiaFailure("serve the repository's objects", text)));
      child.stderr?.setEncoding("utf8").on("data", (more: string) => {
        if (text.length > 20_000) return;
        text += more;
        const found = /SERVER ADDRESS: (\S+)/.exec(text)?.[1];
        if (found !== undefined) resolve(found);
      });
    });
    return { child, address };
  }
}
