/** The step that comes first: the PersistentVolumes say Retain, and remember what they said before. */
import { z } from "zod";
import { type Claim, type PersistentVolume } from "../../../inventory/raw.ts";
import { Failure } from "../../../model/failure.ts";
import { type PartSeen, presenceOfParts, type StepContext, type StepKind } from "../../../operation/step-kind.ts";
import { changeObject } from "../../../systems/kubernetes/changing.ts";
import type { Kubernetes } from "../../../systems/kubernetes/port.ts";
import { resources } from "../../../systems/kubernetes/resources.ts";
import { reclaimKey } from "../mode.ts";

const reclaim = z.strictObject({
  policy: z.string(),
  /** What Retain took the place of, as the PV remembers it; "" when it said Retain by itself. */
  before: z.string(),
});
const input = z.strictObject({
  volumes: z.array(
    z.strictObject({ name: z.string(), uid: z.string(), volume: z.string(), from: reclaim, to: reclaim }),
  ),
});
export type RetainInput = z.output<typeof input>;
type Entry = RetainInput["volumes"][number];
export type Reclaim = z.output<typeof reclaim>;

/** What a PV says now. */
export const reclaimOf = ({ spec, metadata }: PersistentVolume): Reclaim => ({
  policy: spec.persistentVolumeReclaimPolicy ?? "Retain",
  before: metadata.annotations?.[reclaimKey] ?? "",
});

export const sameReclaim = (a: Reclaim, b: Reclaim): boolean => a.policy === b.policy && a.before === b.before;

const seenOf = async (kubernetes: Kubernetes, { name, uid, from, to }: Entry): Promise<PartSeen> => {
  const pv = await kubernetes.get<PersistentVolume>(resources.persistentVolumes, { name });
  if (pv?.metadata.uid !== uid) return { isDone: true, isUntouched: true };
  return { isDone: sameReclaim(reclaimOf(pv), to), isUntouched: sameReclaim(reclaimOf(pv), from) };
};

/** True when the claim lives: with any other word than Retain the bytes of one that goes would go with it. */
const isClaimed = async (kubernetes: Kubernetes, { spec: { claimRef } }: PersistentVolume): Promise<boolean> => {
  const { namespace, name } = claimRef ?? {};
  if (namespace === undefined || name === undefined) return false;
  const claim = await kubernetes.get<Claim>(resources.persistentVolumeClaims, { namespace, name });
  return claim?.metadata.uid === claimRef?.uid && claim?.metadata.deletionTimestamp === undefined;
};

/** Its controller and provisioner write to a PV too. */
const attempts = 10;

const set = async (kubernetes: Kubernetes, entry: Entry, wanted: Reclaim, context: Setting): Promise<void> => {
  const pv = { kubernetes, resource: resources.persistentVolumes, name: { name: entry.name }, attempts };
  await changeObject<PersistentVolume>(pv, async (present) => {
    if (present.metadata.uid !== entry.uid) return replaced(entry, context);
    if (sameReclaim(reclaimOf(present), wanted)) return undefined;
    if (wanted.policy === "Retain" || (await isClaimed(kubernetes, present))) return changeTo(wanted);
    context.say(`${entry.volume} is being deleted: PersistentVolume ${entry.name} keeps Retain`);
    return undefined;
  });
};

const changeTo = ({ policy, before }: Reclaim): object => ({
  metadata: { annotations: { [reclaimKey]: before === "" ? null : before } },
  spec: { persistentVolumeReclaimPolicy: policy },
});

/** Another one that has its name is left alone on the way back, and an error on the way forth. */
const replaced = ({ name }: Entry, { isBack }: Setting): undefined => {
  if (isBack) return undefined;
  throw new Failure("KUBERNETES_CONFLICT", {
    what: `PersistentVolume ${name} is not the one that the plan was made for.`,
    todo: "Run the command again: it makes a new plan.",
  });
};

interface Setting extends Pick<StepContext, "say"> {
  readonly isBack: boolean;
}

const setAll = async (kubernetes: Kubernetes, { volumes }: RetainInput, to: "from" | "to", context: StepContext) => {
  const setting = { say: (text: string) => context.say(text), isBack: to === "from" };
  for (const entry of volumes) {
    context.signal.throwIfAborted();
    await set(kubernetes, entry, entry[to], setting);
  }
  return null;
};

/** "retain-volumes". */
export const retainVolumes = (kubernetes: Kubernetes): StepKind<RetainInput, null> => ({
  kind: "retain-volumes",
  input,
  check: async ({ volumes }) => presenceOfParts(await Promise.all(volumes.map((entry) => seenOf(kubernetes, entry)))),
  apply: (wanted, context) => setAll(kubernetes, wanted, "to", context),
  undo: (wanted, _, context) => setAll(kubernetes, wanted, "from", context),
  redo: (wanted, _, context) => setAll(kubernetes, wanted, "to", context),
});
