import { buildCommand } from "@stricli/core";
import { worldFlags } from "./flags.ts";

export const adoptCommand = buildCommand({
  docs: {
    brief: "Makes this cluster the owner of its part of the bucket, which another cluster had before",
    fullDescription:
      "For the successor of a cluster that is gone. Until then it is fenced: it reads the bucket and writes nothing. The other cluster is fenced from then on, if it still lives. Shows both, and asks for the cluster's name; there is no way around typing it.",
  },
  parameters: { flags: worldFlags },
  loader: async () => (await import("./adopt-body.ts")).adopt,
});
