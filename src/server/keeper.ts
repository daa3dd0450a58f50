/** Keeps the bytes of claims that are being deleted: Retain, before anything else. */
import { mapLimited } from "../model/concurrency.ts";
import type { PersistentVolume } from "../inventory/raw.ts";
import { isFailure } from "../model/failure.ts";
import { retain } from "../restore/zfs/rebind.ts";
import { announce } from "./announce.ts";
import { type Memory, nothingKnown, remembered, toRetain } from "./keep.ts";
import { type Alarm, looping } from "./looping.ts";
import { tellFailure, tellSuccess, type Term } from "./term.ts";

const atATime = 6;
/** ms: openings end without an event. */
const lookAgain = 30_000;
const tryAgain = 1000;

/** Until the term ends. Cost: one pass over claims and PVs for each change; one read and one patch for each PV. */
export const keeping = (term: Term, alarm: Alarm): Promise<void> => {
  const keeper = new Keeper(term);
  const onFailure = (error: unknown): void => tellFailure(term, "keeping bytes", error);
  return looping({ ...term, alarm, calm: 0, work: () => keeper.pass(), onFailure, randomId: (n) => term.randomId(n) });
};

class Keeper {
  readonly #term: Term;
  #memory: Memory = nothingKnown;
  /** Versions of PVs that were patched as long as the watch still shows them: they are done. */
  readonly #done = new Map<string, string>();

  constructor(term: Term) {
    this.#term = term;
  }

  async pass(): Promise<number> {
    const { watched, clock } = this.#term;
    if (!watched.knowsVolumes) return lookAgain;
    const objects = watched.volumes;
    this.#memory = remembered(this.#memory, objects);
    const found = toRetain(this.#memory, objects, clock.now());
    const due = found.filter(({ metadata }) => this.#done.get(metadata.uid ?? "") !== metadata.resourceVersion);
    const results = await mapLimited(due, atATime, (pv) => this.#keep(pv));
    const named = new Set(objects.persistentVolumes.map(({ metadata }) => metadata.uid));
    for (const uid of this.#done.keys()) if (!named.has(uid)) this.#done.delete(uid);
    return results.every(Boolean) ? lookAgain : tryAgain;
  }

  /** False when it failed: one that cannot be kept keeps nobody else from it. */
  async #keep(pv: PersistentVolume): Promise<boolean> {
    const { name, uid = "", resourceVersion = "" } = pv.metadata;
    const { namespace = "", name: claim = "", uid: claimUid = "" } = pv.spec.claimRef ?? {};
    const about = `keeping ${namespace}/${claim}`;
    try {
      const isThere = await retain(this.#term.kubernetes, name);
      this.#done.set(uid, resourceVersion);
      tellSuccess(this.#term, about);
      if (!isThere) return true;
      this.#term.standing.retained += 1;
      const message = `Its claim is being deleted: PersistentVolume ${name} says Retain now, so its bytes stay. \`holdfast undelete ${namespace}/${claim}\` brings it back.`;
      this.#term.log("warn", "retained", message, { volume: `${namespace}/${claim}`, pv: name });
      await announce(this.#term, {
        about: { namespace, name: claim, uid: claimUid },
        reason: "HoldfastRetained",
        message,
        type: "Warning",
      });
      return true;
    } catch (error) {
      if (isFailure(error, "LOCK_LOST")) throw error;
      tellFailure(this.#term, about, error);
      return false;
    }
  }
}
