/** A place for the agent to work in: temporary directories instead of a pod's, and everything that it says. */
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AgentContext } from "../agent-context.ts";
import type { AgentLine } from "../lines.ts";

export interface Bench {
  readonly base: string;
  readonly context: AgentContext;
  readonly lines: AgentLine[];
  readonly stop: AbortController;
  /** Makes a volume's directory and gives its path. */
  volume(key: string): string;
}

/** The caller removes `base`. `onLine` hears each line as it is said. */
export const agentBench = (onLine: (line: AgentLine) => void = () => undefined): Bench => {
  const base = mkdtempSync(join(tmpdir(), "holdfast-agent-"));
  const places = {
    job: join(base, "job"),
    volumes: join(base, "volumes"),
    scratch: join(base, "scratch"),
    kopia: "/nowhere/kopia",
  };
  for (const directory of [places.job, places.volumes, places.scratch]) mkdirSync(directory);
  const lines: AgentLine[] = [];
  const stop = new AbortController();
  const context: AgentContext = {
    clock: { now: () => 0, sleep: () => Promise.resolve() },
    signal: stop.signal,
    say: (line) => {
      lines.push(line);
      onLine(line);
    },
    places,
  };
  const volume = (key: string): string => {
    const root = join(places.volumes, key);
    mkdirSync(root);
    return root;
  };
  return { base, context, lines, stop, volume };
};
