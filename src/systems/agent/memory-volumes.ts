/**
 * Volumes in memory, as trees of content ids, and the agent's program that works on them: the companion of
 * `MemoryAgents`, for histories of operations that are judged by content.
 *
 *   const volumes = new MemoryVolumes();
 *   const agents = new MemoryAgents(volumes.script);
 *   volumes.write("media/sonarr", "content-1");
 *   volumes.copies.set("snap-1", "content-2");
 *   volumes.onChange(({ number }) => (number === 3 ? "pod-dies" : undefined));
 *
 * The states, their order and what decides are those of `src/agent/`; `memory-volumes.test.ts` runs both on the same
 * jobs. What is only partly there (an interrupted move or restore) reads as `part of content-1`.
 */
import { Failure } from "../../model/failure.ts";
import { MemoryRun, PodDied } from "./memory-run.ts";
import type { SeenDirectory } from "../../agent/lines.ts";
import type { AgentScript } from "./memory.ts";
import type { AgentTask } from "./port.ts";

/**
 * How a run is cut off. "pod-dies": nothing is put back, and `run` throws AGENT_FAILED. "both-die": the process that
 * called is gone too, so that `run` never returns. "caller-dies": `run` never returns and says nothing more, but the
 * pod works on to its end.
 */
export type Fate = "pod-dies" | "both-die" | "caller-dies";

/** A change that is about to be made. */
export interface VolumeChange {
  readonly task: AgentTask;
  readonly volume: string;
  /** "aside op1", "restore", … for messages. */
  readonly what: string;
  /** 1 for the first change since `onChange`. */
  readonly number: number;
}

export type ChangeHook = (change: VolumeChange) => Fate | undefined;

/** A directory of ours in a volume. */
export interface Directory {
  readonly state: SeenDirectory["state"];
  readonly content: string;
}

/** What lies in a volume. */
export interface Tree {
  root: string;
  readonly directories: Map<string, Directory>;
}

const forever = (): Promise<never> => new Promise<never>(() => undefined);

/** Bytes of every content, and of every volume, when the test has named none. */
const contentBytes = 1000;
const volumeBytes = 1_000_000;

export class MemoryVolumes {
  /** Content ids of copies, by snapshot id. */
  readonly copies = new Map<string, string>();
  /** Bytes of contents and of volumes, where they matter. */
  readonly contentSizes = new Map<string, number>();
  readonly volumeSizes = new Map<string, number>();
  readonly #trees = new Map<string, Tree>();
  #hook: ChangeHook = () => undefined;
  #changes = 0;
  #onEnd: (task: AgentTask) => void = () => undefined;

  /** The program in the pod; for `new MemoryAgents(volumes.script)`. */
  readonly script: AgentScript = async (task, say, signal) => {
    const run = new MemoryRun(this, task, { say, signal });
    try {
      await run.job();
      this.#onEnd(task);
    } catch (error) {
      this.#onEnd(task);
      if (!run.heard) return forever();
      if (!(error instanceof PodDied)) throw error;
      throw new Failure("AGENT_FAILED", { what: "The pod ended without a result." });
    }
    return run.heard ? undefined : forever();
  };

  /** Makes the volume, or changes it as its app would. */
  write(volume: string, content: string): void {
    const tree = this.#trees.get(volume);
    if (tree === undefined) this.#trees.set(volume, { root: content, directories: new Map() });
    else tree.root = content;
  }

  /** What lies in the root: a content id, `part of` one, or nothing (""). */
  content(volume: string): string | undefined {
    return this.#trees.get(volume)?.root;
  }

  /** Contents that wait for undo or expiry, by operation. */
  kept(volume: string): ReadonlyMap<string, string> {
    return this.#inState(volume, (state) => state === "kept");
  }

  /** Contents of unfinished operations, by operation: what must be mended, or removed. */
  unfinished(volume: string): ReadonlyMap<string, string> {
    return this.#inState(volume, (state) => state !== "kept");
  }

  /** Sees every change before it is made, counted from now, and may end the run there. */
  onChange(hook: ChangeHook): void {
    this.#hook = hook;
    this.#changes = 0;
  }

  /** Told when the program in a pod has ended, whether or not anybody who called it lives. */
  onEnd(hook: (task: AgentTask) => void): void {
    this.#onEnd = hook;
  }

  #inState(volume: string, wanted: (state: Directory["state"]) => boolean): ReadonlyMap<string, string> {
    const directories = [...(this.#trees.get(volume)?.directories ?? [])];
    return new Map(
      directories.filter(([, { state }]) => wanted(state)).map(([operation, { content }]) => [operation, content]),
    );
  }

  // For the runs.

  tree(volume: string): Tree | undefined {
    return this.#trees.get(volume);
  }

  /** COPY_MISSING when there is none. */
  copy(snapshotId: string): string {
    const content = this.copies.get(snapshotId);
    if (content !== undefined) return content;
    throw new Failure("COPY_MISSING", { what: `The kopia snapshot ${snapshotId} is not in its repository.` });
  }

  bytesOf(content: string): number {
    return content === "" ? 0 : (this.contentSizes.get(content) ?? contentBytes);
  }

  bytesIn(volume: string): number {
    return this.volumeSizes.get(volume) ?? volumeBytes;
  }

  free(volume: string, tree: Tree): number {
    const directories = [...tree.directories.values()];
    const used = directories.reduce((sum, { content }) => sum + this.bytesOf(content), this.bytesOf(tree.root));
    return this.bytesIn(volume) - used;
  }

  fateBefore(change: Omit<VolumeChange, "number">): Fate | undefined {
    this.#changes += 1;
    return this.#hook({ ...change, number: this.#changes });
  }
}
