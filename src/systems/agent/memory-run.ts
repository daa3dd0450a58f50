/** One run of the agent's program on volumes in memory; see `memory-volumes.ts`. */
import type { DiscardJob, MountedVolume, ReplaceJob, SwapJob } from "../../agent/job.ts";
import type { AgentLine, SeenDirectory, TreeSize } from "../../agent/lines.ts";
import { Failure } from "../../model/failure.ts";
import type { Directory, MemoryVolumes, Tree } from "./memory-volumes.ts";
import type { AgentTask } from "./port.ts";

interface Target {
  readonly volume: string;
  readonly tree: Tree;
}

/** The pod is dead: nothing of it may run on, not even what undoes. */
export class PodDied extends Error {}

const partOf = (content: string): string => (content === "" ? "" : `part of ${content}`);

export class MemoryRun {
  readonly #task: AgentTask;
  readonly #say: (line: AgentLine) => void;
  readonly #signal: AbortSignal;
  readonly #volumes: MemoryVolumes;
  /** False from the moment when the process that called is gone. */
  heard = true;

  constructor(
    volumes: MemoryVolumes,
    task: AgentTask,
    { say, signal }: { say: (line: AgentLine) => void; signal: AbortSignal },
  ) {
    this.#volumes = volumes;
    this.#task = task;
    this.#say = say;
    this.#signal = signal;
  }

  async job(): Promise<void> {
    const { job } = this.#task;
    if (job.kind === "check") throw new Error("MemoryVolumes checks no copies: play another script for that.");
    const targets = job.targets.map((target) => this.#open(target));
    if (job.kind === "look") for (const target of targets) this.#look(target);
    else if (job.kind === "discard") await this.#discard(job, targets);
    else if (job.kind === "replace") await this.#replace(job, targets);
    else if (job.kind === "swap") await this.#swap(job, targets);
    else await this.#mend(targets);
  }

  #open({ volume }: MountedVolume): Target {
    const tree = this.#volumes.tree(volume);
    if (tree !== undefined) return { volume, tree };
    throw new Failure("TARGET_UNUSABLE", { what: `The claim ${volume} is not bound to a volume.` });
  }

  #speak(line: AgentLine): void {
    if (this.heard) this.#say(line);
  }

  /** Every change goes through here: between two of them a run can be cut off. */
  async #change({ volume }: Target, what: string, make: () => void): Promise<void> {
    await Promise.resolve();
    const fate = this.#volumes.fateBefore({ task: this.#task, volume, what });
    if (fate === "both-die" || fate === "caller-dies") this.heard = false;
    if (fate === "both-die" || fate === "pod-dies") throw new PodDied();
    make();
  }

  #become(target: Target, operation: string, directory: Directory, root = target.tree.root): Promise<void> {
    return this.#change(target, `${directory.state} ${operation}`, () => {
      target.tree.root = root;
      target.tree.directories.set(operation, directory);
    });
  }

  #vanish(target: Target, operation: string): Promise<void> {
    return this.#change(target, `remove ${operation}`, () => void target.tree.directories.delete(operation));
  }

  #write(target: Target, root: string): Promise<void> {
    return this.#change(target, "restore", () => void (target.tree.root = root));
  }

  async #replace(job: ReplaceJob, targets: readonly Target[]): Promise<void> {
    const { operation, keep } = job;
    const wanted = job.targets.map(({ snapshotId }) => this.#volumes.copy(snapshotId));
    const decided = keep ? "kept" : "discard";
    if (!(await this.#isFinished(targets, operation, decided))) {
      this.#speak({ type: "touching" });
      await this.#orBack(targets, async () => {
        if (job.part !== "after") await this.#makeRoom(targets, operation, wanted);
        if (job.part === "whole") await this.#restore(targets, wanted);
        if (job.part === "before") return;
        for (const [index, { tree, volume }] of targets.entries())
          if (tree.root !== wanted[index])
            throw new Failure("VERIFICATION_FAILED", {
              what: `What was restored into ${volume} differs from its copy.`,
            });
      });
      if (job.part === "before") return;
      await this.#decide(targets, operation, decided);
    }
    for (const { volume, tree } of targets)
      this.#speak({ type: "replaced", result: this.#resultOf(volume, tree.root) });
  }

  async #makeRoom(targets: readonly Target[], operation: string, wanted: readonly string[]): Promise<void> {
    await this.#mend(targets);
    for (const [index, { tree, volume }] of targets.entries())
      if (this.#volumes.free(volume, tree) < this.#volumes.bytesOf(wanted[index] ?? ""))
        throw new Failure("TARGET_TOO_SMALL", { what: `The copy does not fit into ${volume}.` });
    for (const target of targets) {
      await this.#setAside(target, operation);
      this.#signal.throwIfAborted();
    }
  }

  async #restore(targets: readonly Target[], wanted: readonly string[]): Promise<void> {
    for (const [index, target] of targets.entries()) {
      await this.#write(target, partOf(wanted[index] ?? ""));
      this.#signal.throwIfAborted();
      await this.#write(target, wanted[index] ?? "");
    }
  }

  async #swap({ operation, kept }: SwapJob, targets: readonly Target[]): Promise<void> {
    if (await this.#isFinished(targets, operation, "kept")) return;
    await this.#mend(targets);
    for (const { tree, volume } of targets)
      if (tree.directories.get(kept)?.state !== "kept")
        throw new Failure("OPERATION_NOT_UNDOABLE", { what: `${volume} holds nothing that ${kept} has kept.` });
    this.#speak({ type: "touching" });
    await this.#orBack(targets, async () => {
      for (const target of targets) await this.#setAside(target, operation);
      this.#signal.throwIfAborted();
      for (const target of targets) {
        const { content } = target.tree.directories.get(kept) ?? { content: "" };
        await this.#become(target, kept, { state: "returning", content });
        await this.#become(target, kept, { state: "returning", content }, partOf(content));
        await this.#become(target, kept, { state: "returning", content }, content);
      }
    });
    await this.#decide(targets, operation, "kept");
  }

  async #setAside(target: Target, operation: string): Promise<void> {
    const content = target.tree.root;
    await this.#become(target, operation, { state: "fresh", content: "" });
    await this.#become(target, operation, { state: "moving", content });
    await this.#become(target, operation, { state: "moving", content }, partOf(content));
    await this.#become(target, operation, { state: "aside", content }, "");
  }

  /** Runs what can be undone; a failure undoes it, a death does not. */
  async #orBack(targets: readonly Target[], work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (error instanceof PodDied) throw error;
      await this.#mend(targets);
      this.#speak({ type: "as-before" });
      if (this.#signal.aborted) throw new Failure("INTERRUPTED", { what: "The agent was told to stop." });
      throw error;
    }
  }

  /** Finishes what an earlier run has decided. False when nothing was. */
  async #isFinished(targets: readonly Target[], operation: string, decided: "kept" | "discard"): Promise<boolean> {
    if (targets.every(({ tree }) => tree.directories.get(operation)?.state !== decided)) return false;
    await this.#decide(targets, operation, decided);
    return true;
  }

  /** The first rename decides for all. */
  async #decide(targets: readonly Target[], operation: string, decided: "kept" | "discard"): Promise<void> {
    for (const target of targets) {
      const directory = target.tree.directories.get(operation);
      if (directory?.state === "aside") await this.#become(target, operation, { ...directory, state: decided });
      if (target === targets[0]) this.#speak({ type: "decided" });
    }
    for (const target of targets) {
      const directories = [...target.tree.directories];
      // Beside an aside what is returning belongs to an exchange that nobody has decided.
      if (directories.some(([, { state }]) => state === "aside")) continue;
      for (const [other, { state }] of directories)
        if (state === "returning" || state === "discard") await this.#vanish(target, other);
    }
  }

  /** Puts back what is unfinished, or finishes it where another volume of the job shows that it was decided. */
  async #mend(targets: readonly Target[]): Promise<void> {
    const operations = new Set(targets.flatMap(({ tree }) => [...tree.directories.keys()]));
    for (const operation of operations)
      for (const decided of ["kept", "discard"] as const) await this.#isFinished(targets, operation, decided);
    for (const target of targets) await this.#putBack(target);
  }

  async #putBack(target: Target): Promise<void> {
    const { tree } = target;
    for (const [operation, directory] of tree.directories)
      if (directory.state === "returning") {
        await this.#become(target, operation, directory, partOf(tree.root));
        await this.#become(target, operation, { ...directory, state: "kept" }, "");
      }
    for (const [operation, { state, content }] of tree.directories) {
      if (state === "aside") await this.#become(target, operation, { state, content }, partOf(tree.root));
      if (state === "aside") await this.#become(target, operation, { state: "moving", content }, "");
      if (state === "aside" || state === "moving")
        await this.#become(target, operation, { state: "fresh", content: "" }, content);
      if (state !== "kept") await this.#vanish(target, operation);
    }
  }

  async #discard({ operations }: DiscardJob, targets: readonly Target[]): Promise<void> {
    for (const target of targets)
      for (const operation of operations) {
        const directory = target.tree.directories.get(operation);
        if (directory?.state !== "kept" && directory?.state !== "discard") continue;
        await this.#become(target, operation, { ...directory, state: "discard" });
        await this.#vanish(target, operation);
        const bytes = this.#volumes.bytesOf(directory.content);
        this.#speak({ type: "discarded", volume: target.volume, operation, bytes });
      }
  }

  #look({ volume, tree }: Target): void {
    const size = (content: string): TreeSize => ({
      entries: content === "" ? 0 : 1,
      bytes: this.#volumes.bytesOf(content),
    });
    const ours = [...tree.directories].map(([operation, { state, content }]): SeenDirectory =>
      Object.assign({ operation, state }, size(content)),
    );
    const totalBytes = this.#volumes.bytesIn(volume);
    const freeBytes = this.#volumes.free(volume, tree);
    this.#speak({ type: "seen", seen: { volume, totalBytes, freeBytes, present: size(tree.root), ours } });
  }

  #resultOf(volume: string, content: string) {
    const bytes = this.#volumes.bytesOf(content);
    return { volume, files: 1, directories: 0, symlinks: 0, bytes, databases: 0, notKept: [] };
  }
}
