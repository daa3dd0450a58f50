/**
 * The step that frees a volume of the trash: its PersistentVolume says Delete, and its CSI driver destroys the bytes. NO
 * UNDO; going back keeps what the driver has not taken yet.
 */
import { z } from "zod";
import type { PersistentVolume } from "../../../inventory/raw.ts";
import { Failure } from "../../../model/failure.ts";
import type { StepContext, StepKind } from "../../../operation/step-kind.ts";
import { until } from "../../../restore/zfs/rebind.ts";
import { changeObject } from "../../../systems/kubernetes/changing.ts";
import { resources } from "../../../systems/kubernetes/resources.ts";
import type { Nas } from "../../../systems/nas/port.ts";
import { letGo } from "../../letting-go.ts";
import { marksOf } from "../../protect/marks.ts";
import { objectInputOf, setMarks, withoutAnnouncement } from "../../protect/steps/set-marks.ts";
import type { KeepOptions } from "../../undelete/steps/keep-volumes.ts";
import { emptyingKey, isTrash } from "../trash-mark.ts";

const input = z.strictObject({
  pv: z.string(),
  uid: z.string(),
  /** Null where no NAS is known: then the PV's end is all that can be seen. */
  dataset: z.strictObject({ name: z.string(), guid: z.string() }).nullable(),
});
export type FreeInput = z.output<typeof input>;

export interface FreeOptions extends KeepOptions {
  readonly nas: () => Promise<Pick<Nas, "dataset">>;
}

interface Volume extends PersistentVolume {
  readonly status?: { readonly phase?: string; readonly message?: string };
}

const resource = resources.persistentVolumes;

const find = async ({ kubernetes }: FreeOptions, { pv, uid }: FreeInput): Promise<Volume | undefined> => {
  const found = await kubernetes.get<Volume>(resource, { name: pv });
  return found?.metadata.uid === uid ? found : undefined;
};

const isDatasetThere = async ({ nas }: FreeOptions, { dataset }: FreeInput): Promise<boolean> =>
  dataset !== null && (await (await nas()).dataset(dataset.name))?.guid === dataset.guid;

/** It may have been brought back since the plan was shown. */
const demandFree = (volume: Volume): void => {
  if (isTrash(volume) && volume.status?.phase !== "Bound") return;
  throw new Failure("KUBERNETES_CONFLICT", {
    what: `PersistentVolume ${volume.metadata.name} is in use again, or not in the trash any more.`,
    todo: "Nothing of it was freed. `holdfast trash list` shows what there is.",
  });
};

const setPolicy = ({ kubernetes }: FreeOptions, { pv, uid }: FreeInput, policy: string, emptying: string | null) =>
  changeObject<Volume>({ kubernetes, resource, name: { name: pv } }, (live) => {
    if (live.metadata.uid !== uid || live.metadata.deletionTimestamp !== undefined) return undefined;
    if (emptying !== null) demandFree(live);
    const { persistentVolumeReclaimPolicy: present } = live.spec;
    const isSet = live.metadata.annotations?.[emptyingKey] === (emptying ?? undefined);
    if (present === policy && isSet) return undefined;
    return {
      metadata: { annotations: { [emptyingKey]: emptying } },
      spec: { persistentVolumeReclaimPolicy: policy },
    };
  });

const free = async (options: FreeOptions, wanted: FreeInput, { signal }: StepContext): Promise<null> => {
  const volume = await find(options, wanted);
  if (volume !== undefined && volume.metadata.deletionTimestamp === undefined) {
    demandFree(volume);
    await letGo(options.kubernetes, resource, volume);
    await setPolicy(options, wanted, "Delete", "true");
  }
  let last = volume;
  const late = (what: string) => (): Failure =>
    new Failure("TIMEOUT", {
      what,
      why: last?.status?.message ?? `the PersistentVolume's phase is ${last?.status?.phase ?? "unknown"}`,
      todo: `Is the controller of ${last?.spec.csi?.driver ?? "its driver"} running? \`kubectl describe pv ${wanted.pv}\` shows what it says.`,
    });
  await until({ ...options, signal }, late(`The driver has not deleted PersistentVolume ${wanted.pv}.`), async () => {
    const found = await find(options, wanted);
    last = found ?? last;
    return found === undefined ? true : undefined;
  });
  await until({ ...options, signal }, late(`The dataset ${wanted.dataset?.name} is still there.`), async () =>
    (await isDatasetThere(options, wanted)) ? undefined : true,
  );
  return null;
};

/** What is there still is kept again, and guarded as before. */
const keep = async (options: FreeOptions, wanted: FreeInput): Promise<null> => {
  await setPolicy(options, wanted, "Retain", null);
  const left = await find(options, wanted);
  if (left !== undefined && left.metadata.deletionTimestamp === undefined) {
    const marks = withoutAnnouncement(marksOf(left));
    await setMarks(options.kubernetes, objectInputOf(resource, left), left, marks);
  }
  return null;
};

/** "free-volume". Throws TIMEOUT when the driver does not do it. */
export const freeVolume = (options: FreeOptions): StepKind<FreeInput, null> => ({
  kind: "free-volume",
  input,
  check: async (wanted) => {
    const [pv, dataset] = await Promise.all([find(options, wanted), isDatasetThere(options, wanted)]);
    return pv === undefined && !dataset ? "present" : "partial";
  },
  apply: (wanted, context) => free(options, wanted, context),
  undo: (wanted) => keep(options, wanted),
  redo: (wanted, _, context) => free(options, wanted, context),
});
