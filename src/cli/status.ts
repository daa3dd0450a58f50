import { buildCommand } from "@stricli/core";
import { outputFlag, worldFlags } from "./flags.ts";

export const statusCommand = buildCommand({
  docs: {
    brief: "Every volume: newest copy, its age, how far it is proven, and why not further",
    fullDescription:
      "Exit status: 0 when every volume has a good copy within the RPO or is left out on purpose, and a kit outside the cluster\nis proven (`holdfast kit check`); 4 when not; 5 when the bucket belongs to another cluster.\nWhen the API server does not answer, the volumes of the newest backup are shown, and it says so.",
  },
  parameters: {
    flags: {
      ...worldFlags,
      ...outputFlag,
      namespace: {
        kind: "parsed",
        parse: (text: string) => text,
        brief: "only volumes of this namespace",
        optional: true,
        placeholder: "NAME",
      },
    },
    aliases: { o: "output", n: "namespace" },
  },
  loader: async () => (await import("./status-body.ts")).status,
});
