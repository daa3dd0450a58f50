/**
 * GUIDs and createtxgs, which every ZFS has and zfs-fuse does not tell. The lab gives them out itself: a counter on the
 * pool, and what was given in user properties of the dataset or snapshot itself, so that they follow it through a rename
 * and go with it. Snapshots and children inherit user properties, so only a local one counts. Everything that plays a
 * NAS in the lab takes them from here and hides the properties.
 */
import type { Zfs } from "./zfs.ts";

/** As ZFS prints them: decimal. */
export interface ZfsIdentity {
  readonly guid: string;
  readonly createtxg: string;
}

const namespace = "lab.holdfast:";
const counterProperty = `${namespace}txg`;
const identityProperty = `${namespace}identity`;

/** Whether a user property is the lab's own, and no NAS would have it. */
export const isLabProperty = (name: string): boolean => name.startsWith(namespace);

/** Spreads the counter over 64 bits, as GUIDs are: nothing may take them for small numbers. Odd, so that none meet. */
const guidOf = (txg: bigint): string => BigInt.asUintN(64, txg * 0x9e3779b97f4a7c15n + 0x5bd1e995n).toString();

const parse = (value: string): ZfsIdentity => {
  const [guid = "", createtxg = ""] = value.split(",");
  return { guid, createtxg };
};

type Properties = Awaited<ReturnType<Zfs["properties"]>>;

const known = (properties: Properties): ZfsIdentity | undefined => {
  const property = properties.get(identityProperty);
  return property?.source === "local" ? parse(property.value) : undefined;
};

/** One giver for a pool at a time: it counts. */
export class Identities {
  readonly #zfs: Zfs;
  #last: Promise<unknown> = Promise.resolve();

  constructor(zfs: Zfs) {
    this.#zfs = zfs;
  }

  /** The identity of a dataset or snapshot, given to it now when it has none. Throws what `Zfs.properties` throws. */
  of(name: string, properties?: Properties): Promise<ZfsIdentity> {
    const present = properties === undefined ? undefined : known(properties);
    return present === undefined ? this.#inTurn(() => this.#give(name)) : Promise.resolve(present);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work, work);
    this.#last = mine;
    return mine;
  }

  async #give(name: string): Promise<ZfsIdentity> {
    const present = known(await this.#zfs.properties(name));
    if (present !== undefined) return present;
    const pool = name.split(/[/@]/)[0] ?? name;
    const counter = (await this.#zfs.properties(pool)).get(counterProperty)?.value ?? "1000";
    const txg = BigInt(counter) + 1n;
    await this.#zfs.set(pool, { [counterProperty]: String(txg) });
    const identity = { guid: guidOf(txg), createtxg: String(txg) };
    await this.#zfs.set(name, { [identityProperty]: `${identity.guid},${identity.createtxg}` });
    return identity;
  }
}
