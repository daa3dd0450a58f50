/** Plays many random histories at once on the running lab, and tells of one that fails how to have it again. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { controllerManager } from "../../../lab/node/control-plane.ts";
import { tools } from "../../../lab/parts.ts";
import { silentReport } from "../../../lab/shell/report.ts";
import { endDaemon, startDaemon } from "../../../lab/site/daemon.ts";
import { openWorld, type World } from "../../../src/cli/world.ts";
import type { PersistentVolume } from "../../../src/inventory/raw.ts";
import { mapLimited } from "../../../src/model/concurrency.ts";
import { loadAccess } from "../../../src/systems/kubernetes/kubeconfig.ts";
import type { RunningLab } from "../running-lab.ts";
import { Household } from "./household.ts";
import { histories, type History, type Move, textOf } from "./moves.ts";
import { narrow } from "./narrow.ts";
import { Outsider } from "./outsider.ts";
import { Play } from "./play.ts";
import { sumOf, type Tally, tallyOf } from "./tally.ts";
import { endingText, Holdfast, realContext, Turns } from "./processes.ts";

export interface Wanted {
  readonly seed: number;
  readonly count: number;
  readonly atATime: number;
  /** Weight of a restart of the controller-manager, against about 40 of all else. */
  readonly restarts: number;
  /** Told of each failure as it happens: it may be long until the end, or there may be none. */
  readonly tell: (text: string) => void;
}

/** What a run tells of itself. */
export interface Told {
  readonly histories: number;
  readonly moves: number;
  readonly seconds: number;
  /** What came of it all: a run in which nothing dies and nothing is refused would prove little. */
  readonly seen: Tally;
  /** One text for each history that failed. */
  readonly failures: readonly string[];
}

interface Site {
  readonly world: World;
  readonly outsider: Outsider;
  readonly guardTurns: Turns;
  readonly restartControllers: () => Promise<string>;
  readonly folder: string;
  /** Households to be gone in the end, with all the volumes that they had. */
  readonly left: Map<Household, readonly PersistentVolume[]>;
  readonly tallies: Tally[];
}

/** Each named for the run: an earlier one may have left something. */
const prefix = (seed: number): string => `history-${seed.toString(36)}`;

/** ms. All households share the controllers: without a time to work they delete no namespace in a minute. */
const restartsApart = 30_000;

const openSite = async ({ lab }: RunningLab, seed: number): Promise<Site> => {
  const world = await openWorld(realContext(process.env), {});
  const kubernetes = await world.kubernetes();
  const binary = await tools(lab, ["kube-controller-manager"], silentReport);
  const restarts = new Turns();
  let last = Number.NEGATIVE_INFINITY;
  const outsider = await Outsider.open(kubernetes, await loadAccess({}, realContext(process.env)));
  return {
    world,
    outsider,
    guardTurns: new Turns(),
    restartControllers: () =>
      restarts.take(async () => {
        if (performance.now() - last < restartsApart) return "too soon after another one";
        await endDaemon(lab, "node", "kube-controller-manager", "KILL");
        await startDaemon(lab, "node", controllerManager(lab, binary));
        last = performance.now();
        return "done";
      }),
    folder: mkdtempSync(join(tmpdir(), `${prefix(seed)}-`)),
    left: new Map(),
    tallies: [],
  };
};

const openHousehold = async (site: Site, namespace: string) => {
  const { world, outsider, guardTurns, folder } = site;
  const kubernetes = await world.kubernetes();
  const household = new Household(namespace, kubernetes, outsider);
  site.left.set(household, []);
  const holdfast = new Holdfast({ world, stateHome: join(folder, namespace), namespace, guardTurns });
  return { kubernetes, outsider, household, holdfast, restartControllers: site.restartControllers };
};

/**
 * Volumes that stay guarded as long as the histories run: so the policy is in force all the time. Gives what lets go of
 * them, and of the policy with them.
 */
const openAnchor = async (site: Site, namespace: string): Promise<() => Promise<void>> => {
  const { household, holdfast } = await openHousehold(site, namespace);
  await household.open(false);
  const guard = async (mode: "deny" | "off"): Promise<void> => {
    const ending = await holdfast.guard(mode, `${namespace}/`);
    if (ending !== "done") throw new Error(`guard ${mode} of the anchor: ${endingText(ending)}`);
  };
  await guard("deny");
  site.left.set(household, (await household.look()).volumes);
  return async () => {
    await guard("off");
    await household.close();
  };
};

/** Gives what went wrong. */
const playOne = async (site: Site, namespace: string, { hasSet, moves }: History): Promise<unknown> => {
  const stage = await openHousehold(site, namespace);
  const { household } = stage;
  const play = new Play(stage);
  try {
    await household.open(hasSet);
    await play.play(moves);
    return undefined;
  } catch (error) {
    return new Error([...play.log, "", error instanceof Error ? error.message : String(error)].join("\n"), {
      cause: error,
    });
  } finally {
    const known = play.ledger.entries.map(({ pv }) => pv);
    site.left.set(household, known);
    site.tallies.push(tallyOf(play));
    // No plan of the guard is made while marks go.
    await site.guardTurns.take(() => household.close());
  }
};

/**
 * Gives what is still there after five minutes. Where a PV went before the kubelet had unmounted it, the kubelet tries
 * again after up to two, and its dataset is busy until then.
 */
const closeSite = async ({ left, outsider, world, folder }: Site): Promise<readonly string[]> => {
  const deadline = performance.now() + 300_000;
  let waiting = [...left];
  while (waiting.length > 0 && performance.now() < deadline) {
    const found = await Promise.all(waiting.map(([household, known]) => household.leftOf(known)));
    waiting = waiting.filter((_, index) => found[index]?.length !== 0);
    if (waiting.length > 0) await sleep(500);
  }
  const texts = await Promise.all(waiting.map(([household, known]) => household.leftOf(known)));
  await Promise.all([outsider.close(), world.close()]);
  rmSync(folder, { recursive: true, force: true });
  return texts.flat();
};

const failureText = (seed: number, index: number, { hasSet, moves }: History, error: unknown): string =>
  [
    `history ${index} of seed ${seed} (again: { seed: ${seed}, path: "${index}" }), ${hasSet ? "with" : "without"} a StatefulSet, ${moves.length} moves:`,
    error instanceof Error ? error.message : String(error),
    error instanceof Error && error.cause instanceof Error ? (error.cause.stack ?? "") : "",
  ].join("\n");

const mostFailures = 3;
/** ms; each try takes as long as the history did. */
const narrowingTime = 90_000;

/** The moves that it takes to fail, as far as there is time to find out. */
const narrowed = async (site: Site, namespace: string, { hasSet, moves }: History): Promise<string> => {
  const deadline = performance.now() + narrowingTime;
  let tries = 0;
  const fails = async (fewer: readonly Move[]): Promise<boolean> => {
    tries += 1;
    return (await playOne(site, `${namespace}-${tries}`, { hasSet, moves: fewer })) !== undefined;
  };
  const left = await narrow(moves, fails, () => performance.now() > deadline);
  return [`it takes no more than ${left.length} of them, found in ${tries} tries:`, ...left.map(textOf)].join("\n");
};

/** One line of what a run was. */
export const toldText = ({ seed }: Wanted, { histories: count, moves, seconds, seen }: Told): string =>
  `seed ${seed}: ${count} histories, ${moves} moves, ${seconds.toFixed(0)} s, ${JSON.stringify(seen)}\n`;

/** The histories of a seed; `path` picks one of them. */
export const historiesOf = ({ seed, count, restarts }: Omit<Wanted, "tell">, path?: string): readonly History[] =>
  fc.sample(histories({ restarts }), path === undefined ? { seed, numRuns: count } : { seed, path, numRuns: 1 });

export const playHistories = async (lab: RunningLab, wanted: Wanted, path?: string): Promise<Told> => {
  const { seed, atATime, tell } = wanted;
  const chosen = historiesOf(wanted, path);
  const site = await openSite(lab, seed);
  const failures: string[] = [];
  const failed: { readonly index: number; readonly history: History; readonly text: string }[] = [];
  const played: History[] = [];
  const began = performance.now();
  let closeAnchor = async (): Promise<void> => undefined;
  try {
    closeAnchor = await openAnchor(site, `${prefix(seed)}-anchor`);
    const place = (index: number): string => `${prefix(seed)}-${path ?? index}`;
    await mapLimited([...chosen.entries()], atATime, async ([index, history]) => {
      // The first failures tell; those that come of them do not.
      if (failures.length + failed.length >= mostFailures) return;
      played.push(history);
      const error = await playOne(site, place(index), history);
      if (error === undefined) return;
      const text = failureText(seed, Number(path ?? index), history, error);
      tell(`${text}\n`);
      failed.push({ index, history, text });
    });
    for (const { index, history, text } of failed) {
      failures.push(failures.length > 0 ? text : `${text}\n${await narrowed(site, place(index), history)}`);
    }
  } finally {
    await closeAnchor();
    const left = await closeSite(site);
    if (left.length > 0) failures.push(`left behind:\n${left.join("\n")}`);
  }
  const moves = played.reduce((sum, history) => sum + history.moves.length, 0);
  const seconds = (performance.now() - began) / 1000;
  return { histories: played.length, moves, seconds, seen: sumOf(site.tallies), failures };
};
