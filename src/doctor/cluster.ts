/** The file that everything follows from, and the cluster that it names. */
import { type Check, ok } from "./check.ts";
import type { DoctorWorld } from "./world.ts";

export const clusterChecks = (world: DoctorWorld): readonly Check[] => [
  {
    id: "config",
    title: "holdfast.yaml",
    look: async () => ok(`${world.loaded.file}, cluster "${world.loaded.config.holdfast.cluster}"`),
  },
  {
    id: "kubernetes",
    title: "API server",
    look: async () => ok(`Kubernetes ${await (await world.kubernetes()).version()} answers`),
  },
];
