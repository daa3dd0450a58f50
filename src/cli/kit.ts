import { buildCommand, buildRouteMap } from "@stricli/core";
import { outputFlag, text, worldFlags } from "./flags.ts";

const passphraseFile = {
  kind: "parsed",
  parse: text,
  brief: "file that holds the passphrase, instead of typing it",
  optional: true,
  placeholder: "FILE",
} as const;

const openingFlags = {
  identity: {
    kind: "parsed",
    parse: text,
    brief: "age identity that opens the kit, as age-keygen writes it",
    optional: true,
    placeholder: "FILE",
  },
  passphraseFile,
} as const;

const kitFile = {
  kind: "tuple",
  parameters: [{ brief: "the sealed kit", parse: text, placeholder: "FILE" }],
} as const;

const createCommand = buildCommand({
  docs: {
    brief: "Makes a kit: everything that opens the backups, sealed with age",
    fullDescription: `It is sealed for the recipients that are given, or those of kit.recipients in holdfast.yaml; without any, with a
passphrase that is typed twice. A new kit is not proven: \`holdfast kit check FILE\` does that, on a machine outside the
cluster. Keep it where neither the cluster nor the NAS can take it along.`,
  },
  parameters: {
    flags: {
      ...worldFlags,
      out: { kind: "parsed", parse: text, brief: "file to write the kit to", placeholder: "FILE" },
      recipient: {
        kind: "parsed",
        parse: text,
        brief: "recipient of age who can open it (age1…); may be given several times",
        optional: true,
        variadic: true,
        placeholder: "RECIPIENT",
      },
      passphraseFile,
      yes: { kind: "boolean", brief: "replace a file that is there", default: false, withNegated: false },
    },
    aliases: { y: "yes" },
  },
  loader: async () => (await import("./kit-create-body.ts")).createKit,
});

const showCommand = buildCommand({
  docs: {
    brief: "Opens a kit and shows what is in it; secrets only when asked",
    fullDescription:
      "Needs nothing but the file and what opens it: no holdfast.yaml, no cluster, no bucket.\n`--secrets -o json` prints the whole document, the same as `age -d` does.",
  },
  parameters: {
    flags: {
      ...openingFlags,
      secrets: { kind: "boolean", brief: "show passwords and keys too", default: false, withNegated: false },
      ...outputFlag,
    },
    aliases: { o: "output" },
    positional: kitFile,
  },
  loader: async () => (await import("./kit-show-body.ts")).showKit,
});

const checkCommand = buildCommand({
  docs: {
    brief: "Proves a kit by using it, and nothing but it",
    fullDescription: `Lists the bucket, opens every repository and reads the newest backup with the kit's own keys and password, logs in to
the NAS, and records in the bucket that this worked. \`status\` and \`doctor\` stay red until then. Run it on a machine
outside the cluster. A holdfast.yaml is not needed; when there is one, the kit must be that cluster's.`,
  },
  parameters: {
    flags: { config: worldFlags.config, ...openingFlags, ...outputFlag },
    aliases: { o: "output" },
    positional: kitFile,
  },
  loader: async () => (await import("./kit-check-body.ts")).checkKit,
});

export const kitRoutes = buildRouteMap({
  routes: { create: createCommand, check: checkCommand, show: showCommand },
  docs: { brief: "What must survive outside the cluster: `kit create`, `kit check FILE`, `kit show FILE`" },
});
