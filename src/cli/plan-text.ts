/** How a plan is shown, and how its user agrees to it. */
import { Failure } from "../model/failure.ts";
import type { Plan } from "../model/plan.ts";
import type { CliContext } from "./cli-context.ts";
import { confirmByName } from "./confirm.ts";

export interface PlanFlags {
  readonly yes: boolean;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** What a command says of its plan before the steps: as text, and as data for --json. */
export interface PlanHead {
  readonly texts: readonly string[];
  readonly data: object;
}

const noHead: PlanHead = { texts: [], data: {} };

/** On standard output when the plan is all that is wanted, else beside the result. */
export const showPlan = (cli: CliContext, plan: Plan, flags: PlanFlags, head = noHead): void => {
  if (flags.json) {
    cli.context.stdout.write(`${JSON.stringify({ type: "plan", plan: { ...plan, ...head.data } })}\n`);
    return;
  }
  const output = flags.dryRun ? cli.context.stdout : cli.context.stderr;
  output.write(`${[...head.texts, planText(plan)].join("\n")}\n`);
};

/** Steps with their reasons, what to know, and what becomes of the present state. */
export const planText = (plan: Plan): string =>
  [
    ...plan.steps.map(({ title, why }, index) => `${String(index + 1).padStart(3)}. ${title}\n     ${why}`),
    ...plan.warnings.map((text) => `  note: ${text}`),
    plan.undo.text,
  ].join("\n");

/** Asks, unless told not to. What cannot be undone wants the names of the volumes typed. Throws NOT_INTERACTIVE, NOT_CONFIRMED. */
export const confirmPlan = async (cli: CliContext, plan: Plan, flags: PlanFlags): Promise<void> => {
  if (flags.yes) return;
  if (plan.undo.kind === "none") {
    await confirmByName(cli.context, `This ${plan.title}. There is NO UNDO.`, plan.locks.join(" "));
    return;
  }
  const { stdin } = cli.context;
  if (!stdin.isTTY) throw new Failure("NOT_INTERACTIVE", { what: "There is no terminal to ask on." });
  const answer = (await stdin.readLine("Go on? [y/N] "))?.trim().toLowerCase();
  if (answer !== "y" && answer !== "yes") throw new Failure("NOT_CONFIRMED", { what: "Nothing was changed." });
};
