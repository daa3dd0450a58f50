/** Says how much room what an operation has set aside, or keeps, takes in a volume. Cost: one `lstat` for each entry. */
import type { AgentContext } from "./agent-context.ts";
import { directoriesIn, filesOf } from "./directories.ts";
import type { Target } from "./target.ts";
import { treeSize } from "./tree-size.ts";

export const tellKept = async (
  { root, volume }: Pick<Target, "root" | "volume">,
  operation: string,
  context: AgentContext,
): Promise<void> => {
  for (const directory of await directoriesIn(root)) {
    if (directory.operation !== operation || !["aside", "kept"].includes(directory.state)) continue;
    const { bytes } = await treeSize(filesOf(directory));
    context.say({ type: "kept", volume, bytes });
  }
};
