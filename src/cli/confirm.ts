/** Asks before a change. */
import type { Context } from "../context.ts";
import { Failure } from "../model/failure.ts";

/** Returns when the user has typed `name`. Throws NOT_INTERACTIVE without a terminal, NOT_CONFIRMED for anything else typed. */
export const confirmByName = async (context: Context, question: string, name: string): Promise<void> => {
  if (!context.stdin.isTTY)
    throw new Failure("NOT_INTERACTIVE", { what: `${question} There is no terminal to ask on.` });
  const answer = await context.stdin.readLine(`${question}\nType ${name} to go on: `);
  if (answer?.trim() !== name)
    throw new Failure("NOT_CONFIRMED", { what: "That is not the name; nothing was changed." });
};
