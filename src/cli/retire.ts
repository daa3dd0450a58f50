import { buildCommand } from "@stricli/core";
import { changeFlags, durationFlag, progressFlags, text, worldFlags } from "./flags.ts";

export const retireCommand = buildCommand({
  docs: {
    brief: "Deletes volumes on purpose: a last verified copy first, the bytes into the trash",
    fullDescription: `The plan is shown first. A last copy is made and read back to its last byte; the PersistentVolumes are set to Retain and
put into the trash; then the claims are deleted. Claims that Argo CD or Flux has in git are left to your commit: it is
named, and the guard is open for it meanwhile. Nothing is freed: \`holdfast trash\` lists, restores and empties.

A volume that a pod uses is refused, with what stops it. Ephemeral and temporary claims need no retiring.
--no-copy wants the volumes' names typed.`,
  },
  parameters: {
    flags: {
      ...worldFlags,
      ...changeFlags,
      ...progressFlags,
      noCopy: { kind: "boolean", brief: "make no last copy", default: false, withNegated: false },
      for: {
        kind: "parsed",
        parse: durationFlag,
        brief: "how long the guard is open for a commit",
        default: "24h",
        placeholder: "DURATION",
      },
    },
    aliases: { y: "yes" },
    positional: {
      kind: "array",
      minimum: 1,
      parameter: {
        brief: "a volume (namespace/pvc, or a part that is enough), or an app: all its volumes",
        parse: text,
        placeholder: "VOLUME|APP",
      },
    },
  },
  loader: async () => (await import("./retire-body.ts")).retire,
});
