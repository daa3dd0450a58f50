/** Puts the engine together for a command: journal, locks, and every kind of step that there is. */
import { join } from "node:path";
import { homedir } from "node:os";
import { guardKinds } from "../guard/protect/kinds.ts";
import { retireKinds } from "../guard/retire/kinds.ts";
import { undeleteKinds } from "../guard/undelete/kinds.ts";
import { ArgoCd } from "../systems/gitops/argo.ts";
import { recordsPrefix } from "../inventory/records.ts";
import { Failure, messageOf } from "../model/failure.ts";
import { parseDuration } from "../model/units.ts";
import { isOver } from "../operation/entry.ts";
import { type OperationEvent } from "../operation/run.ts";
import { Operations } from "../operation/operations.ts";
import { stepKinds, type StepKinds } from "../operation/step-kind.ts";
import { clearFiles, proveCopies } from "../restore/steps/clear.ts";
import { replaceFiles } from "../restore/steps/files.ts";
import type { OnVolumes } from "../restore/steps/on-volumes.ts";
import { startWorkloads, stopWorkloads } from "../restore/steps/workloads.ts";
import { cloneDataset, createVolume, exportDataset, rebindClaim } from "../restore/zfs/steps.ts";
import { ensureNamespace } from "../systems/agent/namespace.ts";
import type { Agents } from "../systems/agent/port.ts";
import { BucketJournal } from "../systems/journal/bucket.ts";
import { ConfigMapJournal } from "../systems/journal/config-maps.ts";
import { FileJournal } from "../systems/journal/files.ts";
import { MirroredJournal, type Mirroring } from "../systems/journal/mirrored.ts";
import { MemoryJournal } from "../systems/journal/memory.ts";
import type { JournalStore } from "../systems/journal/port.ts";
import { fenced, fencedCreation } from "../systems/kubernetes/fenced.ts";
import type { Kubernetes } from "../systems/kubernetes/port.ts";
import { fencedNas, fencedRemover } from "../systems/nas/fenced.ts";
import type { Bucket } from "../systems/s3/port.ts";
import { lastCopiesOf } from "./last-copies.ts";
import { openMover } from "./mover.ts";
import type { World } from "./world.ts";

export interface OperationsFlags {
  /** ms for each wait. */
  readonly timeout: number;
}

/** Where this machine's journals lie, and what is kept of others': by the cluster's UID, since a new cluster may have an old one's name. */
const journalDirectories = async (world: World) => {
  const { env } = world.context;
  const state = env.XDG_STATE_HOME ?? join(env.HOME ?? homedir(), ".local", "state");
  const { name, uid } = await world.self();
  const directory = join(state, "holdfast", `${name}-${uid}`);
  return { own: join(directory, "operations"), kept: join(directory, "operations-elsewhere") };
};

/** The journal of this machine, mirrored to the bucket as far as there is one to be had. */
const openJournal = async (world: World, trouble: string): Promise<JournalStore> => {
  const open = (directory: string): JournalStore =>
    new FileJournal(directory, (length) => world.context.randomId(length));
  const { own, kept } = await journalDirectories(world);
  return mirrored(world, { own: open(own), kept: open(kept) }, trouble);
};

const keptHere = "the journal is kept on this machine only, for now";
const seenHere = "only operations that this machine knows of are seen, for now";

/** `trouble`: what it means that the bucket cannot be had. */
const mirrored = (world: World, stores: Pick<Mirroring, "own" | "kept">, trouble: string): JournalStore => {
  const { context, loaded } = world;
  const mirror = new BucketJournal(
    late(() => world.bucket()),
    `${recordsPrefix(loaded.config.holdfast.cluster)}operations/`,
  );
  const onTrouble = (error: unknown): void =>
    context.stderr.write(`note: ${trouble}: ${error instanceof Failure ? error.what : messageOf(error)}\n`);
  return new MirroredJournal({ ...stores, mirror, isOver, onTrouble });
};

/** A bucket that is opened when it is used: what keeps it from being opened is then a failure of that use. */
const late = (open: () => Promise<Bucket>): Bucket => ({
  list: async function* list(prefix) {
    yield* (await open()).list(prefix);
  },
  folders: async function* folders(prefix) {
    yield* (await open()).folders(prefix);
  },
  get: async (key) => (await open()).get(key),
  put: async (key, body, condition) => (await open()).put(key, body, condition),
  remove: async (key) => (await open()).remove(key),
});

/** Every kind of step that there is. `demand` throws when the operation's lock is lost. */
export const kindsOf = (
  world: World,
  cluster: Kubernetes,
  demand: () => void,
  { timeout }: OperationsFlags,
): StepKinds => {
  const kubernetes = fenced(cluster, demand);
  // What a process has made itself it may remove even when its lock is lost; that harms nobody.
  const making = fencedCreation(cluster, demand);
  const agents = (): Promise<Agents> => world.agents(making);
  const { clock } = world.context;
  const { namespace } = world.loaded.config.holdfast;
  const zfs = {
    kubernetes,
    clock,
    timeout,
    nas: async () => fencedNas(await world.nas(), demand),
    remover: async () => fencedRemover(await world.nasRemover(), demand),
  };
  const volumes: OnVolumes = {
    agents,
    mover: async (mover) => openMover(world, mover, { kubernetes, agents: await agents(), timeout }),
    kubernetes,
    clock,
    namespace,
    timeout,
  };
  const clearing = { ...volumes, store: world.store() };
  const all = [
    stopWorkloads({ kubernetes, clock, timeout }),
    startWorkloads({ kubernetes, clock, timeout }),
    proveCopies(clearing),
    clearFiles(clearing),
    replaceFiles(volumes),
    cloneDataset(zfs),
    exportDataset(zfs),
    createVolume(zfs),
    rebindClaim(zfs),
    ...guardKinds({ kubernetes, clock, timeout }),
    ...undeleteKinds({ kubernetes, clock, timeout }, new ArgoCd({ kubernetes, clock, timeout })),
    ...retireKinds(zfs, lastCopiesOf(world, { making, agents, timeout })),
  ];
  return stepKinds(all);
};

/** The engine for one command. Makes Holdfast's namespace, where its locks are. */
export const openOperations = async (
  world: World,
  flags: OperationsFlags,
  onEvent: (event: OperationEvent) => void,
): Promise<Operations> => {
  await ensureNamespace(await world.kubernetes(), world.loaded.config.holdfast.namespace);
  return engine(world, flags, onEvent, keptHere);
};

/** The engine for one who only looks. */
export type OperationsView = Pick<Operations, "list" | "read" | "planUndo" | "planSettle">;

/** Opens it. Changes nothing in the cluster or the bucket; what is over elsewhere may be kept here, to be read sooner. */
export const viewOperations = (world: World): Promise<OperationsView> =>
  engine(world, { timeout: 0 }, () => undefined, seenHere);

const engine = async (
  world: World,
  flags: OperationsFlags,
  onEvent: (event: OperationEvent) => void,
  trouble: string,
): Promise<Operations> => {
  const kubernetes = await world.kubernetes();
  return new Operations({
    ...common(world),
    journal: await openJournal(world, trouble),
    kubernetes,
    kinds: (demand) => kindsOf(world, kubernetes, demand, flags),
    onEvent,
    signal: world.context.signal,
  });
};

const common = ({ context, loaded: { config } }: World) => ({
  clock: context.clock,
  randomId: (length: number) => context.randomId(length),
  namespace: config.holdfast.namespace,
  who: machineOf(context),
  undoFor: parseDuration(config.policy.undoFor) ?? 0,
  rememberFor: parseDuration(config.policy.rememberFor) ?? Number.POSITIVE_INFINITY,
});

/** How others are told where something runs. */
export const machineOf = ({ env }: World["context"]): string => env.HOSTNAME ?? "this machine";

/** ms for each wait of the server's operations. */
const serverTimeout = 60_000;

/** The engine for the server, over its own port: the journal is in the cluster, since a pod has no disk of its own. */
export const openServerOperations = (world: World, kubernetes: Kubernetes, signal: AbortSignal): Operations => {
  const { clock } = world.context;
  return new Operations({
    ...common(world),
    journal: mirrored(
      world,
      {
        own: new ConfigMapJournal(kubernetes, world.loaded.config.holdfast.namespace),
        kept: new MemoryJournal(),
      },
      keptHere,
    ),
    kubernetes,
    kinds: (demand) => stepKinds(guardKinds({ kubernetes: fenced(kubernetes, demand), clock, timeout: serverTimeout })),
    onEvent: () => undefined,
    signal,
  });
};
