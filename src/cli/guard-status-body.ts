/** `holdfast guard status`. Exit status 4 when a volume is not guarded as it should be. */
import { formatAge } from "../model/units.ts";
import { gitLineText } from "../guard/protect/gitops.ts";
import { selectVolumes } from "../guard/protect/select.ts";
import {
  type GuardStanding,
  isGuarded,
  type Opening,
  standingOf,
  type VolumeStanding,
} from "../guard/protect/standing.ts";
import { readGuardView } from "../guard/protect/view.ts";
import { volumeName } from "../model/volume.ts";
import { printAnswer } from "./answer.ts";
import { commandBody } from "./body.ts";
import type { CliContext } from "./cli-context.ts";
import type { OutputFormat, WorldFlags } from "./flags.ts";
import type { World } from "./world.ts";

export interface GuardStatusFlags extends WorldFlags {
  readonly output: OutputFormat;
}

export const guardStatus = commandBody<GuardStatusFlags, [string | undefined]>((cli, world, flags, selector) =>
  showGuardStatus(cli, world, flags, selector),
);

export const showGuardStatus = async (
  cli: CliContext,
  world: World,
  flags: GuardStatusFlags,
  selector?: string,
): Promise<void> => {
  const view = await readGuardView(await world.kubernetes());
  const names = new Set(selectVolumes(selector, view.volumes).map(volumeName));
  const now = cli.context.clock.now();
  const standing = standingOf(view, now);
  const volumes = standing.volumes.filter(({ volume }) => names.has(volume));
  const guarded = volumes.every(isGuarded);
  await printAnswer(cli.context.stdout, flags.output, {
    data: {
      time: new Date(now).toISOString(),
      guarded,
      policy: standing.policy,
      volumes: volumes.map((volume) => dataOf(volume, now)),
    },
    heads: ["VOLUME", "MODE", "RETAIN", "MARKS", "GITOPS", "FINALIZER", "POLICY", "REASON"],
    rows: volumes.map((volume) => [
      volume.volume,
      volume.mode,
      ...Object.values(layersOf(volume)),
      reasonOf(volume, now),
    ]),
    wideHeads: ["PERSISTENTVOLUME", "NOTES"],
    wideRows: volumes.map(({ persistentVolume, notes, problems }) => [
      persistentVolume ?? "-",
      [...problems.slice(1), ...notes].join("; ") || "-",
    ]),
    names: volumes.map(({ volume }) => volume),
    footer: footerOf(standing, volumes),
    empty: "There are no volumes.",
  });
  if (!guarded) cli.setExitStatus(4);
};

const layersOf = ({ layers }: VolumeStanding): Readonly<Record<string, string>> => ({
  retain: layers.retain,
  marks: layers.marks,
  gitops: layers.gitops,
  finalizer: layers.finalizer,
  policy: layers.policy,
});

const openingData = (opening: Opening | undefined, now: number): object | undefined =>
  opening === undefined
    ? undefined
    : {
        ...opening,
        leftSeconds:
          opening.until === undefined ? undefined : Math.max(0, Math.round((Date.parse(opening.until) - now) / 1000)),
      };

const dataOf = (standing: VolumeStanding, now: number): object => ({
  volume: standing.volume,
  mode: standing.mode,
  guarded: standing.mode !== "off" && isGuarded(standing),
  persistentVolume: standing.persistentVolume,
  layers: standing.layers,
  exception: standing.exception,
  allowDelete: openingData(standing.opening, now),
  problems: standing.problems,
  notes: standing.notes,
  git: standing.git,
});

const openText = ({ until }: Opening, now: number): string =>
  until === undefined ? "may be deleted" : `may be deleted for another ${formatAge(Date.parse(until) - now)}`;

const reasonOf = ({ problems, opening, exception, mode, notes, git }: VolumeStanding, now: number): string => {
  if (problems[0] !== undefined) return problems[0];
  if (opening !== undefined) return openText(opening, now);
  if (mode === "off") return exception?.why ?? "";
  return notes[0] ?? (git.some(({ done }) => !done) ? "git must say what is below" : "");
};

const policyTexts: Readonly<Record<GuardStanding["policy"]["state"], string>> = {
  current: "in force",
  outdated: "NOT as Holdfast writes it: `holdfast guard on` mends it",
  absent: "MISSING",
  unneeded: "not needed: nothing is guarded",
  impossible: "not to be had",
};

const footerOf = ({ policy }: GuardStanding, volumes: readonly VolumeStanding[]): string => {
  const bad = volumes.filter((volume) => !isGuarded(volume));
  const left = volumes.filter(({ mode, exception }) => mode === "off" && exception !== undefined).length;
  const count = volumes.length - left;
  const summary =
    bad.length === 0
      ? `${count} volumes are guarded, ${left} rightly not.`
      : `${bad.length} of ${count} volumes are NOT guarded as they should be: \`holdfast guard on\`.`;
  const lines = [...new Set(volumes.flatMap(({ git }) => git.filter(({ done }) => !done).map(gitLineText)))];
  const policyText = `Admission policy: ${policyTexts[policy.state]}${policy.why === undefined ? "" : ` (${policy.why})`}.`;
  return [summary, policyText, ...lines].join("\n");
};
