/** The job "look": what lies in volumes of the app's and of ours, and how much room there is. Reads only. */
import { statfs } from "node:fs/promises";
import type { AgentContext } from "./agent-context.ts";
import { directoriesIn, filesOf, type OurDirectory } from "./directories.ts";
import type { LookJob } from "./job.ts";
import type { SeenDirectory } from "./lines.ts";
import { openTargets } from "./mounted.ts";
import { treeSize } from "./tree-size.ts";

export const look = async (job: LookJob, context: AgentContext): Promise<void> => {
  for (const { root, volume } of await openTargets(job.targets, context)) {
    context.signal.throwIfAborted();
    const { bavail, blocks, bsize } = await statfs(root);
    const present = await treeSize(root);
    const ours: SeenDirectory[] = [];
    for (const directory of await directoriesIn(root))
      ours.push({ operation: directory.operation, state: directory.state, ...(await treeSize(treeOf(directory))) });
    const [totalBytes, freeBytes] = [blocks * bsize, bavail * bsize];
    context.say({ type: "seen", seen: { volume, totalBytes, freeBytes, present, ours } });
  }
};

/** What is being made or removed may lack its inside already. */
const treeOf = (directory: OurDirectory): string =>
  directory.state === "fresh" || directory.state === "discard" ? directory.path : filesOf(directory);
