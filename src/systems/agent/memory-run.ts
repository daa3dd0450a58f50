/** One run of the agent's program on volumes in memory; see `memory-volumes.ts`. */
import type { ClearJob, DiscardJob, MountedVolume, ReplaceJob, SwapJob } from "../../agent/job.ts";
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

const isDecision = (directory: Directory | undefined): boolean =>
  directory?.state === "kept" || directory?.state === "discard";

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
    else if (job.kind === "clear") await this.#clear(job, targets);
    else if (job.kind === "replace") await this.#replace(job, targets);
    else if (job.kind === "swap") await this.#swap(job, targets);
    else {
      if (this.#isDecided(targets, job.operation)) this.#speak({ type: "decided" });
      await this.#mend(targets);
    }
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
    const { operation } = job;
    if (!(await this.#wasDecided(targets, operation))) {
      const wanted = job.targets.map(({ snapshotId }) => this.#volumes.copy(snapshotId));
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
      await this.#decideAll(targets, operation);
    }
    for (const { volume, tree } of targets) {
      this.#speak({ type: "replaced", result: this.#resultOf(volume, tree.root) });
      this.#tellKept(volume, tree, operation);
    }
  }

  #tellKept(volume: string, tree: Tree, operation: string): void {
    const { content = "" } = tree.directories.get(operation) ?? {};
    this.#speak({ type: "kept", volume, bytes: this.#volumes.bytesOf(content) });
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

  async #clear(job: ClearJob, targets: readonly Target[]): Promise<void> {
    const wanted = job.targets.map(({ snapshotId }) => this.#volumes.copy(snapshotId));
    for (const [index, { tree, volume }] of targets.entries()) {
      const room = this.#volumes.free(volume, tree) + this.#volumes.bytesOf(tree.root);
      if (job.part === "prove" && room < this.#volumes.bytesOf(wanted[index] ?? ""))
        throw new Failure("TARGET_TOO_SMALL", { what: `The copy does not fit into ${volume}.` });
    }
    if (job.part === "prove") return;
    await this.#mend(targets);
    for (const target of targets) {
      this.#speak({ type: "touching" });
      await this.#write(target, partOf(target.tree.root));
      this.#signal.throwIfAborted();
      await this.#write(target, "");
    }
  }

  async #swap({ operation, kept }: SwapJob, targets: readonly Target[]): Promise<void> {
    if (await this.#wasDecided(targets, operation)) return;
    this.#refuseWithoutKept(targets, kept, ["kept", "returning"]);
    this.#speak({ type: "touching" });
    await this.#orBack(targets, async () => {
      await this.#mend(targets);
      this.#refuseWithoutKept(targets, kept, ["kept"]);
      for (const target of targets) await this.#setAside(target, operation);
      this.#signal.throwIfAborted();
      for (const target of targets) {
        const { content } = target.tree.directories.get(kept) ?? { content: "" };
        await this.#become(target, kept, { state: "returning", content });
        await this.#become(target, kept, { state: "returning", content }, partOf(content));
        await this.#become(target, kept, { state: "returning", content }, content);
      }
    });
    await this.#decideAll(targets, operation);
    for (const { volume, tree } of targets) this.#tellKept(volume, tree, operation);
  }

  #refuseWithoutKept(targets: readonly Target[], kept: string, states: readonly string[]): void {
    for (const { tree, volume } of targets)
      if (!states.includes(tree.directories.get(kept)?.state ?? ""))
        throw new Failure("OPERATION_NOT_UNDOABLE", { what: `${volume} holds nothing that ${kept} has kept.` });
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
      for (const target of targets) await this.#putBack(target);
      this.#speak({ type: "as-before" });
      if (this.#signal.aborted) throw new Failure("INTERRUPTED", { what: "The agent was told to stop." });
      throw error;
    }
  }

  #isDecided(targets: readonly Target[], operation: string): boolean {
    return targets.some(({ tree }) => isDecision(tree.directories.get(operation)));
  }

  /** Finishes this operation when an earlier run has decided it. False when none has. */
  async #wasDecided(targets: readonly Target[], operation: string): Promise<boolean> {
    if (!this.#isDecided(targets, operation)) return false;
    this.#speak({ type: "decided" });
    await this.#finishDecided(targets);
    return true;
  }

  /** The first volume decides for all. */
  async #decideAll(targets: readonly Target[], operation: string): Promise<void> {
    for (const [index, target] of targets.entries()) {
      const directory = target.tree.directories.get(operation);
      if (directory?.state === "aside") await this.#become(target, operation, { ...directory, state: "kept" });
      if (index === 0) this.#speak({ type: "decided" });
    }
    for (const target of targets) await this.#settle(target);
  }

  async #finishDecided(targets: readonly Target[]): Promise<void> {
    const decisions = new Map(
      targets.flatMap(({ tree }) => [...tree.directories].filter(([, directory]) => isDecision(directory))),
    );
    for (const target of targets)
      for (const [operation, directory] of target.tree.directories) {
        const decided = decisions.get(operation)?.state;
        if (directory.state === "aside" && decided !== undefined)
          await this.#become(target, operation, { ...directory, state: decided });
      }
    for (const target of targets) await this.#settle(target);
  }

  /** Beside an aside what is returning belongs to an exchange that nobody has decided. */
  async #settle(target: Target): Promise<void> {
    const directories = [...target.tree.directories];
    if (directories.some(([, { state }]) => state === "aside" || state === "moving")) return;
    for (const [operation, { state }] of directories) if (state !== "kept") await this.#vanish(target, operation);
  }

  /** What was decided anywhere is finished everywhere, the rest is put back. */
  async #mend(targets: readonly Target[]): Promise<void> {
    await this.#finishDecided(targets);
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
    await this.#finishDecided(targets);
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
