/**
 * Processes of Holdfast, as a user starts one for each command: the CLI's own bodies on the real cluster and NAS, without
 * the second that a program's start takes. Each has a life of its own, which may end in the middle. The bucket is the
 * twin: what is tried here is the cluster.
 */
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { CliContext } from "../../../src/cli/cli-context.ts";
import { findDeletions } from "../../../src/cli/deletions.ts";
import { allowDelete } from "../../../src/cli/guard-allow-delete-body.ts";
import { setGuard } from "../../../src/cli/guard-on-body.ts";
import { liveNasView, recordInventory } from "../../../src/cli/nas-view.ts";
import { openOperations } from "../../../src/cli/operations-world.ts";
import { bringBack } from "../../../src/cli/undelete-body.ts";
import type { World } from "../../../src/cli/world.ts";
import type { Context } from "../../../src/context.ts";
import type { Mode } from "../../../src/guard/protect/mode.ts";
import type { DeletedVolume } from "../../../src/guard/undelete/deleted.ts";
import { readClusterObjects } from "../../../src/inventory/read.ts";
import { Failure } from "../../../src/model/failure.ts";
import { isUnfinished } from "../../../src/operation/state.ts";
import { Life } from "../../../src/operation/testing/mortal.ts";
import type { KubeObject } from "../../../src/systems/kubernetes/port.ts";
import { resources } from "../../../src/systems/kubernetes/resources.ts";
import { MemoryBucket } from "../../../src/systems/s3/memory.ts";

/** How a process ended: well, by dying, or with the failure that its user reads. */
export type Ending = "done" | "died" | Failure;

export const endingText = (ending: Ending): string =>
  typeof ending === "string"
    ? ending
    : `${ending.code}: ${ending.what}${ending.why === undefined ? "" : ` (${ending.why})`}`;

const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";

export const realContext = (env: Context["env"], life = new Life()): Context & { said(): string } => {
  let said = "";
  const output = { isTTY: false, write: (text: string) => void (said += text) };
  return {
    clock: life.clock({
      now: () => Date.now(),
      sleep: (milliseconds: number, signal?: AbortSignal) => sleep(milliseconds, undefined, signal ? { signal } : {}),
    }),
    randomId: (length) => Array.from(randomBytes(length), (byte) => alphabet[byte % alphabet.length]).join(""),
    env,
    cwd: process.cwd(),
    stdin: { isTTY: false, readLine: async () => undefined },
    stdout: output,
    stderr: output,
    signal: new AbortController().signal,
    said: () => said,
  };
};

/** ms for each wait of a step. */
const timeout = 60_000;
const flags = { yes: true, dryRun: false, json: false, timeout } as const;

/** One change of the guard at a time: a plan is made of what it sees, and all households share the cluster. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  take<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work, work);
    this.#last = mine.catch(() => undefined);
    return mine;
  }
}

export interface HoldfastOptions {
  /** The lab's, whose connections all processes share. */
  readonly world: World;
  /** Where its journals are: nobody else's. */
  readonly stateHome: string;
  readonly namespace: string;
  readonly guardTurns: Turns;
}

type Body = (cli: CliContext, world: World) => Promise<void>;

/** Holdfast on a laptop: every command is a process of its own. */
export class Holdfast {
  readonly #options: HoldfastOptions;
  readonly #bucket = new MemoryBucket({ now: () => Date.now() });

  constructor(options: HoldfastOptions) {
    this.#options = options;
  }

  guard(mode: Mode, selector: string): Promise<Ending> {
    const { guardTurns } = this.#options;
    return guardTurns.take(() => this.#run((cli, world) => setGuard(cli, world, flags, { mode, selector })));
  }

  allowDelete(reference: string, withdraw: boolean): Promise<Ending> {
    const wish = { ...flags, for: 3_600_000, withdraw };
    return this.#options.guardTurns.take(() => this.#run((cli, world) => allowDelete(cli, world, wish, reference)));
  }

  undelete(references: readonly string[], diesAt?: number): Promise<Ending> {
    return this.#run((cli, world) => bringBack(cli, world, flags, references), diesAt);
  }

  /** What a backup writes of the cluster and the NAS. */
  record(): Promise<Ending> {
    return this.#run(async (_, world) => recordInventory(world, await liveNasView(world)));
  }

  /** What is deleted of these volumes. Throws Failures. */
  async deleted(references: readonly string[]): Promise<readonly DeletedVolume[]> {
    const { world } = this.#process(new Life());
    return findDeletions(world, await readClusterObjects(await world.kubernetes()), references);
  }

  /** The ids of what stopped in the middle. */
  async unfinished(): Promise<readonly string[]> {
    const { world } = this.#process(new Life());
    const { operations } = await (await openOperations(world, flags, () => undefined)).list();
    return operations.filter(isUnfinished).map(({ id }) => id);
  }

  resume(id: string): Promise<Ending> {
    return this.#run(async (_, world) => {
      await (await openOperations(world, flags, () => undefined)).resume(id);
    });
  }

  undo(id: string): Promise<Ending> {
    return this.#run(async (_, world) => {
      await (await openOperations(world, flags, () => undefined)).undo(id);
    });
  }

  #process(life: Life): { readonly cli: CliContext; readonly world: World } {
    const { world: real, stateHome } = this.#options;
    const context = realContext({ XDG_STATE_HOME: stateHome }, life);
    const bucket = this.#bucket;
    const { prefix } = real.store();
    const { cluster } = real.loaded.config.holdfast;
    const world: World = {
      context,
      loaded: real.loaded,
      kubernetes: async () => life.port(await real.kubernetes()),
      bucket: async () => bucket,
      bucketWithoutFence: async () => bucket,
      self: () => real.self(),
      nas: async () => life.port(await real.nas()),
      nasRemover: async () => life.port(await real.nasRemover()),
      points: async () => ({ bucket, prefix, cluster }),
      agents: (through) => real.agents(through),
      store: () => real.store(),
      password: () => real.password(),
      secrets: () => real.secrets(),
      close: async () => undefined,
    };
    const { stdout, stderr } = context;
    return { cli: { context, process: { stdout, stderr }, setExitStatus: () => undefined }, world };
  }

  async #run(body: Body, diesAt?: number): Promise<Ending> {
    const life = new Life(diesAt);
    const { cli, world } = this.#process(life);
    const work = body(cli, world).then(
      () => "done" as const,
      (error: unknown) => {
        if (error instanceof Failure) return error;
        throw error;
      },
    );
    const ending = await Promise.race([work, life.ended.then(() => "died" as const)]);
    if (ending === "died") await this.#bury();
    return ending;
  }

  /** The locks of a dead process run out within half a minute, which nobody waits for here (test/lab/75-operations.test.ts does). */
  async #bury(): Promise<void> {
    const { world, namespace } = this.#options;
    const kubernetes = await world.kubernetes();
    // What was under way arrives.
    await sleep(100);
    const leases = await kubernetes.list<KubeObject>(resources.leases, {
      namespace: world.loaded.config.holdfast.namespace,
    });
    const isOurs = ({ metadata }: KubeObject): boolean =>
      metadata.annotations?.["holdfast.dev/volume"]?.startsWith(`${namespace}/`) === true;
    for (const { metadata } of leases.items.filter(isOurs))
      await kubernetes.remove(resources.leases, { namespace: metadata.namespace ?? "", name: metadata.name });
  }
}
