/** Runs one job to its last word: a result, or a failure that says what to do. */
import { Failure, isFailure, messageOf } from "../model/failure.ts";
import type { AgentContext } from "./agent-context.ts";
import { check } from "./check.ts";
import { clear } from "./clear.ts";
import { discard } from "./discard.ts";
import type { AgentJob, StoreReference } from "./job.ts";
import type { AgentLine } from "./lines.ts";
import { look } from "./look.ts";
import { putBackAll } from "./mounted.ts";
import { replace } from "./replace.ts";
import { openRepositories, type OpenRepository } from "./repositories.ts";
import { swap } from "./swap.ts";

const run = async (job: AgentJob, context: AgentContext): Promise<void> => {
  switch (job.kind) {
    case "put-back":
      return putBackAll(job, context);
    case "look":
      return look(job, context);
    case "swap":
      return swap(job, context);
    case "discard":
      return discard(job, context);
    case "check":
      return withRepositories(job.store, context, (open) => check(job, open, context));
    case "clear":
      return withRepositories(job.store, context, (open) => clear(job, open, context));
    case "replace":
      return withRepositories(job.store, context, (open) => replace(job, open, context));
  }
};

const withRepositories = async (
  store: StoreReference,
  context: AgentContext,
  work: (open: OpenRepository) => Promise<void>,
): Promise<void> => {
  const repositories = await openRepositories(context, store);
  try {
    await work(repositories.open);
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
