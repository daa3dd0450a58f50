/** `zfs` and `zpool` on a NAS: what is asked may be asked again, what changes is never repeated blindly. */
import { Failure, isFailure } from "../../../model/failure.ts";
import { zfsFailure } from "./failures.ts";
import { commandLine } from "./quoting.ts";
import { type Answer, type Shell, ShellLost } from "./shell.ts";

/**
 * A session without a login has a short PATH, on Debian without sbin. And error texts are matched, so they must not be
 * translated.
 */
const environment = ["env", "LC_ALL=C", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"] as const;

/** Linux gives one argument of a program, so also a shell's line, 128 KiB. */
const longestLine = 120_000;

/** A command that changes something. */
export interface Change {
  readonly words: readonly string[];
  /** Continues "The NAS could not ". */
  readonly doing: string;
  /** Looks whether it took effect; asked when the answer is lost, or it was forbidden. */
  readonly isDone: () => Promise<boolean>;
}

export class Commands {
  readonly #shell: Shell;

  constructor(shell: Shell) {
    this.#shell = shell;
  }

  /** Asks, and once more when the answer is lost. Throws NAS_UNREACHABLE. */
  async ask(words: readonly string[]): Promise<Answer> {
    try {
      return await this.#run(words);
    } catch (error) {
      if (!(error instanceof ShellLost)) throw error;
    }
    return await this.#runOrFail(words);
  }

  /** What a question prints. Throws what the NAS says. */
  async read(words: readonly string[], doing: string): Promise<string> {
    const answer = await this.ask(words);
    if (answer.code !== 0) throw zfsFailure(doing, answer);
    return answer.stdout;
  }

  /**
   * Makes a change, as the user or, where only root may mount, through sudo. A lost answer is looked up: this succeeds
   * when the change is there, and throws NAS_UNREACHABLE when it is not, since the command may be running still.
   */
  async change(change: Change): Promise<void> {
    try {
      await this.#changeAs([], change);
    } catch (error) {
      // A clone that could not be mounted is refused too, and there: nothing is begun a second time.
      if (!isFailure(error, "NAS_FORBIDDEN") || (await change.isDone())) throw error;
      await this.#changeAs(["sudo", "-n"], change).catch((again: unknown) => {
        // Without sudo, what the user lacks is the answer.
        throw isFailure(again, "NAS_FORBIDDEN", "NAS_UNSUPPORTED") ? error : again;
      });
    }
  }

  async close(): Promise<void> {
    await this.#shell.close();
  }

  async #changeAs(prefix: readonly string[], { words, doing, isDone }: Change): Promise<void> {
    let answer: Answer;
    try {
      answer = await this.#run([...prefix, ...words]);
    } catch (error) {
      if (!(error instanceof ShellLost)) throw error;
      if (!error.mayHaveRun) answer = await this.#runOrFail([...prefix, ...words]);
      else if (await isDone()) return;
      else throw unreachable(error, `It is not known whether the NAS did what was asked: ${doing}.`);
    }
    if (answer.code !== 0) throw zfsFailure(doing, answer);
  }

  async #runOrFail(words: readonly string[]): Promise<Answer> {
    try {
      return await this.#run(words);
    } catch (error) {
      if (error instanceof ShellLost) throw unreachable(error, "The connection to the NAS broke.");
      throw error;
    }
  }

  async #run(words: readonly string[]): Promise<Answer> {
    const line = commandLine([...environment, ...words]);
    if (Buffer.byteLength(line) > longestLine)
      throw new Failure("NAS_REFUSED", {
        what: "A command for the NAS would be too long.",
        why: `it names so much that it has ${Buffer.byteLength(line)} bytes, and ${longestLine} are taken`,
        todo: "Exclude less, or snapshot a smaller part of the tree.",
      });
    return await this.#shell.run(line);
  }
}

const unreachable = (error: ShellLost, what: string): Failure =>
  new Failure("NAS_UNREACHABLE", { what, why: error.message, cause: error });
