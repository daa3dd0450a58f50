import { buildCommand } from "@stricli/core";
import { outputFlag, worldFlags } from "./flags.ts";

export const whyCommand = buildCommand({
  docs: { brief: "Explains one volume: what it is, who uses it, every copy of it, and what stands in the way of more" },
  parameters: {
    flags: { ...worldFlags, ...outputFlag },
    aliases: { o: "output" },
    positional: {
      kind: "tuple",
      parameters: [
        {
          brief: "namespace/pvc, or the claim's name where that is enough",
          parse: (text: string) => text,
          placeholder: "VOLUME",
        },
      ],
    },
  },
  loader: async () => (await import("./why-body.ts")).why,
});
