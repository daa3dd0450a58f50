/** The steps of a restore from a ZFS snapshot: clone, export, PersistentVolume, claim. Nothing is copied. */
import { z } from "zod";
import type { Clock } from "../../context.ts";
import type { PersistentVolume } from "../../inventory/raw.ts";
import { isGuardedAgain, letGo } from "../../guard/letting-go.ts";
import { marksInput } from "../../guard/protect/steps/set-marks.ts";
import { Failure, isFailure } from "../../model/failure.ts";
import type { Json } from "../../model/plan.ts";
import type { StepContext, StepKind } from "../../operation/step-kind.ts";
import type { KubeObject, Kubernetes } from "../../systems/kubernetes/port.ts";
import { resources } from "../../systems/kubernetes/resources.ts";
import type { Dataset, Identity, Nas, NasRemover, NewExport, VolumeExport } from "../../systems/nas/port.ts";
import { type Binding, rebind, type RebindWorld, setReclaimPolicy, untilNotGoing } from "./rebind.ts";

export interface ZfsOptions {
  readonly kubernetes: Kubernetes;
  readonly nas: () => Promise<Nas>;
  readonly remover: () => Promise<NasRemover>;
  readonly clock: Clock;
  /** ms for each wait. */
  readonly timeout: number;
}

/** The kinds below: after any of them other PVs, datasets or exports are there than before. */
export const zfsKinds: ReadonlySet<string> = new Set([
  "clone-dataset",
  "export-dataset",
  "create-volume",
  "rebind-claim",
]);

/** Marks what an operation has made on the NAS and in the cluster: nothing else is ever taken away again. */
export const madeByProperty = "holdfast.dev:operation";
export const madeByAnnotation = "holdfast.dev/operation";

const identity = z.strictObject({ name: z.string(), guid: z.string(), createtxg: z.string() });

const cloneInput = z.strictObject({
  volume: z.string(),
  /** The dataset that the clone takes the place of. */
  origin: identity,
  snapshot: identity,
  target: z.string(),
  refquota: z.number().nullable(),
  volsize: z.number().nullable(),
  properties: z.record(z.string(), z.string()),
  /** Bytes that the origin holds; shown with what is set aside. */
  bytes: z.number(),
});
export type CloneInput = z.output<typeof cloneInput>;

/** Which of the two is not in use any more: "origin" after the restore, "clone" after its undo. */
const asideMemo = z.object({ aside: z.enum(["origin", "clone"]) });
const cloneMemo = asideMemo.extend({ clone: identity });
const asideOf = (memo: Json): "origin" | "clone" => asideMemo.parse(memo).aside;

const isOurs = (dataset: Dataset, operation: string): boolean => dataset.properties[madeByProperty] === operation;

const busyPause = 1000;

/**
 * Destroys this dataset and no other of its name, with the snapshots that it has now. Nodes let go of a volume some time
 * after its pods have gone: until then it is busy, and that is waited for.
 */
const destroy = async (options: ZfsOptions, dataset: Identity, signal: AbortSignal): Promise<void> => {
  const [nas, remover] = [await options.nas(), await options.remover()];
  const deadline = options.clock.now() + options.timeout;
  for (;;) {
    try {
      await remover.destroyDataset(dataset, await nas.snapshots(dataset.name));
      return;
    } catch (error) {
      if (!isFailure(error, "NAS_BUSY") || options.clock.now() > deadline) throw error;
    }
    await options.clock.sleep(busyPause, signal);
  }
};

const cloned = async (nas: Nas, input: CloneInput, operation: string): Promise<Dataset> => {
  const present = await nas.dataset(input.target);
  if (present !== undefined && !isOurs(present, operation))
    throw new Failure("NAS_EXISTS", {
      what: `The dataset ${input.target} exists, and this operation has not made it.`,
    });
  if (present !== undefined) return present;
  return nas.clone(input.snapshot, input.target, {
    ...(input.refquota === null ? {} : { refquota: input.refquota }),
    ...(input.volsize === null ? {} : { volsize: input.volsize }),
    properties: { ...input.properties, [madeByProperty]: operation },
  });
};

/** "clone-dataset": a dataset with the snapshot's content, beside the one that it takes the place of. */
export const cloneDataset = (options: ZfsOptions): StepKind<CloneInput> => ({
  kind: "clone-dataset",
  input: cloneInput,
  check: async ({ target }, { operation }) => {
    const present = await (await options.nas()).dataset(target);
    return present !== undefined && isOurs(present, operation) ? "present" : "absent";
  },
  apply: async (input, { operation }) => {
    const { name, guid, createtxg } = await cloned(await options.nas(), input, operation);
    return { aside: "origin", clone: { name, guid, createtxg } };
  },
  undo: async ({ target }, memo, { operation, used, signal }) => {
    if (used) return { ...(memo as object), aside: "clone" };
    const present = await (await options.nas()).dataset(target);
    if (present !== undefined && isOurs(present, operation)) await destroy(options, present, signal);
    return null;
  },
  redo: async (_, memo) => ({ ...(memo as object), aside: "origin" }),
  setAside: ({ volume, origin, target, bytes }, memo) =>
    asideOf(memo) === "origin"
      ? [{ volume, where: `dataset ${origin.name}`, bytes }]
      : [{ volume, where: `dataset ${target}`, bytes: undefined }],
  settle: async ({ origin }, memo, { signal }) => {
    const { aside, clone } = cloneMemo.parse(memo);
    const nas = await options.nas();
    // Its origin's snapshots become its own: from here on the origin can go, and the clone lives by itself.
    if (aside === "origin" && (await nas.dataset(clone.name))?.origin !== undefined) await nas.promote(clone);
    await destroy(options, aside === "origin" ? origin : clone, signal);
  },
});

const exportInput = z.strictObject({
  /** What is made: `NewExport`. */
  wanted: z.json(),
  /** The origin's export, which goes when the operation is settled: `VolumeExport`; null when it has none. */
  old: z.json(),
  /** Names of user properties that keep the ids of what was made, by what they keep. */
  idProperties: z.record(z.string(), z.string()),
});
export type ExportInput = z.output<typeof exportInput>;

const exportMemo = z.object({ made: z.json(), aside: z.enum(["origin", "clone"]) });

const idsOf = (made: VolumeExport): Readonly<Record<string, number>> =>
  made.kind === "nfs"
    ? { share: made.share }
    : { target: made.target, extent: made.extent, targetExtent: made.targetExtent };

const exported = async (nas: Nas, { wanted, idProperties }: ExportInput): Promise<VolumeExport> => {
  const made = await nas.createExport(wanted as unknown as NewExport);
  const properties = Object.fromEntries(
    Object.entries(idsOf(made)).flatMap(([what, id]) => {
      const property = idProperties[what];
      return property === undefined ? [] : [[property, String(id)] as const];
    }),
  );
  await nas.change((wanted as unknown as NewExport).dataset, { properties });
  return made;
};

const memoOf = (made: VolumeExport, aside: "origin" | "clone"): Json => ({ made: made as unknown as Json, aside });

/** "export-dataset": a share, or target and extent, like those of the dataset that the clone takes the place of. */
export const exportDataset = ({ nas }: ZfsOptions): StepKind<ExportInput> => ({
  kind: "export-dataset",
  input: exportInput,
  // Making it again finds what is there.
  check: async () => "partial",
  apply: async (input) => memoOf(await exported(await nas(), input), "origin"),
  undo: async (input, memo, { used }) => {
    const reading = await nas();
    if (used) return { ...(memo as object), aside: "clone" };
    const known = memo === null ? undefined : (exportMemo.parse(memo).made as unknown as VolumeExport);
    const dataset = await reading.dataset((input.wanted as unknown as NewExport).dataset);
    // Without the dataset there is nothing that could have been exported.
    if (dataset !== undefined) await reading.removeExport(known ?? (await exported(reading, input)));
    return null;
  },
  redo: async (_, memo) => ({ ...(memo as object), aside: "origin" }),
  settle: async ({ old }, memo) => {
    const { made, aside } = exportMemo.parse(memo);
    const unused = (aside === "origin" ? old : made) as unknown as VolumeExport | null;
    if (unused !== null) await (await nas()).removeExport(unused);
  },
});

const volumeInput = z.strictObject({ manifest: z.json() });
export type VolumeObjectInput = z.output<typeof volumeInput>;

const manifestOf = (input: VolumeObjectInput): PersistentVolume => input.manifest as unknown as PersistentVolume;

/** Takes away a PV's object that an operation has made; its bytes stay, because it says Retain. */
const removeVolumeObject = async (world: RebindWorld, name: string, isExpected: (pv: PersistentVolume) => boolean) => {
  const present = await world.kubernetes.get<PersistentVolume>(resources.persistentVolumes, { name });
  if (present === undefined || !isExpected(present)) return;
  await setReclaimPolicy(world, name, "Retain");
  await letGo(world.kubernetes, resources.persistentVolumes, present);
  await world.kubernetes.remove(resources.persistentVolumes, { name }, { uid: present.metadata.uid ?? "" });
};

/** "create-volume": the PersistentVolume of the clone. */
export const createVolume = (options: ZfsOptions): StepKind<VolumeObjectInput> => {
  const { kubernetes } = options;
  const worldOf = ({ signal }: StepContext): RebindWorld => ({ ...options, signal });
  const isMadeBy = (operation: string) => (pv: PersistentVolume) =>
    pv.metadata.annotations?.[madeByAnnotation] === operation;
  const nameOf = (input: VolumeObjectInput): string => manifestOf(input).metadata.name;
  const find = (input: VolumeObjectInput) =>
    kubernetes.get<PersistentVolume>(resources.persistentVolumes, { name: nameOf(input) });
  return {
    kind: "create-volume",
    input: volumeInput,
    check: async (input, { operation }) => {
      const present = await find(input);
      return present !== undefined && isMadeBy(operation)(present) ? "present" : "absent";
    },
    apply: async (input, context) => {
      const { operation } = context;
      const present = await untilNotGoing(worldOf(context), nameOf(input));
      if (present !== undefined && !isMadeBy(operation)(present))
        throw new Failure("KUBERNETES_CONFLICT", { what: `There is another PersistentVolume ${nameOf(input)}.` });
      const manifest = manifestOf(input);
      const { metadata } = manifest;
      const annotations = { ...metadata.annotations, [madeByAnnotation]: operation };
      if (present === undefined)
        await kubernetes.create(resources.persistentVolumes, {
          ...manifest,
          metadata: { ...metadata, annotations },
        });
      return { operation, aside: "origin" };
    },
    undo: async (input, memo, context) => {
      if (context.used) return { ...(memo as object), aside: "clone" };
      await removeVolumeObject(worldOf(context), nameOf(input), isMadeBy(context.operation));
      return null;
    },
    redo: async (_, memo) => ({ ...(memo as object), aside: "origin" }),
    settle: async (input, memo, context) => {
      const { operation, aside } = z.object({ operation: z.string(), aside: z.string() }).parse(memo);
      if (aside === "clone") await removeVolumeObject(worldOf(context), nameOf(input), isMadeBy(operation));
    },
  };
};

const bindInput = z.strictObject({
  namespace: z.string(),
  claim: z.string(),
  from: z.strictObject({ name: z.string(), uid: z.string(), policy: z.string() }),
  to: z.string(),
  manifest: z.json(),
  /** The guard's. */
  marks: marksInput,
});
export type BindInput = z.output<typeof bindInput>;

const bindingTo = ({ namespace, claim, manifest, marks }: BindInput, to: string): Binding => ({
  namespace,
  claim,
  to,
  manifest: manifest as unknown as KubeObject,
  marks,
});

/** "rebind-claim": the claim has the clone's PersistentVolume. */
export const rebindClaim = (options: ZfsOptions): StepKind<BindInput> => {
  const worldOf = ({ signal }: StepContext): RebindWorld => ({ ...options, signal });
  const forth = async (input: BindInput, context: StepContext): Promise<Json> => {
    await rebind(worldOf(context), bindingTo(input, input.to));
    return { aside: "origin" };
  };
  return {
    kind: "rebind-claim",
    input: bindInput,
    check: async ({ namespace, claim, to, marks }) => {
      const found = await options.kubernetes.get<KubeObject & { readonly spec: { readonly volumeName?: string } }>(
        resources.persistentVolumeClaims,
        { namespace, name: claim },
      );
      return found?.spec.volumeName === to && isGuardedAgain(marks, found) ? "present" : "partial";
    },
    apply: forth,
    undo: async (input, _, context) => {
      const world = worldOf(context);
      await rebind(world, bindingTo(input, input.from.name));
      // Exactly what was there, now that both sides are bound.
      await setReclaimPolicy(world, input.from.name, input.from.policy);
      return { aside: "clone" };
    },
    redo: (input, _, context) => forth(input, context),
    settle: async ({ from }, memo, context) => {
      if (asideOf(memo) !== "origin") return;
      await removeVolumeObject(worldOf(context), from.name, ({ metadata }) => metadata.uid === from.uid);
    },
  };
};
