/** The steps that put volumes into the trash, and take them out. Pure. */
import type { PersistentVolume } from "../../inventory/raw.ts";
import type { PlannedStep } from "../../model/plan.ts";
import { type MarkTrashInput, wholeMark } from "./steps/mark-trash.ts";
import { isTrash, trashMarkOf } from "./trash-mark.ts";

const volumeOf = ({ spec: { claimRef }, metadata }: PersistentVolume): string =>
  claimRef?.name === undefined ? metadata.name : `${claimRef.namespace ?? ""}/${claimRef.name}`;

/** Each PV with the annotations that it is to have. */
interface Marked {
  readonly pv: PersistentVolume;
  readonly to: Readonly<Record<string, string>>;
}

const entryOf = ({ pv, to }: Marked): MarkTrashInput["volumes"][number] => ({
  pv: pv.metadata.name,
  uid: pv.metadata.uid ?? "",
  from: wholeMark(trashMarkOf(pv)),
  to: wholeMark(to),
});

interface Texts extends Pick<PlannedStep, "id" | "title" | "why" | "back"> {
  readonly leavesClaimed?: boolean;
}

const step = (volumes: readonly Marked[], { leavesClaimed = false, ...texts }: Texts): PlannedStep => ({
  ...texts,
  kind: "mark-trash",
  touches: volumes.map(({ pv }) => `PersistentVolume ${pv.metadata.name}`),
  repeat: "safe",
  does: "apply",
  input: { leavesClaimed, volumes: volumes.map(entryOf) } satisfies MarkTrashInput,
});

export const intoTrash = (volumes: readonly Marked[]): PlannedStep =>
  step(volumes, {
    id: "trash",
    title: `put ${volumes.map(({ pv }) => `PersistentVolume ${pv.metadata.name}`).join(", ")} into the trash`,
    why: "it keeps the bytes, and says of them that they were retired on purpose",
    back: "take them out of the trash again",
  });

interface TakingOut {
  readonly id?: string;
  /** The claim is made again beside: when one goes back, what has its claim again stays out. */
  readonly leavesClaimed?: boolean;
}

/** None for what is not in it. */
export const outOfTrash = (
  pvs: readonly PersistentVolume[],
  { id = "untrash", leavesClaimed = false }: TakingOut = {},
): readonly PlannedStep[] => {
  const volumes = pvs.filter(isTrash).map((pv) => ({ pv, to: {} }));
  if (volumes.length === 0) return [];
  return [
    step(volumes, {
      id,
      leavesClaimed,
      title: `take ${volumes.map(({ pv }) => volumeOf(pv)).join(", ")} out of the trash`,
      why: "it is a volume again",
      back: "put it into the trash again",
    }),
  ];
};
