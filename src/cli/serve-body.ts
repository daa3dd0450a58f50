/** `holdfast serve`. */
import type { Mode } from "../guard/protect/mode.ts";
import type { Address } from "../server/http.ts";
import { listen } from "../server/http.ts";
import { logTo } from "../server/log.ts";
import { serve, type ServeOptions } from "../server/serve.ts";
import { newStanding } from "../server/standing.ts";
import { ensureNamespace } from "../systems/agent/namespace.ts";
import type { Kubernetes } from "../systems/kubernetes/port.ts";
import { commandBody } from "./body.ts";
import type { CliContext } from "./cli-context.ts";
import { requireOwnBucket } from "./fence.ts";
import type { WorldFlags } from "./flags.ts";
import { liveNasView, recordInventory } from "./nas-view.ts";
import { machineOf, openServerOperations } from "./operations-world.ts";
import type { World } from "./world.ts";

export interface ServeFlags extends WorldFlags {
  readonly listen: Address;
  readonly mode?: Mode;
}

export const serveForever = commandBody<ServeFlags, []>((cli, world, flags) => runServer(cli, world, flags));

/** Returns when the signal has ended it: that is success. Throws what no waiting mends: no kubeconfig, no address. */
export const runServer = async ({ context }: CliContext, world: World, flags: ServeFlags): Promise<void> => {
  const log = logTo(context.stderr, context.clock);
  const standing = newStanding(context.clock.now());
  const kubernetes = await world.kubernetes();
  const listening = await listen(flags.listen, standing, context.clock);
  log("info", "listening", `http://${listening.address}`, { address: listening.address });
  try {
    await serve(optionsOf(world, flags, kubernetes, { log, standing }));
  } finally {
    await listening.close();
  }
};

const optionsOf = (
  world: World,
  { mode }: ServeFlags,
  kubernetes: Kubernetes,
  told: Pick<ServeOptions, "log" | "standing">,
): ServeOptions => {
  const { context, loaded } = world;
  const { holdfast, guard } = loaded.config;
  return {
    ...told,
    kubernetes,
    clock: context.clock,
    randomId: (length) => context.randomId(length),
    signal: context.signal,
    namespace: holdfast.namespace,
    who: machineOf(context),
    mode: mode ?? guard.mode,
    prepare: () => ensureNamespace(kubernetes, holdfast.namespace),
    openOperations: (through, signal) => openServerOperations(world, through, signal),
    record: async () => recordInventory(world, await liveNasView(world)),
    demandOwnBucket: () => requireOwnBucket(world),
  };
};
