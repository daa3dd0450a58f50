/** What was begun and not ended: operations that stopped in the middle, and GitOps that stands still for one of them. */
import { readArgo } from "../guard/protect/view.ts";
import type { Failure } from "../model/failure.ts";
import { formatAge } from "../model/units.ts";
import { isUnfinished, type OperationState } from "../operation/state.ts";
import { freezesOf, freezeText, wayOut } from "../systems/gitops/freezes.ts";
import { type Check, type Finding, ok, warning } from "./check.ts";
import type { DoctorWorld } from "./world.ts";

/** Neither is ever failed: what is found may be the middle of something that runs well. */
export const unfinishedChecks = (world: DoctorWorld): readonly Check[] => {
  const needs = ["kubernetes"];
  return [
    {
      id: "operations",
      title: "Operations that stopped in the middle",
      needs,
      look: () => operationsFinding(world),
    },
    { id: "gitops", title: "GitOps that stands still", needs, look: () => gitopsFinding(world) },
  ];
};

const unfinishedText = ({ id, plan, lastEntry }: OperationState, now: number): string =>
  `${id} (${plan.title}), last heard of ${formatAge(now - lastEntry)} ago`;

const unreadableText = ({ what, why }: Failure): string => (why === undefined ? what : `${what} (${why})`);

const operationsFinding = async (world: DoctorWorld): Promise<Finding> => {
  const { operations, unreadable } = await world.operations();
  const now = world.context.clock.now();
  const unfinished = operations.filter(isUnfinished);
  if (unfinished.length === 0 && unreadable.length === 0)
    return ok(operations.length === 0 ? "there is none at all" : `none of ${operations.length}`);
  const begun =
    unfinished.length === 0
      ? []
      : [`begun and not ended: ${unfinished.map((state) => unfinishedText(state, now)).join("; ")}`];
  const goOn =
    unfinished.length === 0
      ? []
      : ["One may be running right now. Else `holdfast resume ID` goes on with it, `holdfast undo ID` goes back."];
  return warning(
    [...begun, ...unreadable.map(unreadableText)].join("; "),
    [...goOn, ...new Set(unreadable.flatMap(({ todo }) => todo ?? []))].join(" "),
  );
};

const gitopsFinding = async (world: DoctorWorld): Promise<Finding> => {
  const argo = await readArgo(await world.kubernetes());
  if (argo === undefined) return ok("no Argo CD in this cluster");
  const freezes = freezesOf(argo);
  if (freezes.length === 0)
    return ok(`none of ${argo.applications.length} Applications and ${argo.sets.length} ApplicationSets`);
  const now = world.context.clock.now();
  const ways = [...new Set(freezes.map(wayOut))];
  return warning(
    freezes.map((freeze) => freezeText(freeze, now)).join("; "),
    `It may be running right now. Else: ${ways.join("; ")}.`,
  );
};
