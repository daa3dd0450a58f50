/**
 * What is owed: which volumes there ever were, which bytes must be there whatever happens, and what Holdfast can know of
 * them. Judged by what is seen of the cluster and by a mark in each dataset, not by what Holdfast says.
 */
import { modeOf } from "../../../src/guard/protect/mode.ts";
import type { PersistentVolume } from "../../../src/inventory/raw.ts";
import { Broken } from "./broken.ts";
import { isLive, readMark, type Sight, writeMark } from "./household.ts";

export interface Entry {
  /** As it was seen last. */
  pv: PersistentVolume;
  readonly claim: string;
  readonly mark: string;
  /** Is it in the cluster, by the last look? */
  isThere: boolean;
  /** Were the bytes there, by the last look? Once gone they stay gone. */
  hasBytes: boolean;
  /** Its PV said Retain while its claim was bound to it, or was guarded: these bytes may not go. */
  isOwed: boolean;
  /** An inventory has it. */
  isRecorded: boolean;
}

const saysRetain = ({ spec }: PersistentVolume): boolean => spec.persistentVolumeReclaimPolicy === "Retain";

export class Ledger {
  readonly #entries = new Map<string, Entry>();

  /** In the order in which they were made. */
  get entries(): readonly Entry[] {
    return [...this.#entries.values()];
  }

  ofClaim(name: string): readonly Entry[] {
    return this.entries.filter(({ claim }) => claim === name);
  }

  /** What Holdfast can bring back: its bytes are there, and cluster or inventory knows it. */
  bringable(name: string): readonly Entry[] {
    return this.ofClaim(name).filter(({ hasBytes, isThere, isRecorded }) => hasBytes && (isThere || isRecorded));
  }

  /** Every claim that is bound now is in the inventory that was just written. */
  record({ claims }: Sight): void {
    const bound = new Set([...claims.values()].map(({ spec }) => spec.volumeName));
    for (const entry of this.#entries.values()) if (bound.has(entry.pv.metadata.name)) entry.isRecorded = true;
  }

  /** Its reclaim policy was rightly turned to Delete. */
  release(pv: PersistentVolume): void {
    const entry = this.#entries.get(pv.metadata.name);
    if (entry !== undefined) entry.isOwed = false;
  }

  /** Throws Broken when what is owed is gone. `mayLoosen`: Holdfast was asked to take Retain back. */
  async check(sight: Sight, { mayLoosen = false } = {}): Promise<void> {
    for (const pv of sight.volumes) await this.#see(pv);
    const seen = new Map(sight.volumes.map((pv) => [pv.metadata.name, pv]));
    for (const entry of this.#entries.values()) {
      const pv = seen.get(entry.pv.metadata.name);
      entry.isThere = pv !== undefined;
      if (pv !== undefined) entry.pv = pv;
      if (entry.isOwed && pv !== undefined && !saysRetain(pv)) {
        if (!mayLoosen)
          throw new Broken(`PersistentVolume ${pv.metadata.name} of ${entry.claim} does not say Retain any more`);
        entry.isOwed = false;
      }
      await this.#checkBytes(entry);
      if (entry.hasBytes && isPromised(entry, sight)) entry.isOwed = true;
    }
  }

  async #see(pv: PersistentVolume): Promise<void> {
    const { name, uid } = pv.metadata;
    if (this.#entries.has(name)) return;
    const mark = `${name} ${uid}`;
    const hasBytes = await writeMark(pv, mark);
    this.#entries.set(name, {
      pv,
      claim: pv.spec.claimRef?.name ?? "",
      mark,
      isThere: true,
      hasBytes,
      isOwed: false,
      isRecorded: false,
    });
  }

  async #checkBytes(entry: Entry): Promise<void> {
    if (!entry.hasBytes) return;
    entry.hasBytes = (await readMark(entry.pv)) === entry.mark;
    if (entry.isOwed && !entry.hasBytes)
      throw new Broken(`the bytes of ${entry.claim} on ${entry.pv.metadata.name} are LOST, which were to stay`);
  }
}

const isPromised = ({ pv, isThere, claim }: Entry, { claims }: Sight): boolean => {
  if (!isThere || !saysRetain(pv)) return false;
  const bound = claims.get(claim);
  const isBound = isLive(bound) && bound?.spec.volumeName === pv.metadata.name && bound.status?.phase === "Bound";
  return isBound || modeOf(pv) !== "off";
};
