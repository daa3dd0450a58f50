import { buildCommand } from "@stricli/core";
import { outputFlag, worldFlags } from "./flags.ts";

export const doctorCommand = buildCommand({
  docs: {
    brief: "Checks cluster, rights, Velero, bucket and repository password; says what to do",
    fullDescription:
      "Changes nothing that lasts: it asks Velero for its version, and writes, reads and removes one small object in the bucket.\nExit status: 0 when nothing failed (warnings are no failure), else that of the first failed check's error.",
  },
  parameters: { flags: { ...worldFlags, ...outputFlag }, aliases: { o: "output" } },
  loader: async () => (await import("./doctor-body.ts")).doctor,
});
