/** The plan that keeps a volume after all whose claim still waits for the commit that would have deleted it. Pure. */
import type { Plan, PlannedStep } from "../../model/plan.ts";
import { keyOf } from "../../systems/kubernetes/object-key.ts";
import { resources } from "../../systems/kubernetes/resources.ts";
import { type Marks, noMarks } from "../protect/marks.ts";
import { openingKey, openingUntilKey } from "../protect/mode.ts";
import { inputFor } from "../protect/opening.ts";
import type { GuardView } from "../protect/view.ts";
import { presentModes, wantedFor } from "../protect/wanted.ts";
import type { TrashItem } from "./trash.ts";
import { outOfTrash } from "./trash-steps.ts";

/** As if nobody had opened their guard: what is wanted then is what they are to have again. */
const closed = (view: GuardView, names: ReadonlySet<string>): GuardView => ({
  ...view,
  objects: {
    ...view.objects,
    claims: view.objects.claims.map((claim) => {
      if (!names.has(keyOf(claim))) return claim;
      const { [openingKey]: _, [openingUntilKey]: __, ...annotations } = claim.metadata.annotations ?? {};
      return { ...claim, metadata: { ...claim.metadata, annotations } };
    }),
  },
});

/** The items' claims are there. */
export const planKeep = (view: GuardView, items: readonly TrashItem[]): Plan => {
  const names = items.map(({ volume }) => volume);
  return {
    version: 1,
    verb: "undelete",
    title: `keep ${names.join(", ")} after all`,
    locks: names,
    steps: [...closeSteps(view, items), ...outOfTrash(items.map(({ pv }) => pv))],
    undo: { kind: "kept", text: "`holdfast undo` brings back what there was." },
    warnings: [],
  };
};

const closeSteps = (view: GuardView, items: readonly TrashItem[]): readonly PlannedStep[] => {
  const names = items.map(({ volume }) => volume);
  const asClosed = closed(view, new Set(names));
  const { marks } = wantedFor(asClosed, presentModes(asClosed), new Set(names));
  const wanted = new Map<string, Marks>(marks.map(({ title, to }) => [title, to]));
  const claims = items.flatMap(({ claim }) =>
    claim === undefined ? [] : [[resources.persistentVolumeClaims, claim] as const],
  );
  const input = inputFor(claims, (claim) => wanted.get(`PersistentVolumeClaim ${keyOf(claim)}`) ?? noMarks);
  if (input.objects.length === 0) return [];
  return [
    {
      id: "closing",
      kind: "open-guard",
      title: `close the guard of ${names.join(", ")}`,
      why: "it is to be kept: neither by hand nor by a commit it is deleted any more",
      back: `open the guard of ${names.join(", ")} again`,
      touches: names.map((name) => `PersistentVolumeClaim ${name}`),
      repeat: "safe",
      does: "apply",
      input,
    },
  ];
};
