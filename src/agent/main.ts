/** The program of Holdfast's own pods: makes the context from the real process and runs the job it is given. */
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { AgentContext } from "./agent-context.ts";
import type { AgentJob } from "./job.ts";
import { runJob } from "./run-job.ts";

const stop = new AbortController();
for (const name of ["SIGINT", "SIGTERM"] as const)
  process.once(name, () => stop.abort(new DOMException(name, "AbortError")));

const jobFile = process.argv[2] ?? "/job/job.json";
const context: AgentContext = {
  clock: {
    now: () => Date.now(),
    sleep: (milliseconds, signal) => sleep(milliseconds, undefined, signal === undefined ? {} : { signal }),
  },
  signal: stop.signal,
  say: (line) => void process.stdout.write(`${JSON.stringify(line)}\n`),
  places: {
    job: dirname(jobFile),
    volumes: process.env.HOLDFAST_VOLUMES ?? "/volumes",
    scratch: process.env.HOLDFAST_SCRATCH ?? "/scratch",
    kopia: process.env.HOLDFAST_KOPIA ?? "/bin/kopia",
  },
};
process.exitCode = await runJob(JSON.parse(readFileSync(jobFile, "utf8")) as AgentJob, context);
