import { buildCommand } from "@stricli/core";
import { changeFlags, progressFlags, text, worldFlags } from "./flags.ts";

export const undeleteCommand = buildCommand({
  docs: {
    brief: "Brings deleted volumes back from the bytes that are still there",
    fullDescription: `Looks in the cluster, in the inventories of the bucket and on the NAS for what was deleted, and says how each volume
comes back and what would be lost. Then: the PersistentVolumes are set to Retain, GitOps is made to stand still, the claims
are let go and made again on the same bytes, the apps are started, and GitOps goes on as it was set before. No data moves.
Where the bytes are gone, the newest good copy is put into a new volume.

Without VOLUME everything comes back whose bytes are there still, but for claims that exist again on another volume, and for
what was retired (\`holdfast trash\`). Name those, and what is to be filled from a copy.`,
  },
  parameters: {
    flags: { ...worldFlags, ...changeFlags, ...progressFlags },
    aliases: { y: "yes" },
    positional: {
      kind: "array",
      parameter: {
        brief: "namespace/pvc, or the claim's name where that is enough",
        parse: text,
        placeholder: "VOLUME",
      },
    },
  },
  loader: async () => (await import("./undelete-body.ts")).undelete,
});
