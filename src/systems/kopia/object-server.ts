/**
 * Reads objects of a repository through kopia's own server on the loopback interface: one process for any number of
 * reads, where its command line would need one each.
 */
import type { ChildProcess } from "node:child_process";
import { Failure } from "../../model/failure.ts";
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
    const { address } = await this.#start();
    const answer = await fetch(
      `${address}/api/v1/objects/${objectId}`,
      from === 0 ? {} : { headers: { range: `bytes=${from}-` } },
    );
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
