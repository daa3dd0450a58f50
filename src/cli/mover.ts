/** Makes the mover that a restore asks for. */
import { KopiaMover } from "../restore/movers/kopia.ts";
import { NodeAgentMover } from "../restore/movers/node-agent.ts";
import type { DataMover, Mover } from "../restore/movers/replacement.ts";
import type { World } from "./world.ts";

/** `timeout`: ms for each volume, where Velero's node-agent does the work. */
export const openMover = async (world: World, mover: Mover, timeout: number): Promise<DataMover> => {
  const [agents, store] = [await world.agents(), world.store()];
  if (mover === "kopia") return new KopiaMover(agents, store);
  const { velero, holdfast } = world.loaded.config;
  return new NodeAgentMover({
    agents,
    store,
    kubernetes: await world.kubernetes(),
    clock: world.context.clock,
    veleroNamespace: velero.namespace,
    storageLocation: velero.storageLocation,
    image: holdfast.image,
    timeout,
  });
};
