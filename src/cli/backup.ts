import { buildCommand } from "@stricli/core";
import { progressFlags, worldFlags } from "./flags.ts";

const percent = (text: string): number => {
  const value = Number(text);
  if (text.trim() !== "" && value >= 0 && value <= 100) return value;
  throw new Error(`"${text}" is not a share between 0 and 100`);
};

export const backupCommand = buildCommand({
  docs: {
    brief: "Makes a recovery point of everything, and verifies it with --wait",
    fullDescription: `A Velero backup of all objects and, as files, of all volumes. Volumes that no running pod mounts are mounted by
staging pods meanwhile. With --wait every copy is then looked at in the bucket, and what was seen is kept as evidence;
without, the command returns when Velero needs it no more, and the copies count as stored, not as verified.
Exit status: 3 when a volume is missing from it, 6 when a copy is bad.`,
  },
  parameters: {
    flags: {
      ...worldFlags,
      ...progressFlags,
      wait: { kind: "boolean", brief: "wait for its end, and verify", default: false, withNegated: false },
      verifyFilesPercent: {
        kind: "parsed",
        parse: percent,
        brief: "share of files whose content is read back, 0 to 100",
        default: "10",
        placeholder: "PERCENT",
      },
    },
  },
  loader: async () => (await import("./backup-body.ts")).backup,
});
