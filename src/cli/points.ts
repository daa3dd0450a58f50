import { buildCommand, buildRouteMap } from "@stricli/core";
import { outputFlag, worldFlags } from "./flags.ts";

const listCommand = buildCommand({
  docs: { brief: "All recovery points, newest first" },
  parameters: { flags: { ...worldFlags, ...outputFlag }, aliases: { o: "output" } },
  loader: async () => (await import("./points-body.ts")).listPoints,
});

const showCommand = buildCommand({
  docs: { brief: "One recovery point: every copy in it" },
  parameters: {
    flags: { ...worldFlags, ...outputFlag },
    aliases: { o: "output" },
    positional: {
      kind: "tuple",
      parameters: [
        { brief: "id of the point, or the backup's name", parse: (text: string) => text, placeholder: "POINT" },
      ],
    },
  },
  loader: async () => (await import("./points-body.ts")).showPoint,
});

export const pointsRoutes = buildRouteMap({
  routes: { list: listCommand, show: showCommand },
  defaultCommand: "list",
  docs: { brief: "Recovery points: `points` lists them, `points show POINT` shows one" },
});
