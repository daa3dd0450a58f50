/** `holdfast operations list` and `show`. */
import type { Failure } from "../model/failure.ts";
import type { SetAside } from "../model/plan.ts";
import { formatAge, formatBytes, formatSeconds } from "../model/units.ts";
import type { OperationState, StepState } from "../operation/state.ts";
import { printAnswer } from "./answer.ts";
import { commandBody } from "./body.ts";
import type { OutputFormat, WorldFlags } from "./flags.ts";
import { viewOperations } from "./operations-world.ts";

interface OperationsFlags extends WorldFlags {
  readonly output: OutputFormat;
}

const statusTexts: Readonly<Record<OperationState["status"], string>> = {
  forward: "unfinished",
  back: "unfinished, going back",
  done: "done",
  "as-before": "went back",
  undone: "undone",
  "given-up": "given up",
  settled: "settled",
};

const isoOf = (time: number | undefined): string | undefined =>
  time === undefined ? undefined : new Date(time).toISOString();

const dataOf = (state: OperationState): object => ({
  id: state.id,
  verb: state.plan.verb,
  title: state.plan.title,
  status: state.status,
  volumes: state.plan.locks,
  began: isoOf(state.began),
  lastEntry: isoOf(state.lastEntry),
  of: state.of,
  by: state.by,
  failure: state.failure,
  setAside: state.status === "done" ? state.setAside : [],
  until: state.status === "done" ? isoOf(state.until) : undefined,
});

const bytesOf = (setAside: readonly SetAside[]): string => {
  if (setAside.length === 0) return "-";
  const known = setAside.flatMap(({ bytes }) => bytes ?? []);
  return known.length < setAside.length ? "?" : formatBytes(known.reduce((sum, bytes) => sum + bytes, 0));
};

const unreadableText = (unreadable: readonly Failure[]): string =>
  unreadable.map(({ what, why }) => `${what} ${why ?? ""}`.trim()).join("\n");

export const listOperations = commandBody<OperationsFlags, []>(async (cli, world, flags) => {
  const { operations, unreadable } = await (await viewOperations(world)).list();
  const now = cli.context.clock.now();
  await printAnswer(cli.context.stdout, flags.output, {
    data: {
      operations: operations.map(dataOf),
      unreadable: unreadable.map(({ code, what, why }) => ({ code, what, why })),
    },
    heads: ["OPERATION", "AGE", "STATUS", "SET ASIDE", "UNTIL", "WHAT"],
    rows: operations.map((state) => {
      const kept = state.status === "done" ? state.setAside : [];
      const until = kept.length === 0 ? undefined : isoOf(state.until);
      return [
        state.id,
        formatAge(now - state.began),
        statusTexts[state.status],
        bytesOf(kept),
        until === undefined ? "-" : until.slice(0, 16),
        state.plan.title,
      ];
    }),
    names: operations.map(({ id }) => id),
    ...(unreadable.length === 0 ? {} : { footer: unreadableText(unreadable) }),
    empty: unreadable.length === 0 ? "Holdfast has changed nothing yet." : unreadableText(unreadable),
  });
});

const tookText = ({ began, ended }: StepState): string =>
  began === undefined || ended === undefined ? "-" : formatSeconds(ended - began);

const advice = ({ id, status, plan, by, until }: OperationState): string => {
  if (status === "forward" || status === "back")
    return `It stopped in the middle. \`holdfast resume ${id}\` goes on with it, \`holdfast undo ${id}\` goes back. When neither can be, \`holdfast operations give-up ${id}\` ends it where it stands.`;
  if (status === "done" && plan.undo.kind === "kept")
    return `\`holdfast undo ${id}\` takes it back, until ${isoOf(until) ?? "what it has set aside is freed"}.`;
  if (by !== undefined) return `${statusTexts[status]} by ${by}.`;
  if (status === "given-up") return "It was ended where it stood: what it had changed was left as it is.";
  return status === "as-before" ? "Everything is as it was before it." : plan.undo.text;
};

export const showOperation = commandBody<OperationsFlags, [string]>(async (cli, world, flags, id) => {
  const state = await (await viewOperations(world)).read(id);
  const failure = state.failure === undefined ? "" : `\n${state.failure.what} (${state.failure.code})`;
  const aside = (state.status === "done" ? state.setAside : []).map(
    ({ volume, where, bytes }) =>
      `\nset aside of ${volume}: ${where}${bytes === undefined ? "" : `, ${formatBytes(bytes)}`}`,
  );
  await printAnswer(cli.context.stdout, flags.output, {
    data: {
      ...dataOf(state),
      undo: state.plan.undo,
      warnings: state.plan.warnings,
      steps: state.steps.map(({ step, standing, began, ended }) => ({
        id: step.id,
        title: step.title,
        why: step.why,
        touches: step.touches,
        back: step.back,
        standing,
        began: isoOf(began),
        ended: isoOf(ended),
      })),
    },
    heads: ["STEP", "STANDING", "TOOK", "WHAT", "CHANGES"],
    rows: state.steps.map((each) => [
      each.step.id,
      each.standing,
      tookText(each),
      each.step.title,
      each.step.touches.join(", "),
    ]),
    names: state.steps.map(({ step }) => step.id),
    footer: `${state.plan.title}: ${statusTexts[state.status]}${failure}${aside.join("")}\n${advice(state)}`,
    empty: "This operation has no steps.",
  });
});
