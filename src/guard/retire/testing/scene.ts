/** Volumes retired, and their trash emptied, in memory: a guarded cluster with its binder, a CSI driver, and the engine. */
import type { Claim, PersistentVolume } from "../../../inventory/raw.ts";
import { volumesOf } from "../../../inventory/volumes.ts";
import { Failure } from "../../../model/failure.ts";
import type { Plan } from "../../../model/plan.ts";
import { type StepKinds, stepKinds } from "../../../operation/step-kind.ts";
import type { Scene } from "../../../operation/testing/kill-matrix.ts";
import type { Life } from "../../../operation/testing/mortal.ts";
import { OperationWorld } from "../../../operation/testing/process.ts";
import { MemoryBinder } from "../../../systems/kubernetes/memory-binder.ts";
import type { MemoryKubernetes } from "../../../systems/kubernetes/memory.ts";
import type { Kubernetes } from "../../../systems/kubernetes/port.ts";
import { resources } from "../../../systems/kubernetes/resources.ts";
import { settled } from "../../../systems/kubernetes/testing/world.ts";
import { MemoryNas, MemoryRemover } from "../../../systems/nas/memory.ts";
import { MemoryZfs } from "../../../systems/nas/memory-zfs.ts";
import { guardKinds } from "../../protect/kinds.ts";
import { openingKey } from "../../protect/mode.ts";
import { aGuardCluster, putVolume } from "../../protect/testing/cluster.ts";
import { planNow, traces } from "../../protect/testing/scene.ts";
import { readGuardView } from "../../protect/view.ts";
import type { Commit } from "../deployed.ts";
import { planEmpty } from "../empty.ts";
import { retireKinds } from "../kinds.ts";
import { planRetire } from "../plan.ts";
import type { LastCopies, LastCopyInput } from "../steps/last-copy.ts";
import { trashIn } from "../trash.ts";

const claimName = { namespace: "media", name: "sonarr-config" };
const name = "pv-sonarr-config";
const driver = "org.democratic-csi";
const dataset = "tank/k8s/v/sonarr-config";
const hour = 3_600_000;

export type Retiring = "alone" | "by a commit" | "empty";

/** Who copies, as a test sees it. */
export class MemoryCopies implements LastCopies {
  readonly made = new Set<string>();
  /** What keeps the next copy from being made. */
  failure: Failure | undefined;

  async make({ point }: LastCopyInput): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    this.made.add(point);
  }
  async areThere({ point }: LastCopyInput): Promise<boolean> {
    return this.made.has(point);
  }
  async tidy(): Promise<void> {}
}

export interface RetireScene extends Scene {
  readonly kubernetes: MemoryKubernetes;
  readonly copies: MemoryCopies;
  readonly zfs: MemoryZfs;
  readonly world: OperationWorld;
  /** The driver's controller is away: it deletes nothing. */
  driverIsAway: boolean;
  process(life?: Life): ReturnType<OperationWorld["process"]>;
  claim(): Promise<Claim | undefined>;
  pv(): Promise<PersistentVolume | undefined>;
  traces(): Promise<Readonly<Record<string, unknown>>>;
  stop(): void;
}

/** What the driver's controller does with a volume that is released and says Delete. */
const drive = (kubernetes: MemoryKubernetes, zfs: MemoryZfs, isAway: () => boolean): (() => void) => {
  const controller = kubernetes.as("external-provisioner");
  return kubernetes.onChange(resources.persistentVolumes, async ({ type, object }) => {
    const { spec, status } = object as PersistentVolume & { readonly status?: { readonly phase?: string } };
    const isWanted = spec.persistentVolumeReclaimPolicy === "Delete" && status?.phase === "Released";
    if (type === "DELETED" || !isWanted || isAway()) return;
    const found = await new MemoryNas(zfs).dataset(dataset);
    if (found !== undefined) await new MemoryRemover(zfs).destroyDataset(found, []);
    await controller.remove(resources.persistentVolumes, { name: object.metadata.name });
  });
};

interface Stage {
  readonly world: OperationWorld;
  readonly copies: MemoryCopies;
  readonly zfs: MemoryZfs;
}

const kindsOn =
  ({ world, copies, zfs }: Stage) =>
  (kubernetes: Kubernetes, life: Life): StepKinds => {
    const waits = { kubernetes, clock: life.clock(world.clock), timeout: 10_000 };
    const nas: MemoryNas = life.port(new MemoryNas(zfs));
    const own: MemoryCopies = life.port(copies);
    return stepKinds([...guardKinds(waits), ...retireKinds({ ...waits, nas: async () => nas }, own)]);
  };

const commit: Commit = {
  deployer: "Application argocd/sonarr",
  source: "https://git.example/homelab, path apps/sonarr",
  object: "PersistentVolumeClaim media/sonarr-config",
  hindrance: undefined,
};

/** The plan of `retire`, of the volume as it stands. */
export const retirePlan = async (
  { kubernetes, clock }: OperationWorld,
  part: { readonly commit?: Commit; readonly point?: string } = { point: "p1" },
): Promise<Plan> => {
  const { objects } = await readGuardView(kubernetes);
  const [claim] = objects.claims;
  const [pv] = objects.persistentVolumes;
  const [volume] = volumesOf(objects);
  if (claim === undefined || pv === undefined || volume === undefined) throw new Error("no volume");
  const now = clock.now();
  return planRetire({
    retirees: [{ volume, claim, pv, commit: part.commit, lastGood: undefined }],
    point: part.point,
    now,
    until: now + hour,
  });
};

const emptyPlan = async ({ kubernetes }: OperationWorld, zfs: MemoryZfs): Promise<Plan> => {
  const { objects } = await readGuardView(kubernetes);
  const nas = { datasets: await new MemoryNas(zfs).datasets("tank/k8s/v"), exports: undefined, addresses: ["nas"] };
  const items = trashIn(objects, nas);
  const { persistentVolumes } = objects;
  return planEmpty(
    items,
    { persistentVolumes, drivers: new Set([driver]), nas, hasCopy: () => true },
    { withoutCopy: false },
  );
};

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** UIDs differ from world to world. */
const uidless = (found: object): string =>
  JSON.stringify(found, (key, value: unknown) => (key === openingKey ? "its uid" : value));

const setStage = async (retiring: Retiring) => {
  const { clock, kubernetes } = aGuardCluster({ groups: ["velero.io", "argoproj.io"] });
  putVolume(kubernetes, "media/sonarr-config");
  const annotations = { "pv.kubernetes.io/provisioned-by": driver };
  const attributes = { node_attach_driver: "nfs", server: "nas", share: `/mnt/${dataset}` };
  await kubernetes.as("driver").mergePatch(
    resources.persistentVolumes,
    { name },
    {
      metadata: { annotations },
      spec: { csi: { volumeAttributes: { ...attributes, provisioner_driver: "freenas-api-nfs" } } },
    },
  );
  const zfs = new MemoryZfs(clock);
  zfs.create(dataset, { content: "old", bytes: 1000, properties: { "democratic-csi:managed_resource": "true" } });
  const world = new OperationWorld(clock, kubernetes);
  const stage: Stage = { world, copies: new MemoryCopies(), zfs };
  const binder = new MemoryBinder(kubernetes);
  const through = (id: string, plan: Plan) => world.process(kindsOn(stage)).operations.start(id, plan);
  await through("op-guard", await planNow(kubernetes, "deny"));
  if (retiring === "empty") await through("op-retire", await retirePlan(world));
  await settled();
  return { ...stage, binder, kubernetes, through };
};

const planOf = (retiring: Retiring, { world, zfs }: Stage): Promise<Plan> => {
  if (retiring === "empty") return emptyPlan(world, zfs);
  return retirePlan(world, retiring === "alone" ? { point: "p1" } : { point: "p1", commit });
};

/** What the whole operation leaves when nobody dies, in a world of its own. */
const wholes = new Map<Retiring, Promise<string>>();
const wholeOf = async (retiring: Retiring): Promise<string> => {
  const scene = await openScene(retiring, undefined);
  await scene.process().operations.start("op-1", scene.plan);
  await settled();
  scene.stop();
  return uidless(await scene.traces());
};

export const aRetireScene = async (retiring: Retiring): Promise<RetireScene> => {
  const whole = wholes.get(retiring) ?? wholeOf(retiring);
  wholes.set(retiring, whole);
  return openScene(retiring, await whole);
};

const openScene = async (retiring: Retiring, whole: string | undefined): Promise<RetireScene> => {
  const stage = await setStage(retiring);
  const { kubernetes, world, zfs, copies, binder } = stage;
  const plan = await planOf(retiring, stage);
  const reading = kubernetes.as("test");
  const claim = () => reading.get<Claim>(resources.persistentVolumeClaims, claimName);
  const pv = () => reading.get<PersistentVolume>(resources.persistentVolumes, { name });
  const seen = async () => ({
    ...(await traces(kubernetes)),
    claim: (await claim())?.status?.phase,
    dataset: zfs.find(dataset) !== undefined,
  });
  const before = await seen();
  const process = (life?: Life) => world.process(kindsOn(stage), life);
  let undrive = (): void => undefined;
  const scene: RetireScene = {
    kubernetes,
    copies,
    zfs,
    world,
    plan,
    driverIsAway: false,
    process,
    claim,
    pv,
    traces: seen,
    open: (life) => process(life).operations,
    demand: async (changed, context) => {
      await settled();
      const is = await seen();
      // What the driver has taken already does not come back: then it is wholly gone.
      const isFreed = retiring === "empty" && uidless(is) === whole;
      if (changed ? uidless(is) === whole : same(is, before) || isFreed) return;
      const what = `${context}: ${JSON.stringify(is)}, not ${changed ? whole : JSON.stringify(before)}`;
      throw new Failure("VERIFICATION_FAILED", { what });
    },
    stop: () => {
      undrive();
      binder.stop();
    },
  };
  undrive = drive(kubernetes, zfs, () => scene.driverIsAway);
  return scene;
};
