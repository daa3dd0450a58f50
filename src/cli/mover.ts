/** Makes the mover that a restore asks for. */
import { KopiaMover } from "../restore/movers/kopia.ts";
import { NodeAgentMover } from "../restore/movers/node-agent.ts";
import type { DataMover, Mover } from "../restore/movers/replacement.ts";
import type { Agents } from "../systems/agent/port.ts";
import type { Kubernetes } from "../systems/kubernetes/port.ts";
import type { World } from "./world.ts";

export interface MoverOptions {
  readonly kubernetes: Kubernetes;
  readonly agents: Agents;
  /** ms for each volume, where Velero's node-agent does the work. */
  readonly timeout: number;
}

export const openMover = (world: World, mover: Mover, { kubernetes, agents, timeout }: MoverOptions): DataMover => {
  const store = world.store();
  if (mover === "kopia") return new KopiaMover(agents, store);
  const { velero, holdfast } = world.loaded.config;
  return new NodeAgentMover({
    agents,
    store,
    kubernetes,
    clock: world.context.clock,
    randomId: (length) => world.context.randomId(length),
    veleroNamespace: velero.namespace,
    storageLocation: velero.storageLocation,
    image: holdfast.image,
    timeout,
  });
};
