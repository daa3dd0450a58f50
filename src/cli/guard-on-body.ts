/** `holdfast guard on` and `guard off`. */
import { Failure } from "../model/failure.ts";
import { guardKey, type Mode, modeOf } from "../guard/protect/mode.ts";
import { type GuardPlan, planGuard } from "../guard/protect/plan.ts";
import { checkGuardRights } from "../guard/protect/rights.ts";
import { selectVolumes } from "../guard/protect/select.ts";
import { type GuardView, readGuardView } from "../guard/protect/view.ts";
import type { Volume } from "../model/volume.ts";
import { leaseName } from "../operation/locks.ts";
import { serveLock } from "../server/names.ts";
import type { Kubernetes } from "../systems/kubernetes/port.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { commandBody } from "./body.ts";
import { carryOutPlan } from "./carry-out.ts";
import type { CliContext } from "./cli-context.ts";
import type { WorldFlags } from "./flags.ts";
import { confirmPlan, type PlanFlags, type PlanHead, showPlan } from "./plan-text.ts";
import type { World } from "./world.ts";

export interface GuardFlags extends WorldFlags, PlanFlags {
  readonly timeout: number;
}

interface OnFlags extends GuardFlags {
  readonly mode: Mode;
}

export const guardOn = commandBody<OnFlags, [string | undefined]>((cli, world, flags, selector) =>
  setGuard(cli, world, flags, { mode: flags.mode, selector }),
);

export const guardOff = commandBody<GuardFlags, [string | undefined]>((cli, world, flags, selector) =>
  setGuard(cli, world, flags, { mode: "off", selector }),
);

interface GuardWish {
  readonly mode: Mode;
  readonly selector: string | undefined;
}

/** Shows the plan, asks, and carries it out. */
export const setGuard = async (cli: CliContext, world: World, flags: GuardFlags, wish: GuardWish): Promise<void> => {
  const kubernetes = await world.kubernetes();
  const view = await readGuardView(kubernetes);
  const selected = selectFor(view, wish);
  const planned = planGuard(view, { selected, mode: wish.mode });
  const found = wish.mode === "off" ? withWarnings(planned, await serverWarnings(kubernetes, world)) : planned;
  demandNamedVolume(found, selected.length);
  showPlan(cli, found.plan, flags, headOf(found, wish.mode));
  if (found.plan.steps.length === 0) {
    if (!flags.json) cli.context.stdout.write("Nothing to do: everything is as it should be.\n");
    return;
  }
  await checkGuardRights(kubernetes, found.plan, world.loaded.config.holdfast.namespace);
  if (flags.dryRun) return;
  await confirmPlan(cli, found.plan, flags);
  await carryOutPlan(cli, world, flags, found.plan);
};

const withWarnings = (found: GuardPlan, warnings: readonly string[]): GuardPlan => ({
  ...found,
  plan: { ...found.plan, warnings: [...found.plan.warnings, ...warnings] },
});

/** The server would not know that it is meant. */
const serverWarnings = async (kubernetes: Kubernetes, { loaded }: World): Promise<readonly string[]> => {
  const { namespace } = loaded.config.holdfast;
  if ((await kubernetes.get(resources.leases, { namespace, name: leaseName(serveLock) })) === undefined) return [];
  return [
    `\`holdfast serve\` runs, and guards these volumes again within seconds. For good: stop it first, or give the claims the annotation ${guardKey}: "off".`,
  ];
};

/** A namespace whose volumes are retired may still be marked: what it led to is gone, and the refusal names this command. */
const selectFor = ({ volumes, objects }: GuardView, { mode, selector }: GuardWish): readonly Volume[] => {
  const isMarked = objects.namespaces.some((one) => selector === `${one.metadata.name}/` && modeOf(one) !== "off");
  if (mode === "off" && isMarked && !volumes.some(({ namespace }) => selector === `${namespace}/`)) return [];
  return selectVolumes(selector, volumes);
};

/** A volume that was named alone and is left out is no success. */
const demandNamedVolume = ({ exceptions }: GuardPlan, selected: number): void => {
  const [only] = exceptions;
  if (only === undefined || selected !== 1) return;
  throw new Failure("TARGET_UNUSABLE", {
    what: `${only.volume} is not guarded.`,
    why: only.exception.why,
    todo:
      only.exception.code === "excluded"
        ? "Take that annotation away, in git or on the claim, then run it again."
        : "`holdfast guard status` lists every volume with what holds for it.",
  });
};

const headOf = ({ chosen, exceptions, git }: GuardPlan, mode: Mode): PlanHead => ({
  texts: [
    `${chosen.length} volumes, mode ${mode}: ${chosen.join(", ") || "none"}`,
    ...exceptions.map(({ volume, exception }) => `  not ${volume}: ${exception.why}`),
  ],
  data: { mode, volumes: chosen, exceptions, git },
});
