/** What steps that change volumes' files are told: which volumes, which copies, and who writes. */
import { z } from "zod";

export const filesInput = z.strictObject({
  mover: z.enum(["kopia", "node-agent"]),
  items: z.array(
    z.strictObject({
      key: z.string(),
      namespace: z.string(),
      claim: z.string(),
      repository: z.string(),
      snapshotId: z.string(),
    }),
  ),
});

export type FilesInput = z.output<typeof filesInput>;
