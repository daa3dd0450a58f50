/** The step that puts PersistentVolumes into the trash, or takes them out of it: their annotations, and nothing else. */
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { Claim, PersistentVolume } from "../../../inventory/raw.ts";
import { Failure } from "../../../model/failure.ts";
import type { StepKind } from "../../../operation/step-kind.ts";
import { changeObject } from "../../../systems/kubernetes/changing.ts";
import type { Kubernetes } from "../../../systems/kubernetes/port.ts";
import { resources } from "../../../systems/kubernetes/resources.ts";
import { trashKeys, trashMarkOf } from "../trash-mark.ts";

const mark = z.record(z.enum(trashKeys), z.string().nullable());
const input = z.strictObject({
  /** Going back leaves what a claim has again: an undelete does not delete. */
  leavesClaimed: z.boolean(),
  volumes: z.array(
    /** Null members: the annotation is not there. */
    z.strictObject({ pv: z.string(), uid: z.string(), from: mark, to: mark }),
  ),
});
export type MarkTrashInput = z.output<typeof input>;
type Entry = MarkTrashInput["volumes"][number];
type Mark = Entry["to"];

/** As the step's input has it. */
export const wholeMark = (annotations: Readonly<Record<string, string>>): Mark =>
  Object.fromEntries(trashKeys.map((key) => [key, annotations[key] ?? null])) as Mark;

const presentMark = (pv: PersistentVolume): Mark => wholeMark(trashMarkOf(pv));

const another = ({ pv }: Entry): Failure =>
  new Failure("KUBERNETES_CONFLICT", {
    what: `PersistentVolume ${pv} is not the one that the plan was made for.`,
    todo: "Run the command again: it makes a new plan.",
  });

/** "mark-trash". */
export const markTrash = (kubernetes: Kubernetes): StepKind<MarkTrashInput, null> => {
  const resource = resources.persistentVolumes;
  const set = async (entry: Entry, wanted: Mark): Promise<boolean> => {
    const found = await changeObject<PersistentVolume>({ kubernetes, resource, name: { name: entry.pv } }, (live) =>
      live.metadata.uid !== entry.uid || isDeepStrictEqual(presentMark(live), wanted)
        ? undefined
        : { metadata: { annotations: wanted } },
    );
    return found?.metadata.uid === entry.uid;
  };
  const isClaimed = async ({ pv }: Entry): Promise<boolean> => {
    const { namespace, name } = (await kubernetes.get<PersistentVolume>(resource, { name: pv }))?.spec.claimRef ?? {};
    if (namespace === undefined || name === undefined) return false;
    const claim = await kubernetes.get<Claim>(resources.persistentVolumeClaims, { namespace, name });
    return claim?.spec.volumeName === pv && claim.metadata.deletionTimestamp === undefined;
  };
  const forth = async ({ volumes }: MarkTrashInput): Promise<null> => {
    for (const entry of volumes) if (!(await set(entry, entry.to))) throw another(entry);
    return null;
  };
  return {
    kind: "mark-trash",
    input,
    check: async ({ volumes }) => {
      const found = await Promise.all(
        volumes.map(async ({ pv, uid, to }) => {
          const live = await kubernetes.get<PersistentVolume>(resource, { name: pv });
          return live?.metadata.uid === uid && isDeepStrictEqual(presentMark(live), to);
        }),
      );
      if (found.every(Boolean)) return "present";
      return found.some(Boolean) ? "partial" : "absent";
    },
    apply: forth,
    undo: async ({ volumes, leavesClaimed }) => {
      // What is gone meanwhile has no mark to lose.
      for (const entry of volumes) if (!leavesClaimed || !(await isClaimed(entry))) await set(entry, entry.from);
      return null;
    },
    redo: forth,
  };
};
