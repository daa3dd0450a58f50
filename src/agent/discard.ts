/** The job "discard": what the named operations have kept goes for good, and nothing else that is kept does. */
import { rm } from "node:fs/promises";
import type { AgentContext } from "./agent-context.ts";
import { finishDecided } from "./decision.ts";
import { become, directoriesIn, type OurDirectory } from "./directories.ts";
import type { DiscardJob } from "./job.ts";
import { openTargets } from "./mounted.ts";
import { treeSize } from "./tree-size.ts";

export const discard = async (job: DiscardJob, context: AgentContext): Promise<void> => {
  const targets = await openTargets(job.targets, context);
  const named = async (root: string): Promise<readonly OurDirectory[]> =>
    (await directoriesIn(root)).filter(
      ({ operation, state }) => job.operations.includes(operation) && (state === "kept" || state === "discard"),
    );
  const sizes = new Map<string, number>();
  for (const { root } of targets)
    for (const { operation, path } of await named(root))
      sizes.set(`${root} ${operation}`, (await treeSize(path)).bytes);
  // Else a volume that is not decided yet would lose its only sign that the others are.
  await finishDecided(targets.map(({ root }) => root));
  for (const { root, volume } of targets) {
    context.signal.throwIfAborted();
    for (const directory of await named(root)) {
      const going = directory.state === "discard" ? directory : await become(directory, "discard");
      await rm(going.path, { recursive: true });
    }
    for (const operation of job.operations) {
      const bytes = sizes.get(`${root} ${operation}`);
      if (bytes !== undefined) context.say({ type: "discarded", volume, operation, bytes });
    }
  }
};
