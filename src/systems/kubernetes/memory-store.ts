import type { Clock } from "../../context.ts";
import { formatTime } from "../../model/units.ts";
import type { Randomness } from "./backoff.ts";
import type { Admission } from "./memory-admission.ts";
import { isBuiltIn } from "./memory-traits.ts";
import { managedFieldsOf, type Owners } from "./memory-ownership.ts";
import type { KubeObject, ObjectMeta, ObjectName, Resource, WatchEvent } from "./port.ts";
import { fullNameOf, groupOf, resources } from "./resources.ts";

/** One object in the store, never changed in place. */
export interface Stored {
  readonly resource: Resource;
  readonly object: KubeObject;
  readonly owners: Owners;
}

/** One entry of the store's history. */
export interface Change {
  readonly version: number;
  readonly type: WatchEvent<KubeObject>["type"];
  readonly resource: Resource;
  readonly object: KubeObject;
  /** The object before a MODIFIED, to see whether it moved into or out of a selection. */
  readonly before?: KubeObject;
}

/** etcd of the twin: objects, one version counter for all of them, and their history. */
export class MemoryStore {
  readonly #clock: Clock;
  readonly #randomness: Randomness;
  readonly #objects = new Map<string, Map<string, Stored>>();
  readonly #listeners = new Set<(change: Change) => void>();
  #waiting: (() => void)[] = [];
  #history: Change[] = [];
  #version = 1;
  /** Rises when history is thrown away; streams of an older epoch have expired. */
  epoch = 0;
  #oldest = 1;
  /** Kinds that somebody has put here, whatever their group. */
  readonly #put = new Set<string>();
  /** Pods on a node stay, Terminating, until somebody plays the kubelet. */
  podsEndGracefully = false;
  /** Who is asked before users change or remove anything; controllers are not. */
  admission: Admission | undefined;

  constructor(world: Randomness & { readonly clock: Clock }) {
    this.#clock = world.clock;
    this.#randomness = world;
  }

  get version(): number {
    return this.#version;
  }

  /** RFC 3339 with whole seconds, as the server stamps. */
  timestamp(afterSeconds = 0): string {
    return formatTime(this.#clock.now() + afterSeconds * 1000);
  }

  suffix(): string {
    return this.#randomness.randomId(5);
  }

  uid(): string {
    const digits = Array.from(this.#randomness.randomId(32), (letter) =>
      (Number.parseInt(letter, 36) % 16).toString(16),
    );
    return digits.join("").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, "$1-$2-$3-$4-$5");
  }

  /** True for kinds that the server has: the built-in ones, those of the given groups, and those with a definition. */
  serves(resource: Resource, groups: readonly string[]): boolean {
    const group = groupOf(resource);
    if (isBuiltIn(group) || groups.includes(group) || this.#put.has(fullNameOf(resource))) return true;
    return this.find(resources.customResourceDefinitions, { name: fullNameOf(resource) }) !== undefined;
  }

  /** From now on the server has this kind. */
  serve(resource: Resource): void {
    this.#put.add(fullNameOf(resource));
  }

  find(resource: Resource, name: ObjectName): Stored | undefined {
    return this.#objects.get(fullNameOf(resource))?.get(keyOf(name));
  }

  /** In the order of the API server: by namespace and name. */
  all(resource: Resource): Stored[] {
    const byKey = [...(this.#objects.get(fullNameOf(resource)) ?? [])];
    return byKey.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, stored]) => stored);
  }

  everything(): Stored[] {
    return [...this.#objects.values()].flatMap((byName) => Array.from(byName.values()));
  }

  /** Writes an object under a new version. */
  write(stored: Stored): KubeObject {
    const before = this.find(stored.resource, stored.object.metadata);
    const managedFields = managedFieldsOf(stored.owners);
    const object = this.#stamped({ ...stored.object, metadata: { ...stored.object.metadata, managedFields } });
    const kind = fullNameOf(stored.resource);
    const byName = this.#objects.get(kind) ?? new Map<string, Stored>();
    this.#objects.set(kind, byName.set(keyOf(object.metadata), { ...stored, object }));
    this.#record(
      before === undefined
        ? { version: this.#version, type: "ADDED", resource: stored.resource, object }
        : { version: this.#version, type: "MODIFIED", resource: stored.resource, object, before: before.object },
    );
    return object;
  }

  /** Takes an object out, with its dependents and, for the last one of a namespace that is going, the namespace. */
  drop(stored: Stored): KubeObject {
    const wasThere = this.#objects.get(fullNameOf(stored.resource))?.delete(keyOf(stored.object.metadata));
    if (wasThere !== true) return stored.object;
    const object = this.#stamped(stored.object);
    this.#record({ version: this.#version, type: "DELETED", resource: stored.resource, object });
    this.#collect(object.metadata.uid);
    this.#finishForeground();
    this.#finishNamespace(object.metadata.namespace);
    return object;
  }

  /** Asks for an object's end: at once, or when its finalizers (and the kubelet) are done. */
  beginRemoval(stored: Stored, gracePeriodSeconds?: number): void {
    const { metadata } = stored.object;
    const grace = this.#graceOf(stored, gracePeriodSeconds);
    const isNamespace = fullNameOf(stored.resource) === "namespaces";
    if ((metadata.finalizers ?? []).length === 0 && grace === 0 && !isNamespace) {
      this.drop(stored);
      return;
    }
    if (metadata.deletionTimestamp === undefined) {
      const deletionTimestamp = this.timestamp(grace);
      const marked = { ...metadata, deletionTimestamp, deletionGracePeriodSeconds: grace };
      const status = isNamespace ? { status: { phase: "Terminating" } } : {};
      this.write({ ...stored, object: { ...stored.object, ...status, metadata: marked } });
    }
    if (isNamespace) this.#emptyNamespace(metadata.name);
  }

  /** Foreground: the dependents go first, and the object stays with a finalizer until they are gone. */
  beginForegroundRemoval(stored: Stored): void {
    const { metadata } = stored.object;
    const finalizers = [...new Set([...(metadata.finalizers ?? []), foreground])];
    const waiting = { ...stored, object: { ...stored.object, metadata: { ...metadata, finalizers } } };
    this.beginRemoval(waiting);
    for (const dependent of this.#dependents(metadata.uid)) this.beginRemoval(dependent);
    this.#finishForeground();
  }

  /** Orphan: the dependents lose this owner and stay. */
  orphan(uid: string | undefined): void {
    for (const stored of this.#dependents(uid)) {
      const ownerReferences = (stored.object.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== uid);
      this.write({ ...stored, object: { ...stored.object, metadata: { ...stored.object.metadata, ownerReferences } } });
    }
  }

  /** Writes an object, or takes it out when this write was all that its removal waited for. */
  writeOrDrop(stored: Stored): KubeObject {
    const { metadata } = stored.object;
    const isGoing = metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).length === 0;
    if (!isGoing || this.#waitsForKubelet(stored)) return this.write(stored);
    if (fullNameOf(stored.resource) !== "namespaces") return this.drop(stored);
    const written = this.write(stored);
    this.#finishNamespace(metadata.name);
    return written;
  }

  /** Changes after a version; undefined when that much history is not kept any more. */
  changesAfter(version: number): readonly Change[] | undefined {
    if (version < this.#oldest) return undefined;
    let first = this.#history.length;
    while (first > 0 && (this.#history[first - 1]?.version ?? 0) > version) first -= 1;
    return this.#history.slice(first);
  }

  /** Resolves with the next change, or when the signal aborts. */
  async nextChange(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        signal.removeEventListener("abort", done);
        this.#waiting = this.#waiting.filter((waiting) => waiting !== done);
        resolve();
      };
      signal.addEventListener("abort", done, { once: true });
      this.#waiting.push(done);
    });
  }

  /** Forgets all history, as etcd's compaction does, and breaks the streams that run. */
  expire(): void {
    this.#history = [];
    this.#oldest = this.#version;
    this.epoch += 1;
    this.#wake();
  }

  onChange(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #stamped(object: KubeObject): KubeObject {
    this.#version += 1;
    const metadata = { ...object.metadata, resourceVersion: String(this.#version) };
    return frozen({ ...object, metadata: withoutEmpties(metadata) });
  }

  #record(change: Change): void {
    this.#history.push(change);
    for (const listener of this.#listeners) listener(change);
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
  }

  #waitsForKubelet(stored: Stored): boolean {
    const { spec, metadata } = stored.object as KubeObject & { spec?: { nodeName?: string } };
    const grace = (metadata as { deletionGracePeriodSeconds?: number }).deletionGracePeriodSeconds ?? 0;
    return (
      fullNameOf(stored.resource) === "pods" && this.podsEndGracefully && spec?.nodeName !== undefined && grace > 0
    );
  }

  #graceOf(stored: Stored, asked: number | undefined): number {
    const { spec } = stored.object as KubeObject & {
      spec?: { nodeName?: string; terminationGracePeriodSeconds?: number };
    };
    if (fullNameOf(stored.resource) !== "pods" || !this.podsEndGracefully || spec?.nodeName === undefined) return 0;
    return asked ?? spec.terminationGracePeriodSeconds ?? 30;
  }

  #emptyNamespace(name: string): void {
    for (const stored of this.everything()) {
      if (stored.object.metadata.namespace === name) this.beginRemoval(stored);
    }
    this.#finishNamespace(name);
  }

  #finishNamespace(name: string | undefined): void {
    if (name === undefined) return;
    const namespace = this.find(resources.namespaces, { name });
    if (namespace?.object.metadata.deletionTimestamp === undefined) return;
    if ((namespace.object.metadata.finalizers ?? []).length > 0) return;
    if (this.everything().some((stored) => stored.object.metadata.namespace === name)) return;
    this.drop(namespace);
  }

  /** Background garbage collection: what has lost its last owner goes. */
  #collect(uid: string | undefined): void {
    for (const stored of this.#dependents(uid)) {
      const owners = stored.object.metadata.ownerReferences ?? [];
      if (owners.every((owner) => !this.#exists(owner.uid))) this.beginRemoval(stored);
    }
  }

  #finishForeground(): void {
    for (const stored of this.everything()) {
      const { metadata } = stored.object;
      if (metadata.deletionTimestamp === undefined || metadata.finalizers?.includes(foreground) !== true) continue;
      if (this.#dependents(metadata.uid).length > 0) continue;
      const finalizers = metadata.finalizers.filter((finalizer) => finalizer !== foreground);
      this.writeOrDrop({ ...stored, object: { ...stored.object, metadata: { ...metadata, finalizers } } });
    }
  }

  #dependents(uid: string | undefined): Stored[] {
    return this.everything().filter(
      (stored) => stored.object.metadata.ownerReferences?.some((owner) => owner.uid === uid) === true,
    );
  }

  #exists(uid: string): boolean {
    return this.everything().some((stored) => stored.object.metadata.uid === uid);
  }
}

/** With all that is in it: everybody who reads it gets the same one. What was frozen before stays as it is. */
const frozen = <T>(value: T): T => {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) frozen(inner);
  return Object.freeze(value);
};

const foreground = "foregroundDeletion";

const keyOf = (name: ObjectName): string => `${name.namespace ?? ""}/${name.name}`;

const mayBeEmpty = new Set(["labels", "annotations", "finalizers", "ownerReferences", "managedFields"]);

/** Typed metadata has no empty maps and lists: they go with their last entry. */
export const withoutEmpties = (metadata: ObjectMeta): ObjectMeta => {
  const entries = Object.entries(metadata).filter(
    ([key, value]) => !mayBeEmpty.has(key) || Object.keys((value ?? {}) as object).length > 0,
  );
  return Object.fromEntries(entries) as unknown as ObjectMeta;
};
