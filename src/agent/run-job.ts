/** Runs one job to its last word: a result, or a failure that says what to do. */
import { Failure, isFailure, messageOf } from "../model/failure.ts";
import type { AgentContext } from "./agent-context.ts";
import { check } from "./check.ts";
import type { AgentJob } from "./job.ts";
import type { AgentLine } from "./lines.ts";
import { putBackAll, replace } from "./replace.ts";
import { openRepositories } from "./repositories.ts";

const run = async (job: AgentJob, context: AgentContext): Promise<void> => {
  if (job.kind === "put-back") return putBackAll(job, context);
  if (job.kind === "look" || job.kind === "swap" || job.kind === "discard") throw new Error(`${job.kind}: not yet`);
  const repositories = await openRepositories(context, job.store);
  try {
    await (job.kind === "check" ? check(job, repositories.open, context) : replace(job, repositories.open, context));
  } finally {
    await repositories.close();
  }
};

const failureLine = ({ code, what, why, todo }: Failure): AgentLine => ({
  type: "failure",
  code,
  what,
  ...(why === undefined ? {} : { why }),
  ...(todo === undefined ? {} : { todo }),
});

const asFailure = (error: unknown, context: AgentContext): Failure => {
  if (isFailure(error)) return error;
  if (context.signal.aborted) return new Failure("INTERRUPTED", { what: "The agent was told to stop." });
  return new Failure("AGENT_FAILED", {
    what: "The agent met something it did not expect.",
    why: messageOf(error),
    cause: error,
  });
};

/** Gives the exit status; the last line has been said when it returns. */
export const runJob = async (job: AgentJob, context: AgentContext): Promise<number> => {
  try {
    await run(job, context);
    context.say({ type: "result" });
    return 0;
  } catch (error) {
    context.say(failureLine(asFailure(error, context)));
    return 1;
  }
};
