/** Plays one history on a household of its own, move by move, and looks after each whether everything owed is there. */
import { setTimeout as sleep } from "node:timers/promises";
import { modeOf, openingKey } from "../../../src/guard/protect/mode.ts";
import { standingOf } from "../../../src/guard/protect/standing.ts";
import { readGuardView } from "../../../src/guard/protect/view.ts";
import type { Claim } from "../../../src/inventory/raw.ts";
import { type Failure, isFailure } from "../../../src/model/failure.ts";
import type { KubeObject, Kubernetes } from "../../../src/systems/kubernetes/port.ts";
import { Broken } from "./broken.ts";
import { gitOpsSync } from "./git-ops.ts";
import { type Household, isLive, type Sight } from "./household.ts";
import { Ledger } from "./ledger.ts";
import { type ClaimName, claimNames, type Move, type OutsideMove, textOf } from "./moves.ts";
import { playOutside } from "./outside.ts";
import type { Answer, Outsider } from "./outsider.ts";
import { type Ending, endingText, type Holdfast } from "./processes.ts";

export interface Stage {
  readonly kubernetes: Kubernetes;
  readonly outsider: Outsider;
  readonly holdfast: Holdfast;
  readonly household: Household;
  /** Kills the controller-manager and starts it anew. */
  readonly restartControllers: () => Promise<string>;
}

/** How a guard's command may end when its volume is gone, going, or changed by others meanwhile. */
const guardEndings = ["VOLUME_UNKNOWN", "NAMESPACE_UNKNOWN", "TARGET_UNUSABLE", "KUBERNETES_CONFLICT"] as const;

const answerText = (answer: Answer | undefined): string => {
  if (answer === undefined) return "there is none";
  return answer.status < 400 ? "accepted" : `${answer.status} ${answer.message}`;
};

/** How often one tries to have everything back in the end. */
const rounds = 4;

const placeText = (claim: Claim | undefined): string => {
  if (claim === undefined) return "not there";
  const { metadata, spec, status } = claim;
  return `on ${spec.volumeName} (${metadata.deletionTimestamp === undefined ? status?.phase : "Terminating"})`;
};

const isDone = (ending: Ending): ending is "done" => ending === "done";

export class Play {
  readonly ledger = new Ledger();
  /** What was done and what came of it, for whoever reads of a failure. */
  readonly log: string[] = [];
  readonly #stage: Stage;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  async play(moves: readonly Move[]): Promise<void> {
    await this.look();
    await this.#record();
    for (const move of moves) {
      const began = performance.now();
      const outcome = await this.#does(move);
      this.log.push(`${textOf(move)} -> ${outcome} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
      await this.look({ mayLoosen: move.does === "guard" && (move.mode === "off" || outcome !== "done") });
    }
    await this.#bringAllBack();
  }

  async look(options: { readonly mayLoosen?: boolean } = {}): Promise<Sight> {
    const sight = await this.#stage.household.look();
    await this.ledger.check(sight, options);
    return sight;
  }

  #does(move: Move): Promise<string> {
    switch (move.does) {
      case "outside":
        return this.#outside(move.move);
      case "guard":
        return this.#guard(move);
      case "allow-delete":
        return this.#allowDelete(move.claim, move.withdraw);
      case "sync":
        return this.#sync(move.git);
      case "record":
        return this.#record();
      case "undelete":
        return this.#undelete(move.claims, move.diesAt);
      case "resume":
        return this.#resume();
      case "wait":
        return sleep(move.ms, "done");
      case "restart-controllers":
        break;
    }
    return this.#stage.restartControllers();
  }

  async #sync(git: readonly ClaimName[]): Promise<string> {
    return gitOpsSync(this.#stage, await this.#stage.household.look(), git);
  }

  async #record(): Promise<string> {
    const ending = await this.#stage.holdfast.record();
    if (!isDone(ending)) throw new Broken(`the inventory was not written: ${endingText(ending)}`);
    this.ledger.record(await this.#stage.household.look());
    return ending;
  }

  async #outside(move: OutsideMove): Promise<string> {
    const { answer, released } = await playOutside(this.#stage, move);
    if (released !== undefined) this.ledger.release(released);
    return answerText(answer);
  }

  async #guard({ mode, whom }: Extract<Move, { readonly does: "guard" }>): Promise<string> {
    await this.#resume();
    const { holdfast, household } = this.#stage;
    const selector = whom === "all" ? `${household.namespace}/` : `${household.namespace}/${whom}`;
    const ending = await holdfast.guard(mode, selector);
    if (isDone(ending)) {
      if (mode !== "off") await this.#demandGuarded();
      return "done";
    }
    if (isFailure(ending, ...guardEndings)) return endingText(ending);
    throw new Broken(`guard ${mode} ${selector}: ${endingText(ending)}`);
  }

  /** `guard status` finds nothing wrong with what has a mode. */
  async #demandGuarded(): Promise<void> {
    const { kubernetes, household } = this.#stage;
    const problems = async (): Promise<readonly string[]> => {
      const { volumes } = standingOf(await readGuardView(kubernetes), Date.now());
      return volumes
        .filter(({ volume, mode }) => volume.startsWith(`${household.namespace}/`) && mode !== "off")
        .filter(({ exception, opening }) => exception === undefined && opening === undefined)
        .flatMap(({ volume, problems }) => problems.map((text) => `${volume}: ${text}`));
    };
    if ((await problems()).length === 0) return;
    // A deletion that was accepted before may still be under way.
    await sleep(1000);
    const left = await problems();
    if (left.length > 0) throw new Broken(`after guard on: ${left.join("; ")}`);
  }

  async #allowDelete(claim: ClaimName, withdraw: boolean): Promise<string> {
    await this.#resume();
    const ending = await this.#stage.holdfast.allowDelete(`${this.#stage.household.namespace}/${claim}`, withdraw);
    if (isDone(ending) || isFailure(ending, ...guardEndings)) return endingText(ending);
    throw new Broken(`guard allow-delete ${claim}: ${endingText(ending)}`);
  }

  /** What stopped in the middle goes on, or back when others have made going on impossible. */
  async #resume(): Promise<string> {
    const { holdfast } = this.#stage;
    const outcomes: string[] = [];
    for (const id of await holdfast.unfinished()) {
      const ending = await holdfast.resume(id);
      outcomes.push(`resumed: ${endingText(ending)}`);
      if (isDone(ending)) await this.#record();
      else if ((await holdfast.unfinished()).includes(id)) {
        const back = await holdfast.undo(id);
        outcomes.push(`undone: ${endingText(back)}`);
        if (!isDone(back)) throw new Broken(`${id} can be neither resumed nor undone: ${outcomes.join(", ")}`);
      }
    }
    if (outcomes.length === 0) return "nothing to resume";
    this.log.push(`  ${outcomes.join(", ")}`);
    await this.look();
    return outcomes.join(", ");
  }

  async #undelete(claims: readonly ClaimName[], diesAt: number | undefined): Promise<string> {
    await this.#resume();
    const { holdfast, household } = this.#stage;
    const before = await this.look();
    const guarded = claims.filter((name) => this.#isGuarded(before, name));
    const ending = await holdfast.undelete(
      claims.map((name) => `${household.namespace}/${name}`),
      diesAt,
    );
    const after = await this.look();
    if (isDone(ending)) {
      this.ledger.record(after);
      this.#demandBack(after, { claims, guarded });
    } else if (typeof ending !== "string") {
      // As the message tells its user to do; the next round finds it done.
      const isHeld = isFailure(ending, "TARGET_IN_USE") && (await household.removeBarePods());
      if (!isHeld) this.#demandReason(ending, before, claims);
    }
    return endingText(ending);
  }

  /** By its claim, or by the PV when that is all there is. */
  #isGuarded({ claims, volumes }: Sight, name: string): boolean {
    const claim = claims.get(name);
    const pvs = volumes.filter(({ spec }) => spec.claimRef?.name === name);
    if (claim === undefined) return pvs.length === 1 && pvs.every((pv) => modeOf(pv) !== "off");
    return claim.metadata.deletionTimestamp !== undefined && modeOf(claim) !== "off" && !isOpenNow(claim);
  }

  #demandBack(after: Sight, wanted: { readonly claims: readonly string[]; readonly guarded: readonly string[] }): void {
    for (const name of wanted.claims) {
      const claim = after.claims.get(name);
      const entry = this.ledger.ofClaim(name).find(({ pv }) => pv.metadata.name === claim?.spec.volumeName);
      if (!isLive(claim) || claim?.status?.phase !== "Bound")
        throw new Broken(`undelete was done, and ${name} is not bound`);
      // What was let go with Delete may have been destroyed while it was brought back.
      if (entry === undefined)
        throw new Broken(`undelete has bound ${name} to ${claim.spec.volumeName}, which nobody knows`);
      if (wanted.guarded.includes(name) && modeOf(claim) === "off")
        throw new Broken(`${name} was guarded, and came back unguarded`);
    }
  }

  /** Throws Broken unless one of the volumes that were asked for cannot come back, or need not. */
  #demandReason(ending: Failure, { claims }: Sight, names: readonly string[]): void {
    const stands = names.filter((name) => isLive(claims.get(name)));
    const isLost = (name: string): boolean => this.ledger.bringable(name).length === 0;
    if (isFailure(ending, "NOT_DELETED") && stands.length > 0) return;
    const gone = names.filter((name) => !stands.includes(name));
    if (isFailure(ending, "VOLUME_UNKNOWN", "NAMESPACE_UNKNOWN", "COPY_MISSING") && gone.some(isLost)) return;
    // A driver that is about to destroy what nobody has asked to keep: all that there is, or the newest of it.
    const isAnybodys = (name: string): readonly boolean[] => this.ledger.ofClaim(name).map(({ isOwed }) => !isOwed);
    if (gone.some((name) => isAnybodys(name).every(Boolean))) return;
    const isQuicker = isFailure(ending, "TARGET_UNUSABLE", "KUBERNETES_CONFLICT");
    if (isQuicker && names.some((name) => isAnybodys(name).includes(true))) return;
    throw new Broken(`undelete ${names.join(" ")}: ${endingText(ending)}`);
  }

  /**
   * In the end every claim whose bytes are anywhere is bound to the volume that it had first. A controller that deletes
   * what has lost its owner, or a driver, may come in between: then one tries again.
   */
  async #bringAllBack(): Promise<void> {
    for (let round = 1; ; round += 1) {
      await this.#resume();
      for (const name of claimNames) await this.#bringBack(name);
      const wrong = await this.#notBack();
      if (wrong.length === 0) return;
      if (round === rounds) throw new Broken(`in the end ${wrong.join("; ")}`);
      await sleep(2000);
    }
  }

  async #notBack(): Promise<readonly string[]> {
    const { claims } = await this.look();
    const wrong: string[] = [];
    for (const name of claimNames) {
      const [first] = this.ledger.bringable(name);
      const claim = claims.get(name);
      const isBound = isLive(claim) && claim?.status?.phase === "Bound";
      if (first === undefined) await this.#demandOnlyCopy(name);
      else if (!isBound || claim.spec.volumeName !== first.pv.metadata.name)
        wrong.push(`${name} is ${placeText(claim)}, not on ${first.pv.metadata.name}`);
    }
    return wrong;
  }

  /** A claim that was made anew again and again has several earlier volumes: each undelete goes back by one. */
  async #bringBack(name: ClaimName): Promise<void> {
    for (let turn = 0; turn <= this.ledger.ofClaim(name).length; turn += 1) {
      const ending = await this.#undelete([name], undefined);
      this.log.push(`in the end: undelete ${name} -> ${ending}`);
      if (ending !== "done") return;
    }
    throw new Broken(`undelete ${name} comes to no end`);
  }

  async #demandOnlyCopy(name: ClaimName): Promise<void> {
    const { holdfast, household } = this.#stage;
    const place = `${household.namespace}/${name}`;
    try {
      const remains = (await holdfast.deleted([place])).map((deleted) => deleted.remains);
      if (remains.some((one) => one !== "copy"))
        throw new Broken(`${name} has no bytes left, and Holdfast says: ${remains.join(", ")}`);
    } catch (error) {
      if (!isFailure(error, "VOLUME_UNKNOWN", "NAMESPACE_UNKNOWN", "NOT_DELETED")) throw error;
    }
  }
}

const isOpenNow = ({ metadata }: KubeObject): boolean => metadata.annotations?.[openingKey] !== undefined;
