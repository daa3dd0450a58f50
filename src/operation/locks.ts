/**
 * Locks on volumes: a Lease for each, in Holdfast's namespace, so that operations of several machines exclude each other.
 *
 * Clocks of different machines may be wrong by days. So nobody's time is compared with another's: a lock counts as
 * abandoned when its Lease was seen unchanged for its whole duration on our own clock.
 */
import { createHash } from "node:crypto";
import type { Clock } from "../context.ts";
import { Failure, isFailure } from "../model/failure.ts";
import type { KubeObject, Kubernetes } from "../systems/kubernetes/port.ts";
import { resources } from "../systems/kubernetes/resources.ts";

interface Lease extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

/** Margins in ms; the defaults suit a home network. */
export interface LockTimes {
  /** How long a lock outlives the last sign of life of its holder. */
  readonly duration: number;
  readonly renewEvery: number;
  /** The holder stops this long before the others may take over: time for a request that is under way to arrive. */
  readonly margin: number;
  /** How often a lock that somebody else has is looked at. */
  readonly lookEvery: number;
}

export const defaultLockTimes: LockTimes = { duration: 30_000, renewEvery: 5000, margin: 10_000, lookEvery: 1000 };

export interface LockWorld {
  readonly kubernetes: Kubernetes;
  readonly clock: Clock;
  readonly namespace: string;
  readonly times: LockTimes;
}

/** Who holds: shown to whoever is kept out. */
export interface Holder {
  readonly operation: string;
  /** Unique to this process. */
  readonly run: string;
  /** "restore media/sonarr", and on which machine. */
  readonly what: string;
}

const volumeAnnotation = "holdfast.dev/volume";
const whatAnnotation = "holdfast.dev/operation-title";

const identityOf = ({ operation, run }: Holder): string => `${operation}/${run}`;

/** A volume's name as a Lease's: readable, and unique also where it must be cut. */
export const leaseName = (volume: string): string => {
  const hash = createHash("sha256").update(volume).digest("hex").slice(0, 10);
  return `holdfast-${volume.replaceAll(/[^a-z0-9.-]/g, ".").slice(0, 200)}-${hash}`;
};

/** A Lease's times have exactly six digits of a second; the API server refuses others. */
const microTime = (ms: number): string => new Date(ms).toISOString().replace("Z", "000Z");

/** Locks that one run of an operation holds, until `release` or until they are lost. */
export class Locks {
  readonly #world: LockWorld;
  readonly #holder: Holder;
  readonly #leases = new Map<string, Lease>();
  readonly #lost = new AbortController();
  readonly #released = new AbortController();
  #validUntil = 0;
  #renewing: Promise<void> = Promise.resolve();

  private constructor(world: LockWorld, holder: Holder) {
    this.#world = world;
    this.#holder = holder;
  }

  /** Takes all locks or none. Throws LOCKED, naming the holder; waits for an abandoned lock's time to run out. */
  static async acquire(
    world: LockWorld,
    volumes: readonly string[],
    holder: Holder,
    signal: AbortSignal,
  ): Promise<Locks> {
    const locks = new Locks(world, holder);
    try {
      // Always in the same order: two that want the same volumes cannot block each other.
      const wanted = [...new Set(volumes)].toSorted();
      const taking: Taking = { holder, signal, wanted, seen: new Map() };
      for (const volume of wanted) locks.#leases.set(volume, await takeOver(world, volume, taking));
      // The first may have waited long for the last; and from here on one time counts for all.
      await locks.#renew();
    } catch (error) {
      await locks.#removeAll();
      throw error;
    }
    locks.#renewing = locks.#keepRenewing();
    return locks;
  }

  /** Aborted with LOCK_LOST as soon as the locks are known to be lost. */
  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /** Throws LOCK_LOST unless the locks are certainly ours now. Asks nobody: it compares clock readings of this machine. */
  demand(): void {
    if (!this.#lost.signal.aborted && this.#world.clock.now() >= this.#validUntil)
      this.#lose("it was not renewed in time");
    this.#lost.signal.throwIfAborted();
  }

  /** Lets go. What is not ours any more is left alone. */
  async release(): Promise<void> {
    this.#released.abort();
    await this.#renewing;
    await this.#removeAll();
  }

  #lose(why: string): void {
    this.#lost.abort(
      new Failure("LOCK_LOST", {
        what: `The lock on ${[...this.#leases.keys()].join(", ")} was lost.`,
        why,
        todo: `\`holdfast operations show ${this.#holder.operation}\` shows where it stands; \`holdfast resume ${this.#holder.operation}\` goes on.`,
      }),
    );
  }

  async #keepRenewing(): Promise<void> {
    const { clock, times } = this.#world;
    const signal = AbortSignal.any([this.#released.signal, this.#lost.signal]);
    while (!signal.aborted) {
      try {
        await clock.sleep(times.renewEvery, signal);
        // A process that slept through its time must not renew what may be somebody else's by now.
        this.demand();
        await this.#renew();
      } catch (error) {
        if (signal.aborted) return;
        // A cluster that does not answer for a moment is no loss; `demand` watches the time.
        if (isFailure(error, "KUBERNETES_CONFLICT", "KUBERNETES_REFUSED")) this.#lose("somebody else has taken it");
        else if (clock.now() >= this.#validUntil) this.#lose("the cluster did not answer in time");
      }
    }
  }

  async #renew(): Promise<void> {
    const { kubernetes, clock, namespace, times } = this.#world;
    const now = clock.now();
    for (const [volume, lease] of this.#leases) {
      const { name, uid, resourceVersion } = lease.metadata;
      const renewed = await kubernetes.mergePatch<Lease>(
        resources.leases,
        { namespace, name },
        { metadata: { uid, resourceVersion }, spec: { renewTime: microTime(now) } },
      );
      this.#leases.set(volume, renewed);
    }
    this.#validUntil = now + times.duration - times.margin;
  }

  async #removeAll(): Promise<void> {
    const { kubernetes, namespace } = this.#world;
    for (const { metadata } of this.#leases.values()) {
      const { name, uid, resourceVersion } = metadata;
      const only = {
        ...(uid === undefined ? {} : { uid }),
        ...(resourceVersion === undefined ? {} : { resourceVersion }),
      };
      try {
        await kubernetes.remove(resources.leases, { namespace, name }, only);
      } catch (error) {
        // Taken over meanwhile, or out of reach: then its time runs out by itself.
        if (!isFailure(error, "KUBERNETES_CONFLICT", "KUBERNETES_UNREACHABLE")) throw error;
      }
    }
  }
}

/** Versions of others' Leases, and since when (our clock) each has stood still. */
type Sightings = Map<string, { readonly version: string | undefined; readonly since: number }>;

interface Taking {
  readonly holder: Holder;
  readonly signal: AbortSignal;
  readonly wanted: readonly string[];
  readonly seen: Sightings;
}

const see = (seen: Sightings, { metadata }: Lease, now: number): number => {
  const known = seen.get(metadata.name);
  if (known?.version === metadata.resourceVersion) return known?.since ?? now;
  seen.set(metadata.name, { version: metadata.resourceVersion, since: now });
  return now;
};

/** All at once, so that the locks of a dead process with many volumes run out together and not one after the other. */
const seeAll = async ({ kubernetes, namespace, clock }: LockWorld, { wanted, seen }: Taking): Promise<void> => {
  for (const volume of wanted) {
    const lease = await kubernetes.get<Lease>(resources.leases, { namespace, name: leaseName(volume) });
    if (lease !== undefined) see(seen, lease, clock.now());
  }
};

const takeOver = async (world: LockWorld, volume: string, taking: Taking): Promise<Lease> => {
  const { kubernetes, namespace } = world;
  const { holder, signal } = taking;
  const name = { namespace, name: leaseName(volume) };
  for (;;) {
    signal.throwIfAborted();
    const present = await kubernetes.get<Lease>(resources.leases, name);
    try {
      if (present === undefined)
        return await kubernetes.create<Lease>(resources.leases, newLease(world, volume, holder));
      if (isOwn(present, holder) || (await isAbandoned(world, volume, present, taking)))
        return await kubernetes.mergePatch<Lease>(resources.leases, name, takenFrom(world, present, holder));
    } catch (error) {
      // Somebody was quicker, or it has gone this moment: look again who it is.
      const isGone =
        isFailure(error, "KUBERNETES_REFUSED") && (await kubernetes.get(resources.leases, name)) === undefined;
      if (!isGone && !isFailure(error, "KUBERNETES_CONFLICT")) throw error;
    }
  }
};

/** A run that has lost its lock, and finds that nobody has taken it, has it again at once. */
const isOwn = ({ spec }: Lease, holder: Holder): boolean => spec?.holderIdentity === identityOf(holder);

/** True when the Lease has stood still for its duration, false when it went meanwhile. Throws LOCKED at the holder's next sign of life. */
const isAbandoned = async (world: LockWorld, volume: string, seen: Lease, taking: Taking): Promise<boolean> => {
  const { kubernetes, clock, namespace, times } = world;
  const { name } = seen.metadata;
  const duration = Math.max((seen.spec?.leaseDurationSeconds ?? 0) * 1000, times.duration);
  if (taking.seen.size === 0) await seeAll(world, taking);
  const until = see(taking.seen, seen, clock.now()) + duration;
  while (clock.now() < until) {
    await clock.sleep(times.lookEvery, taking.signal);
    const now = await kubernetes.get<Lease>(resources.leases, { namespace, name });
    if (now === undefined) return false;
    if (now.metadata.resourceVersion !== seen.metadata.resourceVersion) throw lockedBy(volume, now);
  }
  return true;
};

const lockedBy = (volume: string, { spec, metadata }: Lease): Failure => {
  const operation = spec?.holderIdentity?.split("/")[0] ?? "unknown";
  const what = metadata.annotations?.[whatAnnotation] ?? `operation ${operation}`;
  return new Failure("LOCKED", {
    what: `Another operation works on ${volume}.`,
    why: `${what} (operation ${operation}), since ${spec?.acquireTime ?? "an unknown time"}`,
    todo: `Wait for it: \`holdfast operations show ${operation}\` shows how far it is.`,
  });
};

const newLease = ({ clock, namespace, times }: LockWorld, volume: string, holder: Holder): KubeObject => {
  const now = microTime(clock.now());
  const lease = {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: {
      name: leaseName(volume),
      namespace,
      labels: { "app.kubernetes.io/managed-by": "holdfast", "velero.io/exclude-from-backup": "true" },
      annotations: { [volumeAnnotation]: volume, [whatAnnotation]: holder.what },
    },
    spec: {
      holderIdentity: identityOf(holder),
      leaseDurationSeconds: Math.ceil(times.duration / 1000),
      acquireTime: now,
      renewTime: now,
      leaseTransitions: 0,
    },
  };
  return lease;
};

const takenFrom = ({ clock }: LockWorld, { metadata, spec }: Lease, holder: Holder): object => {
  const now = microTime(clock.now());
  return {
    metadata: {
      uid: metadata.uid,
      resourceVersion: metadata.resourceVersion,
      annotations: { [whatAnnotation]: holder.what },
    },
    spec: {
      holderIdentity: identityOf(holder),
      acquireTime: now,
      renewTime: now,
      leaseTransitions: (spec?.leaseTransitions ?? 0) + 1,
    },
  };
};
