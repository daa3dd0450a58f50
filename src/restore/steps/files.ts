/**
 * The step that replaces volumes' files by copies. An agent does it next to the data; what was there is kept inside the
 * volume (ADR 0007), and going back exchanges the two.
 */
import { z } from "zod";
import type { AgentJob } from "../../agent/job.ts";
import type { AgentLine, ReplacedVolume, SeenVolume } from "../../agent/lines.ts";
import type { Clock } from "../../context.ts";
import { isFailure } from "../../model/failure.ts";
import { formatBytes } from "../../model/units.ts";
import type { Json, SetAside } from "../../model/plan.ts";
import type { Presence, StepContext, StepKind } from "../../operation/step-kind.ts";
import { clearLeftovers } from "../../systems/agent/leftovers.ts";
import type { Agents } from "../../systems/agent/port.ts";
import type { Kubernetes } from "../../systems/kubernetes/port.ts";
import { type DataMover, mountedOf, mountsOf, type Mover } from "../movers/replacement.ts";
import { whileUnused } from "../undisturbed.ts";

const input = z.strictObject({
  mover: z.enum(["kopia", "node-agent"]),
  items: z.array(
    z.strictObject({
      key: z.string(),
      namespace: z.string(),
      claim: z.string(),
      repository: z.string(),
      snapshotId: z.string(),
    }),
  ),
});

export type FilesInput = z.output<typeof input>;

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

export interface FilesOptions {
  readonly agents: () => Promise<Agents>;
  readonly mover: (mover: Mover) => Promise<DataMover>;
  readonly kubernetes: Kubernetes;
  readonly clock: Clock;
  /** Where agents run. */
  readonly namespace: string;
  /** ms to wait for an agent that an earlier process has started. */
  readonly timeout: number;
}

/** "replace-files". */
export const replaceFiles = (outside: FilesOptions): StepKind<FilesInput> => {
  const options = { ...outside, untouched: new Set<string>() };
  return {
    kind: "replace-files",
    input,
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

interface Doing extends FilesOptions {
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

interface Run {
  readonly job: AgentJob;
  readonly onLine?: (line: AgentLine) => unknown;
}

/** Runs a job of the agent alone on the volumes, while nobody else uses them. */
const run = async (options: Doing, wanted: FilesInput, context: StepContext, { job, onLine }: Run) => {
  const { items } = wanted;
  const agents = await options.agents();
  const task = { operation: context.operation, job, mounts: mountsOf(items) };
  await undisturbed(options, wanted, context, (signal) =>
    agents.run(
      task,
      (line) => {
        tell(context, line);
        onLine?.(line);
      },
      signal,
    ),
  );
};

const undisturbed = async (
  options: Doing,
  wanted: FilesInput,
  context: StepContext,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> => {
  const { kubernetes, clock } = options;
  await untilFree(options, wanted, context);
  await whileUnused({ kubernetes, clock, signal: context.signal }, wanted.items, work);
};

const lookEvery = 1000;

/**
 * Tidies away what dead processes have left. The lock is ours; but an agent of a process that died holding it may still
 * be working: it ends by itself, and until then nobody else may write.
 */
const untilFree = async (
  { kubernetes, clock, namespace, timeout, mover: open }: Doing,
  { items, mover }: FilesInput,
  context: StepContext,
): Promise<void> => {
  const deadline = clock.now() + timeout;
  for (let isTold = false; ; isTold = true) {
    try {
      await (await open(mover)).clear(context.operation);
      await clearLeftovers(kubernetes, items, namespace, clock.now());
      return;
    } catch (error) {
      if (!isFailure(error, "LOCKED") || clock.now() > deadline) throw error;
      if (!isTold) context.say(`waiting until what an earlier process has started has ended: ${error.why ?? ""}`);
    }
    await clock.sleep(lookEvery, context.signal);
  }
};

const tell = (context: StepContext, line: AgentLine): void => {
  if (line.type === "step") context.say(line.title);
  if (line.type === "progress") context.say(`${line.files} files, ${formatBytes(line.bytes)}`, line);
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
  await run(options, wanted, context, {
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
  await run(options, wanted, context, {
    job: { kind: "put-back", operation, targets },
    onLine: (line) => (isDecided ||= line.type === "decided"),
  });
  // Every volume was verified already, and the new files stand: they go back the way they came.
  const back = `${operation}-back`;
  if (isDecided)
    await run(options, wanted, context, { job: { kind: "swap", operation: back, kept: operation, targets } });
  // An earlier process may have died between the two.
  if (isDecided || context.resumed) await discard(options, wanted, back, context);
};

const look = async (options: Doing, wanted: FilesInput, context: StepContext): Promise<readonly SeenVolume[]> => {
  const seen: SeenVolume[] = [];
  await run(options, wanted, context, {
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
