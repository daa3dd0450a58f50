/** All versions in one line, to be pasted into a bug report. */
import { type Check, ok } from "./check.ts";
import { readVelero, tagOf } from "./velero-deployment.ts";
import type { DoctorWorld } from "./world.ts";

export const versionChecks = (world: DoctorWorld, holdfastVersion: string): readonly Check[] => [
  {
    id: "versions",
    title: "Versions",
    needs: ["velero"],
    look: async () => {
      const kubernetes = await world.kubernetes();
      const velero = await readVelero(kubernetes, world.loaded.config.velero.namespace);
      const parts = [
        `Holdfast ${holdfastVersion}`,
        `Kubernetes ${await kubernetes.version()}`,
        `Velero ${tagOf(velero.image) ?? velero.image}`,
        ...velero.plugins.map((image) => `plugin ${image}`),
      ];
      return ok(parts.join(", "));
    },
  },
];
