/** `holdfast restore VOLUME…`: choose the copies, show the plan, ask, carry it out. */
import type { ReplacedVolume } from "../agent/lines.ts";
import { Failure } from "../model/failure.ts";
import { formatAge, formatBytes, formatSeconds } from "../model/units.ts";
import { volumeName } from "../model/volume.ts";
import { applyRestore, type RestoreEvent } from "../restore/apply.ts";
import { ownersOf } from "../restore/owners.ts";
import { type Mover, planRestore, type RestoreItem, type RestorePlan } from "../restore/plan.ts";
import { checkPassword, checkPlan, checkRights } from "../restore/preflight.ts";
import { chooseCopy, liveVolume, type PointChoice, resolveName } from "../restore/scope.ts";
import { readReplicas } from "../restore/standstill.ts";
import { clearLeftovers } from "../systems/agent/leftovers.ts";
import { commandBody } from "./body.ts";
import type { CliContext } from "./cli-context.ts";
import { confirmByName } from "./confirm.ts";
import type { WorldFlags } from "./flags.ts";
import { parseMoment } from "./moment.ts";
import { openMover } from "./mover.ts";
import { openProgress, type Progress } from "./progress.ts";
import { type Survey, survey } from "./survey.ts";
import type { World } from "./world.ts";

export interface RestoreFlags extends WorldFlags {
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
  readonly timeout: number;
  readonly point?: string;
  readonly at?: string;
  readonly to?: string;
  readonly mover: Mover;
}

export const restore = commandBody<RestoreFlags, string[]>(async (cli, world, flags, ...references) => {
  const plan = await makePlan(cli, world, flags, references);
  checkPlan(plan);
  showPlan(cli, plan, flags);
  const kubernetes = await world.kubernetes();
  const { holdfast, velero } = world.loaded.config;
  await checkRights(kubernetes, plan, holdfast.namespace, velero.namespace);
  const { bucket, prefix } = await world.points();
  await checkPassword(bucket, prefix, plan, await world.password());
  if (flags.dryRun) return;
  if (!flags.yes) await confirm(cli, plan);
  await clearLeftovers(
    kubernetes,
    plan.items.map(({ target }) => target),
    holdfast.namespace,
    cli.context.clock.now(),
  );
  await carryOut(cli, world, flags, plan);
});

const makePlan = async (
  cli: CliContext,
  world: World,
  flags: RestoreFlags,
  references: readonly string[],
): Promise<RestorePlan> => {
  const found = await survey(world);
  if (found.lastKnown !== undefined) throw found.lastKnown.because;
  const items = itemsOf(found, flags, references, choiceOf(cli, flags));
  const kubernetes = await world.kubernetes();
  const owners = ownersOf(items.map((item) => item.target)).scalable;
  const replicas = new Map(
    await Promise.all(owners.map(async (owner) => [nameOf(owner), await readReplicas(kubernetes, owner)] as const)),
  );
  return planRestore({
    operation: cli.context.randomId(6),
    mover: flags.mover,
    items,
    replicasOf: (owner) => replicas.get(nameOf(owner)),
  });
};

const nameOf = ({
  kind,
  namespace,
  name,
}: {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}): string => `${kind}/${namespace}/${name}`;

const choiceOf = (cli: CliContext, flags: RestoreFlags): PointChoice => {
  if (flags.point !== undefined && flags.at !== undefined)
    throw new Failure("USAGE", { what: "--point and --at exclude each other." });
  return {
    ...(flags.point === undefined ? {} : { point: flags.point }),
    ...(flags.at === undefined ? {} : { at: parseMoment(flags.at, cli.context.clock.now()) }),
  };
};

const itemsOf = (
  { volumes, points }: Survey,
  flags: RestoreFlags,
  references: readonly string[],
  choice: PointChoice,
): readonly RestoreItem[] => {
  if (flags.to !== undefined && references.length > 1) throw new Failure("USAGE", { what: "--to takes one volume." });
  const live = volumes.map(volumeName);
  const names = [...new Set([...live, ...points.flatMap((point) => point.copies.map((copy) => copy.volume))])];
  const sources = [...new Set(references.map((reference) => resolveName(reference, names)))];
  return sources.map((source, index) => {
    const chosen = chooseCopy(source, points, choice);
    const target = liveVolume(flags.to === undefined ? source : resolveName(flags.to, live), volumes);
    return { key: `v${index}`, source, chosen, target, inPlace: volumeName(target) === source };
  });
};

const itemText = (cli: CliContext, { source, chosen, target, inPlace }: RestoreItem): string => {
  const { copy, evidence, why } = chosen;
  const age = formatAge(cli.context.clock.now() - copy.time);
  const size = copy.bytes === undefined ? "" : `, ${formatBytes(copy.bytes)}`;
  return `${source}${inPlace ? "" : ` → ${volumeName(target)}`}\n  from ${copy.point}, ${age} old${size}, ${evidence?.verdict ?? "stored"}: ${why}`;
};

const showPlan = (cli: CliContext, plan: RestorePlan, flags: RestoreFlags): void => {
  if (flags.json) {
    cli.context.stdout.write(`${JSON.stringify({ type: "plan", plan: planData(plan) })}\n`);
    return;
  }
  const steps = plan.steps.map(({ title, why }, index) => `${String(index + 1).padStart(3)}. ${title}\n     ${why}`);
  const warnings = plan.warnings.map((text) => `  note: ${text}`);
  const undo = "NO UNDO: once the restored files are verified, the present files of the volume are gone.";
  const output = flags.dryRun ? cli.context.stdout : cli.context.stderr;
  output.write(`${[...plan.items.map((item) => itemText(cli, item)), ...steps, ...warnings, undo].join("\n")}\n`);
};

const planData = (plan: RestorePlan): object => ({
  operation: plan.operation,
  mover: plan.mover,
  volumes: plan.items.map(({ source, chosen, target, inPlace }) => ({
    source,
    target: volumeName(target),
    inPlace,
    point: chosen.copy.point,
    snapshotId: chosen.copy.snapshotId,
    bytes: chosen.copy.bytes,
    why: chosen.why,
  })),
  stops: plan.stops,
  steps: plan.steps,
  warnings: plan.warnings,
});

const confirm = (cli: CliContext, plan: RestorePlan): Promise<void> => {
  const names = plan.items.map(({ target }) => volumeName(target));
  return confirmByName(
    cli.context,
    `This replaces all files of ${names.join(", ")}. There is NO UNDO.`,
    names.join(" "),
  );
};

const carryOut = async (cli: CliContext, world: World, flags: RestoreFlags, plan: RestorePlan): Promise<void> => {
  const { context } = cli;
  const began = context.clock.now();
  const progress = openProgress(context, flags.json);
  const results: ReplacedVolume[] = [];
  try {
    await applyRestore(plan, {
      context,
      kubernetes: await world.kubernetes(),
      mover: await openMover(world, plan.mover, flags.timeout),
      timeout: flags.timeout,
      onEvent: (event) => show(progress, event, results),
    });
  } finally {
    progress.end();
  }
  report(cli, flags, results, context.clock.now() - began);
};

const show = (progress: Progress, event: RestoreEvent, results: ReplacedVolume[]): void => {
  if (event.type === "step") return progress.step(event.title);
  const { line } = event;
  if (line.type === "step") progress.step(line.title);
  if (line.type === "progress") progress.detail(`${line.files} files, ${formatBytes(line.bytes)}`, line);
  if (line.type === "replaced") results.push(line.result);
};

const report = (cli: CliContext, flags: RestoreFlags, results: readonly ReplacedVolume[], time: number): void => {
  const { stdout } = cli.context;
  if (flags.json) {
    stdout.write(`${JSON.stringify({ type: "result", seconds: time / 1000, volumes: results })}\n`);
    return;
  }
  for (const { volume, files, symlinks, bytes, databases, notKept } of results) {
    stdout.write(
      `${volume}: restored and verified: ${files} files, ${symlinks} symbolic links, ${formatBytes(bytes)}, ${databases} databases\n`,
    );
    stdout.write(notKept.map((text) => `  not as before: ${text}\n`).join(""));
  }
  stdout.write(`done in ${formatSeconds(time)}\n`);
};
