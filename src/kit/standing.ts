/** Whether a kit outside the cluster is proven today: what `status` and `doctor` stay red for. */
import { Failure, isFailure } from "../model/failure.ts";
import { formatAge } from "../model/units.ts";
import type { Bucket } from "../systems/s3/port.ts";
import { readKitEvidence } from "./evidence.ts";
import { isFingerprintOf } from "./fingerprint.ts";

/** ms. Longer than that and keys, addresses and habits may have changed unnoticed. */
export const freshFor = 90 * 24 * 3_600_000;

export type KitStanding =
  | {
      readonly proven: true;
      /** ms since 1970. */
      readonly checked: number;
      /** Checked longer ago than `freshFor`. */
      readonly old: boolean;
      /** A sentence for people. */
      readonly text: string;
    }
  | { readonly proven: false; readonly checked: number | undefined; readonly because: Failure };

export interface StandingSources {
  readonly bucket: Bucket;
  /** Our cluster name in the bucket. */
  readonly cluster: string;
  /** Today's repository password. */
  password(): Promise<string>;
  /** ms since 1970. */
  readonly now: number;
}

/** Cost: one read, and where there is evidence the password and a fifth of a second. Throws BUCKET_*. */
export const kitStanding = async (sources: StandingSources): Promise<KitStanding> => {
  try {
    return await judged(sources);
  } catch (error) {
    if (!isFailure(error, "KIT_MISSING")) throw error;
    return { proven: false, checked: undefined, because: error };
  }
};

const judged = async (sources: StandingSources): Promise<KitStanding> => {
  const { bucket, cluster, now } = sources;
  const evidence = (await readKitEvidence(bucket, cluster))?.evidence;
  if (evidence === undefined) {
    throw new Failure("KIT_MISSING", {
      what: "No kit was ever checked: what opens the backups may exist in the cluster only, and would be lost with it.",
    });
  }
  const checked = evidence.time;
  if (!evidence.outside) {
    const because = new Failure("KIT_MISSING", {
      what: "The kit was checked only inside the cluster.",
      why: "that says nothing about the night when the cluster is gone",
      todo: "Run `holdfast kit check FILE` on another machine.",
    });
    return { proven: false, checked, because };
  }
  const age = Math.max(0, now - checked);
  const because = await passwordProblem(async () => isFingerprintOf(evidence.password, await sources.password()));
  if (because !== undefined) return { proven: false, checked, because };
  const repositories = evidence.repositories.length;
  const nas = evidence.nas === "not checked" ? "; its access to the NAS was not tried" : "";
  const text = `checked ${formatAge(age)} ago: it opened ${repositories === 1 ? "the one repository" : `all ${repositories} repositories`} from outside the cluster${nas}`;
  return { proven: true, checked, old: age > freshFor, text };
};

/** Why the kit's password cannot be called today's. */
const passwordProblem = async (same: () => Promise<boolean>): Promise<Failure | undefined> => {
  try {
    if (await same()) return undefined;
  } catch (error) {
    if (!isFailure(error)) throw error;
    const { code, what, todo } = error;
    return new Failure(code, {
      what: "Whether the kit has today's repository password is not known.",
      why: what,
      ...(todo === undefined ? {} : { todo }),
      cause: error,
    });
  }
  return new Failure("KIT_OUTDATED", {
    what: "The repository password is another one than the kit had when it was checked.",
  });
};
