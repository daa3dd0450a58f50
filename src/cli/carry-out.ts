/** Carries an operation out under the eyes of a user: progress, result, and what can be done about it afterwards. */
import { type FilesMemo, filesMemo } from "../restore/steps/files.ts";
import { formatBytes, formatSeconds } from "../model/units.ts";
import type { Plan } from "../model/plan.ts";
import type { OperationEvent } from "../operation/run.ts";
import type { Operations } from "../operation/operations.ts";
import type { OperationState } from "../operation/state.ts";
import { recordChange } from "./after-operation.ts";
import type { CliContext } from "./cli-context.ts";
import { openOperations } from "./operations-world.ts";
import { openProgress, type Progress } from "./progress.ts";
import type { World } from "./world.ts";

interface CarryOutFlags {
  readonly json: boolean;
  readonly timeout: number;
}

/** `work` begins or goes on with an operation and gives its state; undefined when there was nothing to do. */
export const carryOut = async (
  cli: CliContext,
  world: World,
  flags: CarryOutFlags,
  work: (operations: Operations) => Promise<OperationState | undefined>,
): Promise<void> => {
  const { clock } = cli.context;
  const began = clock.now();
  const progress = openProgress(cli.context, flags.json);
  let state: OperationState | undefined;
  try {
    const operations = await openOperations(world, flags, (event) => show(progress, event));
    state = await work(operations);
    if (state !== undefined) await recordChange(world, state);
  } finally {
    progress.end();
  }
  if (state !== undefined) report(cli, flags, state, clock.now() - began);
};

/** Begins the operation of a plan. */
export const carryOutPlan = (cli: CliContext, world: World, flags: CarryOutFlags, plan: Plan): Promise<void> =>
  carryOut(cli, world, flags, (operations) => operations.start(operations.newId(), plan));

const show = (progress: Progress, event: OperationEvent): void => {
  if (event.type === "step") progress.step(event.back ? `going back: ${event.title}` : event.title);
  else if (event.data === undefined) progress.step(event.text);
  else progress.detail(event.text, event.data);
};

type Replaced = FilesMemo["results"][number];

const replacedBy = (state: OperationState): readonly Replaced[] =>
  state.steps.flatMap(({ step, memo }) => (step.kind === "replace-files" ? (filesMemo(memo)?.results ?? []) : []));

const report = (cli: CliContext, flags: CarryOutFlags, state: OperationState, time: number): void => {
  const { stdout } = cli.context;
  const volumes = replacedBy(state);
  if (flags.json) {
    const { id, status, setAside, until } = state;
    const result = { type: "result", operation: id, status, seconds: time / 1000, volumes, setAside };
    stdout.write(
      `${JSON.stringify({ ...result, until: until === undefined ? undefined : new Date(until).toISOString() })}\n`,
    );
    return;
  }
  for (const { volume, files, symlinks, bytes, databases, notKept } of volumes) {
    stdout.write(
      `${volume}: restored and verified: ${files} files, ${symlinks} symbolic links, ${formatBytes(bytes)}, ${databases} databases\n`,
    );
    stdout.write(notKept.map((text) => `  not as before: ${text}\n`).join(""));
  }
  stdout.write(`${endText(state)} in ${formatSeconds(time)}\n`);
  if (state.until !== undefined && state.status === "done")
    stdout.write(
      `until ${new Date(state.until).toISOString().slice(0, 16)}Z \`holdfast undo ${state.id}\` takes it back\n`,
    );
};

const endText = ({ status, plan }: OperationState): string =>
  status === "as-before" ? `everything is as it was before "${plan.title}":` : "done";
