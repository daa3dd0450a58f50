/** Takes our finalizer off a claim that is being deleted, once a fresh look says that its bytes stay. */
import { letGo } from "../guard/letting-go.ts";
import type { Claim, PersistentVolume } from "../inventory/raw.ts";
import { defaultLockTimes, Locks } from "../operation/locks.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { announce } from "./announce.ts";
import { type LetGo, mayGo } from "./decide.ts";
import type { Term } from "./term.ts";

/** Throws LOCKED while an undelete, say, works on the volume: that one lets go in its own order. */
export const letClaimGo = async (term: Term, task: LetGo, namespace: string): Promise<void> => {
  const { kubernetes, clock } = term;
  const run = term.randomId(8);
  const holder = { operation: "serve", run, what: `let go of ${task.volume}, by holdfast serve` };
  const world = { kubernetes, clock, namespace, times: defaultLockTimes };
  const locks = await Locks.acquire(world, [task.volume], holder, term.signal);
  try {
    const { namespace: space = "", name, uid = "" } = task.claim.metadata;
    const claim = await kubernetes.get<Claim>(resources.persistentVolumeClaims, { namespace: space, name });
    if (claim?.metadata.uid !== uid || claim.metadata.deletionTimestamp === undefined) return;
    if (!(task.when === "allowed" ? mayGo(claim, clock.now()) !== undefined : await isKept(term, task.pv))) return;
    const message = `It is let go: ${task.why}.${task.when === "allowed" ? "" : ` \`holdfast undelete ${task.volume}\` brings it back.`}`;
    await announce(term, { about: { namespace: space, name, uid }, reason: "HoldfastLetGo", message });
    locks.demand();
    await letGo(kubernetes, resources.persistentVolumeClaims, claim);
    term.log("info", "let-go", `${task.volume}: ${message}`, { volume: task.volume, pv: task.pv?.metadata.name });
  } finally {
    await locks.release();
  }
};

/** What the watch has shown may be a moment old. */
const isKept = async ({ kubernetes }: Term, pv: PersistentVolume | undefined): Promise<boolean> => {
  if (pv === undefined) return true;
  const now = await kubernetes.get<PersistentVolume>(resources.persistentVolumes, { name: pv.metadata.name });
  return now === undefined || now.spec.persistentVolumeReclaimPolicy === "Retain";
};
