import { buildCommand, buildRouteMap } from "@stricli/core";
import { changeFlags, durationFlag, outputFlag, progressFlags, text, worldFlags } from "./flags.ts";

const volumes = {
  kind: "array",
  parameter: {
    brief: "the volume that it was: namespace/pvc, a part that is enough, or its PersistentVolume",
    parse: text,
    placeholder: "VOLUME",
  },
} as const;

const listCommand = buildCommand({
  docs: {
    brief: "What was retired, with its size, its age and its last good copy",
    fullDescription:
      "SIZE is what the NAS says it takes, snapshots included; without a NAS it is what was promised to the claim.",
  },
  parameters: { flags: { ...worldFlags, ...outputFlag }, aliases: { o: "output" } },
  loader: async () => (await import("./trash-list-body.ts")).trashList,
});

const restoreCommand = buildCommand({
  docs: {
    brief: "Brings volumes back from the trash: the claims again, on the bytes that they had",
    fullDescription:
      "They are guarded as before. A claim that still waits for the commit that deletes it is kept: its guard is closed again.",
  },
  parameters: {
    flags: { ...worldFlags, ...changeFlags, ...progressFlags },
    aliases: { y: "yes" },
    positional: { ...volumes, minimum: 1 },
  },
  loader: async () => (await import("./trash-restore-body.ts")).trashRestore,
});

const emptyCommand = buildCommand({
  docs: {
    brief: "Frees what is in the trash: NO UNDO",
    fullDescription: `The CSI driver that made a volume deletes its PersistentVolume and its dataset, snapshots included; the command ends when
both are gone. Without VOLUME everything in the trash. What no driver deletes, what others live on, and what has no verified
copy is refused, and then nothing is freed at all. The names are typed, unless --yes is given.`,
  },
  parameters: {
    flags: {
      ...worldFlags,
      ...changeFlags,
      ...progressFlags,
      olderThan: {
        kind: "parsed",
        parse: durationFlag,
        brief: "only what was retired longer ago",
        optional: true,
        placeholder: "DURATION",
      },
      noCopy: { kind: "boolean", brief: "free also what has no verified copy", default: false, withNegated: false },
    },
    aliases: { y: "yes" },
    positional: volumes,
  },
  loader: async () => (await import("./trash-empty-body.ts")).trashEmpty,
});

export const trashRoutes = buildRouteMap({
  routes: { list: listCommand, restore: restoreCommand, empty: emptyCommand },
  docs: { brief: "What was retired: `trash list`, `restore`, `empty`" },
});
