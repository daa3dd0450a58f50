import { buildCommand, buildRouteMap } from "@stricli/core";
import { outputFlag, worldFlags } from "./flags.ts";

const orphansCommand = buildCommand({
  docs: {
    brief: "Datasets that no PV points at, and snapshots that CSI drivers left behind; removes nothing",
    fullDescription:
      "Looks below nas.parents of holdfast.yaml. What is younger than an hour is left out: a driver may be at work.\nNothing is removed, neither now nor later: what to do about each is said, and is yours to do. Needs the cluster and the NAS; what a dataset was is looked up in the inventories in the bucket.",
  },
  parameters: { flags: { ...worldFlags, ...outputFlag }, aliases: { o: "output" } },
  loader: async () => (await import("./nas-orphans-body.ts")).nasOrphans,
});

export const nasRoutes = buildRouteMap({
  routes: { orphans: orphansCommand },
  docs: { brief: "The NAS: `nas orphans` lists what belongs to no volume any more" },
});
