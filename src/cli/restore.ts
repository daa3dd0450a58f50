import { buildCommand } from "@stricli/core";
import { changeFlags, progressFlags, text, worldFlags } from "./flags.ts";

export const restoreCommand = buildCommand({
  docs: {
    brief: "Brings volumes back from a recovery point, in place or into another claim",
    fullDescription: `The plan is shown first. The apps that use the volumes are stopped, the present files are set aside, the copy is
put in and compared entry by entry, and the apps are started again. When anything goes wrong on the way, the present
files come back. When it went well they are kept in the volume for a week (policy.undoFor): \`holdfast undo\` brings them
back. With --no-undo they are not, so the volume's name must be typed, or --yes given. The same holds for --make-room:
where a volume cannot hold the present files beside the copy, they are removed first, once the copy was read through.`,
  },
  parameters: {
    flags: {
      ...worldFlags,
      ...changeFlags,
      ...progressFlags,
      point: {
        kind: "parsed",
        parse: text,
        brief: "recovery point to restore from (default: the newest good copy)",
        optional: true,
        placeholder: "ID",
      },
      at: {
        kind: "parsed",
        parse: text,
        brief: 'newest good copy at this time: "2h ago", "yesterday", "2026-11-22 21:30"',
        optional: true,
        placeholder: "TIME",
      },
      to: {
        kind: "parsed",
        parse: text,
        brief: "another claim to restore into; it must exist",
        optional: true,
        placeholder: "NAMESPACE/PVC",
      },
      mover: {
        kind: "enum",
        values: ["kopia", "node-agent"],
        brief: "who writes the files: our own pod, or Velero's node-agent",
        default: "kopia",
      },
      from: {
        kind: "enum",
        values: ["velero", "zfs"],
        brief: "Velero's copies in the bucket, or snapshots on the NAS, from which nothing is copied",
        default: "velero",
      },
      snapshot: {
        kind: "parsed",
        parse: text,
        brief: "with --from zfs: the snapshot to restore from (default: the newest)",
        optional: true,
        placeholder: "NAME",
      },
      undo: { kind: "boolean", brief: "keep what is there now, so that it can be brought back", default: true },
      makeRoom: {
        kind: "boolean",
        brief: "remove what is there now before the copy is put in, for a volume that cannot hold both: NO UNDO",
        default: false,
        withNegated: false,
      },
    },
    aliases: { y: "yes" },
    positional: {
      kind: "array",
      minimum: 1,
      parameter: {
        brief: "namespace/pvc, or the claim's name where that is enough",
        parse: text,
        placeholder: "VOLUME",
      },
    },
  },
  loader: async () => (await import("./restore-body.ts")).restore,
});
