import { buildCommand, buildRouteMap } from "@stricli/core";
import { modes } from "../guard/protect/mode.ts";
import { changeFlags, durationFlag, outputFlag, progressFlags, text, worldFlags } from "./flags.ts";

const selector = {
  kind: "tuple",
  parameters: [
    {
      brief: "a volume, an app, NAMESPACE/ or * (default: everything)",
      parse: text,
      placeholder: "SELECTOR",
      optional: true,
    },
  ],
} as const;

const oneVolume = {
  kind: "tuple",
  parameters: [{ brief: "the volume: namespace/pvc, or a part that is enough", parse: text, placeholder: "VOLUME" }],
} as const;

const changing = { ...worldFlags, ...changeFlags, ...progressFlags } as const;

const onCommand = buildCommand({
  docs: {
    brief: "Keeps volumes from being deleted, and their bytes from going with them",
    fullDescription: `The plan is shown first. PersistentVolumes get the reclaim policy Retain; claims and what leads to them are marked for
GitOps tools; claims get a finalizer; and an admission policy lets the API server refuse deletions. Every long-lived
volume is guarded; exceptions are listed with their reasons. It may be run again at any time: what is there stays.

  deny  deletion is refused
  hold  deletion is accepted, and waits until \`guard allow-delete\` answers
  bin   deletion passes, and the bytes stay
  off   as \`guard off\``,
  },
  parameters: {
    flags: { ...changing, mode: { kind: "enum", values: modes, brief: "what becomes of deletions", default: "deny" } },
    aliases: { y: "yes" },
    positional: selector,
  },
  loader: async () => (await import("./guard-on-body.ts")).guardOn,
});

const offCommand = buildCommand({
  docs: {
    brief: "Takes the guard away again, and gives PersistentVolumes the reclaim policy of before",
    fullDescription:
      "Nothing of the guard stays on the volumes that are named. What keeps the bytes of a claim that is being deleted, or is gone, stays.",
  },
  parameters: { flags: changing, aliases: { y: "yes" }, positional: selector },
  loader: async () => (await import("./guard-on-body.ts")).guardOff,
});

const statusCommand = buildCommand({
  docs: {
    brief: "How each volume is guarded, layer by layer, as it is on the cluster now",
    fullDescription:
      "Exit status: 0 when every volume is guarded as its mode says, or rightly not at all; 4 when not.\n-o wide and -o json say more.",
  },
  parameters: { flags: { ...worldFlags, ...outputFlag }, aliases: { o: "output" }, positional: selector },
  loader: async () => (await import("./guard-status-body.ts")).guardStatus,
});

const checkCommand = buildCommand({
  docs: {
    brief: "Proves the guard: asks to delete everything that is guarded, in a dry run, and must be refused",
    fullDescription: `Nothing is deleted. For each volume it lists every way to delete it, and what stands in that way.
Exit status: 0 when every guarded object was refused and every way is covered; 3 when the API server could not be asked
for all; 4 when a way is open, or nothing is guarded; 6 when the admission policy is there and did not refuse.`,
  },
  parameters: { flags: { ...worldFlags, ...outputFlag }, aliases: { o: "output" }, positional: selector },
  loader: async () => (await import("./guard-check-body.ts")).guardCheck,
});

const allowCommand = buildCommand({
  docs: {
    brief: "Lets one volume be deleted, for a while",
    fullDescription: `Opens the guard of this very claim and its PersistentVolume, by their UIDs. Its bytes stay (Retain). A claim that is
being deleted and was only held (mode hold) ends now. \`holdfast serve\` closes the guard when the time is over; where none
runs, \`guard status\` says that it has passed. \`--withdraw\` closes it at once.`,
  },
  parameters: {
    flags: {
      ...changing,
      for: { kind: "parsed", parse: durationFlag, brief: "for how long", default: "1h", placeholder: "DURATION" },
      withdraw: { kind: "boolean", brief: "take the permission back", default: false, withNegated: false },
    },
    aliases: { y: "yes" },
    positional: oneVolume,
  },
  loader: async () => (await import("./guard-allow-delete-body.ts")).guardAllowDelete,
});

export const guardRoutes = buildRouteMap({
  routes: {
    on: onCommand,
    off: offCommand,
    status: statusCommand,
    check: checkCommand,
    "allow-delete": allowCommand,
  },
  docs: { brief: "Keeps volumes from being deleted: `guard on`, `off`, `status`, `check`, `allow-delete`" },
});
