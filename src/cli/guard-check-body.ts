/** `holdfast guard check`. See its help for the exit statuses. */
import { type Answered, askDeletions, toAsk } from "../guard/protect/ask.ts";
import { keyOf } from "../systems/kubernetes/object-key.ts";
import { type DeletionPath, pathsOf } from "../guard/protect/paths.ts";
import { selectVolumes } from "../guard/protect/select.ts";
import { standingOf, type VolumeStanding } from "../guard/protect/standing.ts";
import { type GuardView, readGuardView } from "../guard/protect/view.ts";
import { volumeName } from "../model/volume.ts";
import { printAnswer } from "./answer.ts";
import { commandBody } from "./body.ts";
import type { CliContext } from "./cli-context.ts";
import type { OutputFormat, WorldFlags } from "./flags.ts";
import type { World } from "./world.ts";

export interface GuardCheckFlags extends WorldFlags {
  readonly output: OutputFormat;
}

export const guardCheck = commandBody<GuardCheckFlags, [string | undefined]>((cli, world, flags, selector) =>
  showGuardCheck(cli, world, flags, selector),
);

interface Checked {
  readonly standing: VolumeStanding;
  readonly paths: readonly DeletionPath[];
}

export const showGuardCheck = async (
  cli: CliContext,
  world: World,
  flags: GuardCheckFlags,
  selector?: string,
): Promise<void> => {
  const kubernetes = await world.kubernetes();
  const view = await readGuardView(kubernetes);
  const names = new Set(selectVolumes(selector, view.volumes).map(volumeName));
  const { volumes, policy } = standingOf(view, cli.context.clock.now());
  const guarded = volumes.filter(({ volume, mode }) => names.has(volume) && mode !== "off");
  const answers = guarded.length === 0 ? [] : await askDeletions(kubernetes, toAsk(view));
  const checked = withPaths(view, guarded, answers);
  const status = statusOf(checked, answers, policy.state === "current");
  await printAnswer(cli.context.stdout, flags.output, {
    data: {
      time: new Date(cli.context.clock.now()).toISOString(),
      proven: status === 0,
      policy,
      objects: answers,
      volumes: checked.map(({ standing: { volume, mode }, paths }) => ({ volume, mode, paths })),
    },
    heads: ["VOLUME", "WAY", "COVERED", "BY"],
    rows: checked.flatMap(({ standing: { volume }, paths }) =>
      paths.map(({ what, covered, by }) => [volume, what, covered ? "yes" : "NO", by.join(", ") || "-"]),
    ),
    names: checked.map(({ standing: { volume } }) => volume),
    footer: footerOf(checked, answers, status),
    empty: "No volume is guarded: `holdfast guard on`.",
  });
  if (status !== 0) cli.setExitStatus(status);
};

const withPaths = (
  view: GuardView,
  guarded: readonly VolumeStanding[],
  answers: readonly Answered[],
): readonly Checked[] => {
  const claims = new Map(view.objects.claims.map((claim) => [keyOf(claim), claim]));
  const known = new Map(answers.map(({ title, answer }) => [title, answer]));
  return guarded.map((standing) => {
    const claim = claims.get(standing.volume);
    return { standing, paths: claim === undefined ? [] : pathsOf(view, claim, standing, known) };
  });
};

const statusOf = (checked: readonly Checked[], answers: readonly Answered[], isInForce: boolean): number => {
  if (answers.some(({ answer }) => answer === "allowed")) return isInForce ? 6 : 4;
  // A volume whose deletion is allowed is open on purpose.
  const owed = checked.filter(({ standing }) => standing.opening === undefined);
  if (checked.length === 0) return 4;
  if (answers.some(({ answer }) => answer === "unknown")) return 3;
  return owed.every(({ paths }) => paths.every(({ covered }) => covered)) ? 0 : 4;
};

const footerOf = (checked: readonly Checked[], answers: readonly Answered[], status: number): string => {
  const refused = answers.filter(({ answer }) => answer === "refused").length;
  const others = answers.filter(({ answer }) => answer !== "refused").map(({ title, why }) => `${title}: ${why}`);
  const open = checked.flatMap(({ standing }) =>
    standing.opening === undefined ? [] : [`${standing.volume} may be deleted, as it was allowed.`],
  );
  const end = status === 0 ? "Every way is covered." : "NOT every way is covered.";
  return [
    `${refused} of ${answers.length} deletions were refused, asked for in a dry run. ${end}`,
    ...others,
    ...open,
  ].join("\n");
};
