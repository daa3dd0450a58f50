/** Writes the inventory to the bucket at each change of the set of volumes, and knows what the bucket has. */
import { isFailure } from "../model/failure.ts";
import type { ClusterObjects } from "../inventory/volumes.ts";
import { type Alarm, looping } from "./looping.ts";
import { tellFailure, tellSuccess, type Term } from "./term.ts";

type Volumes = Pick<ClusterObjects, "claims" | "persistentVolumes">;

/** Changes when a claim or a PV comes, goes, or is bound to another one. Pure. */
export const setOf = ({ claims, persistentVolumes }: Volumes): string =>
  [
    ...claims.map(({ metadata, spec }) => `${metadata.uid} ${spec.volumeName ?? ""}`),
    ...persistentVolumes.map(
      ({ metadata, spec }) => `${metadata.uid} ${spec.claimRef?.uid ?? ""} ${spec.persistentVolumeReclaimPolicy ?? ""}`,
    ),
  ]
    .toSorted()
    .join("\n");

export interface RecorderOptions {
  /** Writes the inventory when it differs from the newest one. */
  readonly record: () => Promise<void>;
  /** Rung when a volume's presence there may matter to somebody. */
  readonly onRecorded: () => void;
}

/** ms between two attempts at the least. */
const calm = 30_000;
const lookAgain = 3_600_000;

export class Recorder {
  readonly #term: Term;
  readonly #options: RecorderOptions;
  #set: string | undefined;
  #notBefore = 0;
  #uids: ReadonlySet<string> = new Set();

  constructor(term: Term, options: RecorderOptions) {
    this.#term = term;
    this.#options = options;
  }

  /** True when the bucket's newest inventory has the object, as far as this process knows. */
  readonly has = (uid: string): boolean => this.#uids.has(uid);

  /** Until the term ends. */
  run(alarm: Alarm): Promise<void> {
    const onFailure = (error: unknown): void => {
      if (isFailure(error, "FENCED")) this.#term.standing.fenced = error.why ?? error.what;
      tellFailure(this.#term, "recording the inventory", error);
    };
    const randomId = (length: number): string => this.#term.randomId(length);
    return looping({ ...this.#term, randomId, alarm, calm: 0, work: () => this.#pass(), onFailure });
  }

  async #pass(): Promise<number> {
    const { watched, standing, clock } = this.#term;
    if (!watched.knowsVolumes) return lookAgain;
    // Seen before it is written: what comes meanwhile is another change.
    const { claims, persistentVolumes } = watched.volumes;
    const set = setOf({ claims, persistentVolumes });
    if (set === this.#set) return lookAgain;
    const now = clock.now();
    if (now < this.#notBefore) return this.#notBefore - now;
    this.#notBefore = now + calm;
    await this.#options.record();
    this.#set = set;
    this.#uids = new Set([...claims, ...persistentVolumes].flatMap(({ metadata }) => metadata.uid ?? []));
    standing.lastRecorded = clock.now();
    tellSuccess(this.#term, "recording the inventory");
    this.#options.onRecorded();
    return lookAgain;
  }
}
