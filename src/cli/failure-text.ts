/** How failures are shown. Everything that ends a command early passes through here. */
import type { Context } from "../context.ts";
import { Failure, isFailure, messageOf } from "../model/failure.ts";

/** Turns an abort by the user into the failure that it is. */
export const asFailure = (error: unknown, context: Context): unknown => {
  if (!context.signal.aborted || isFailure(error)) return error;
  return new Failure("INTERRUPTED", { what: "Interrupted.", cause: error });
};

/** What is printed on standard error for anything thrown. What servers and names of files put into it cannot steer the terminal. */
export const failureText = (error: unknown, context: Context): string =>
  plainText(error, context).replaceAll(/(?![\n\t])\p{Cc}/gu, "");

const plainText = (error: unknown, context: Context): string => {
  if (error instanceof Failure) {
    const lines = [
      `error: ${error.what}`,
      ...(error.why === undefined ? [] : [`  why: ${error.why}`]),
      ...(error.todo === undefined ? [] : [`  do:  ${error.todo}`]),
    ];
    return `${lines.join("\n")}\n  (${error.code})\n`;
  }
  const stack =
    context.env.HOLDFAST_DEBUG === "1" && error instanceof Error
      ? `\n${error.stack ?? ""}`
      : "\n  HOLDFAST_DEBUG=1 shows where.";
  return `defect in Holdfast: ${messageOf(error)}${stack}\n`;
};

/** The same as data, for `-o json` and `--json`. */
export const failureData = (error: unknown): object =>
  error instanceof Failure
    ? { error: { code: error.code, what: error.what, why: error.why, todo: error.todo, exitStatus: error.exitCode } }
    : { error: { code: "DEFECT", what: messageOf(error), exitStatus: 1 } };

/** The exit status that anything thrown ends with. */
export const exitStatusOf = (error: unknown): number => (error instanceof Failure ? error.exitCode : 1);
