/**
 * The step that replaces volumes' files by copies. An agent does it next to the data; what was there is kept inside the
 * volume (ADR 0007), and going back exchanges the two.
 */
import { z } from "zod";
import type { AgentJob } from "../../agent/job.ts";
import type { AgentLine, ReplacedVolume, SeenVolume } from "../../agent/lines.ts";
import type { Json, SetAside } from "../../model/plan.ts";
import type { Presence, StepContext, StepKind } from "../../operation/step-kind.ts";
import { mountedOf, mountsOf } from "../movers/replacement.ts";
import { type FilesInput, filesInput } from "./files-input.ts";
import { type OnVolumes, runAlone, tell, undisturbed, untilFree } from "./on-volumes.ts";

const replaced: z.ZodType<ReplacedVolume> = z.object({
  volume: z.string(),
  files: z.number(),
  directories: z.number(),
  symlinks: z.number(),
  bytes: z.number(),
  databases: z.number(),
  notKept: z.array(z.string()),
});

/** What the step leaves: under which operation the other tree is kept, and what was written. */
const memo = z.object({
  kept: z.string(),
  results: z.array(replaced),
  /** Bytes that is kept of each volume, as far as that is known. */
  sizes: z.record(z.string(), z.number()),
});

export type FilesMemo = z.output<typeof memo>;

/** What a step of this kind has left; undefined when it has not ended. */
export const filesMemo = (left: Json): FilesMemo | undefined => memo.nullable().parse(left) ?? undefined;

/** "replace-files". */
export const replaceFiles = (outside: OnVolumes): StepKind<FilesInput> => {
  const options = { ...outside, untouched: new Set<string>() };
  return {
    kind: "replace-files",
    input: filesInput,
    check: (wanted, context) => check(options, wanted, context),
    apply: (wanted, context) => replace(options, wanted, context),
    undo: async (wanted, left, context) => {
      if (context.used) return exchange(options, wanted, left, context);
      await takeBack(options, wanted, context);
      return null;
    },
    redo: (wanted, left, context) => exchange(options, wanted, left, context),
    setAside: (wanted, left) => setAside(wanted, left),
    settle: (wanted, left, context) => discard(options, wanted, keptBy(left) ?? context.operation, context),
  };
};

interface Doing extends OnVolumes {
  /**
   * Operations of this process of which it is known that they have changed nothing, or have put back what they had: going
   * back needs no agent then, which may be just what did not work.
   */
  readonly untouched: Set<string>;
}

const keptBy = (left: Json): string | undefined => filesMemo(left)?.kept;

const setAside = ({ items }: FilesInput, left: Json): readonly SetAside[] => {
  const known = filesMemo(left);
  if (known === undefined) return [];
  const { kept } = known;
  return items.map(({ namespace, claim }) => {
    const volume = `${namespace}/${claim}`;
    return { volume, where: `in the volume itself, .holdfast-kept-${kept}`, bytes: known.sizes[volume] };
  });
};

const replace = async (options: Doing, wanted: FilesInput, context: StepContext): Promise<Json> => {
  const { items } = wanted;
  const sizes: Record<string, number> = {};
  const results: ReplacedVolume[] = [];
  const { operation } = context;
  if (!context.resumed) options.untouched.add(operation);
  const mover = await options.mover(wanted.mover);
  const hear = (line: AgentLine): void => {
    tell(context, line);
    if (line.type === "touching") options.untouched.delete(operation);
    if (line.type === "as-before") options.untouched.add(operation);
    if (line.type === "replaced") results.push(line.result);
    if (line.type === "kept") sizes[line.volume] = line.bytes;
  };
  await undisturbed(options, wanted, context, (signal) => mover.replace({ operation, items }, hear, signal));
  return left(operation, results, sizes);
};

const left = (kept: string, results: readonly ReplacedVolume[], sizes: Record<string, number>): Json =>
  ({ kept, results, sizes }) as unknown as Json;

/** After the operation had ended well: the tree that was kept comes back, and the present one is kept in its place. */
const exchange = async (options: Doing, wanted: FilesInput, before: Json, context: StepContext): Promise<Json> => {
  const kept = keptBy(before);
  if (kept === undefined) return before;
  const { operation } = context;
  const sizes: Record<string, number> = {};
  await runAlone(options, wanted, context, {
    job: { kind: "swap", operation, kept, targets: mountedOf(wanted.items) },
    onLine: (line) => {
      if (line.type === "kept") sizes[line.volume] = line.bytes;
    },
  });
  return left(operation, [], sizes);
};

/** After a failure: everything is as before, and nothing is kept of what was never used. */
const takeBack = async (options: Doing, wanted: FilesInput, context: StepContext): Promise<void> => {
  const targets = mountedOf(wanted.items);
  const { operation } = context;
  if (options.untouched.has(operation)) return;
  let isDecided = false;
  await runAlone(options, wanted, context, {
    job: { kind: "put-back", operation, targets },
    onLine: (line) => (isDecided ||= line.type === "decided"),
  });
  // Every volume was verified already, and the new files stand: they go back the way they came.
  const back = `${operation}-back`;
  if (isDecided)
    await runAlone(options, wanted, context, { job: { kind: "swap", operation: back, kept: operation, targets } });
  // An earlier process may have died between the two.
  if (isDecided || context.resumed) await discard(options, wanted, back, context);
};

const look = async (options: Doing, wanted: FilesInput, context: StepContext): Promise<readonly SeenVolume[]> => {
  const seen: SeenVolume[] = [];
  await runAlone(options, wanted, context, {
    job: { kind: "look", targets: mountedOf(wanted.items) },
    onLine: (line) => {
      if (line.type === "seen") seen.push(line.seen);
    },
  });
  return seen;
};

const holds = (volume: SeenVolume, operation: string): boolean =>
  volume.ours.some((directory) => directory.operation === operation && directory.state === "kept");

/** One volume after the other, wherever its app runs meanwhile: what is kept is nobody's but ours. */
const discard = async (options: Doing, wanted: FilesInput, operation: string, context: StepContext): Promise<void> => {
  const agents = await options.agents();
  for (const item of wanted.items) {
    const items = [item];
    await untilFree(options, { ...wanted, items }, context);
    const job: AgentJob = { kind: "discard", operations: [operation], targets: mountedOf(items) };
    const task = { operation: context.operation, job, mounts: mountsOf(items) };
    await agents.run(task, (line) => tell(context, line), context.signal);
  }
};

const check = async (options: Doing, wanted: FilesInput, context: StepContext): Promise<Presence> => {
  const seen = await look(options, wanted, context);
  const kept = seen.filter((volume) => holds(volume, context.operation)).length;
  if (kept === seen.length) return "present";
  return seen.some(({ ours }) => ours.some(({ operation }) => operation === context.operation)) ? "partial" : "absent";
};
