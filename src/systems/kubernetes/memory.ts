import type { Clock } from "../../context.ts";
import { orAborted } from "./aborting.ts";
import { apiErrorOf } from "./api-error.ts";
import type { Randomness } from "./backoff.ts";
import { collectionCall, objectCall, ownCollection, type Call } from "./call.ts";
import { copyJson, encodeJson } from "./json.ts";
import type { Tree } from "./json-tree.ts";
import { MemoryGate, type CallMatch, type FaultOptions } from "./memory-gate.ts";
import { admit, type Admission } from "./memory-admission.ts";
import { updaterOf } from "./memory-ownership.ts";
import { matcherOf, memoryEvents } from "./memory-watch.ts";
import { MemoryStore, type Change, type Stored } from "./memory-store.ts";
import {
  applyManager,
  applyTo,
  checkNamespace,
  checkPreconditions,
  createdFrom,
  firstOwners,
  patched,
  refused,
  scaleOf,
  type Written,
} from "./memory-writes.ts";
import type {
  AccessRule,
  ExecResult,
  KubeObject,
  Kubernetes,
  ObjectList,
  ObjectMeta,
  ObjectName,
  PatchOptions,
  RemoveOptions,
  Resource,
  Selection,
  WatchEvent,
  WatchFrom,
} from "./port.ts";
import { resources } from "./resources.ts";
import { watching } from "./watching.ts";

export interface MemoryWorld extends Randomness {
  readonly clock: Clock;
}

interface LogOptions {
  readonly container: string;
  readonly follow?: boolean;
  readonly signal?: AbortSignal;
}

interface ExecOptions {
  readonly container: string;
  readonly command: readonly string[];
  readonly signal?: AbortSignal;
}

export interface MemoryOptions {
  /** What `version` answers. */
  readonly version?: string;
  /** The user's name in refusals. */
  readonly user?: string;
  /** API groups beyond the built-in ones that the server has without a definition: velero.io and argoproj.io. */
  readonly groups?: readonly string[];
  /** What a container has written; nothing, when absent. */
  readonly logs?: (pod: KubeObject, options: LogOptions) => AsyncIterable<string> | Iterable<string>;
  /** What a command answers; without it, exec is a defect of the test. */
  readonly exec?: (pod: KubeObject, options: ExecOptions) => ExecResult | Promise<ExecResult>;
}

/** Somebody who reacts to changes: a controller, an operator, a meddling user. */
export type ChangeHandler = (event: WatchEvent<KubeObject>) => void | Promise<void>;

/** The API server in memory, true to the port's contract, with the hooks that tests need. */
export class MemoryKubernetes implements Kubernetes {
  readonly #world: MemoryWorld;
  readonly #options: MemoryOptions;
  readonly #store: MemoryStore;
  readonly #gate: MemoryGate;

  constructor(world: MemoryWorld, options: MemoryOptions = {}, store?: MemoryStore) {
    this.#world = world;
    this.#options = options;
    this.#store = store ?? new MemoryStore(world);
    this.#gate = new MemoryGate(options.user ?? "holdfast");
    if (store === undefined) for (const name of ["default", "kube-system"]) this.put(resources.namespaces, named(name));
  }

  // Hooks for tests.

  /** Puts an object in place as it is given, status included, without rights, faults or rules; makes its namespace. */
  put<T extends KubeObject>(resource: Resource, object: T): T & KubeObject {
    const { namespace } = object.metadata;
    if (namespace !== undefined && this.#store.find(resources.namespaces, { name: namespace }) === undefined) {
      this.put(resources.namespaces, named(namespace));
    }
    this.#store.serve(resource);
    const existing = this.#store.find(resource, object.metadata);
    const identity = existing === undefined ? {} : identityOf(existing.object.metadata);
    const made = createdFrom(this.#store, resource, copyJson(object), { keepAll: true });
    const metadata = { ...made.metadata, ...identity, ...copyJson(object.metadata) };
    const owners = existing?.owners ?? new Map<string, Set<string>>();
    return this.#store.write({ resource, object: { ...made, metadata }, owners }) as T & KubeObject;
  }

  /** Lets this user's calls fail until the function that it gives is called. */
  fail(
    match: CallMatch | ((call: Call) => boolean),
    error: Error | (() => unknown),
    options?: FaultOptions,
  ): () => void {
    return this.#gate.fail(match, error, options);
  }

  /** Takes a right from this user until the function that it gives is called. */
  deny(rule: CallMatch): () => void {
    return this.#gate.deny(rule);
  }

  /** The same cluster as somebody else, with all rights and no faults. */
  as(user: string): MemoryKubernetes {
    return new MemoryKubernetes(this.#world, { ...this.#options, user }, this.#store);
  }

  /** Forgets the history: every watch has to list again, and no old version can be continued from. */
  expireWatches(): void {
    this.#store.expire();
  }

  /** Pods that have a node stay Terminating after removal until they are removed with no grace, as by a kubelet. */
  endPodsGracefully(): void {
    this.#store.podsEndGracefully = true;
  }

  /** Asks this before every update and removal, by whomever. */
  admit(admission: Admission | undefined): void {
    this.#store.admission = admission;
  }

  /** Calls the handler after each change of a resource. What it throws ends the test as an unhandled rejection. */
  onChange(resource: Resource, handler: ChangeHandler): () => void {
    return this.#store.onChange((change: Change) => {
      if (change.resource.plural !== resource.plural || change.resource.apiVersion !== resource.apiVersion) return;
      const event = { type: change.type, object: change.object };
      void Promise.resolve().then(() => handler(event));
    });
  }

  // The port.

  async version(): Promise<string> {
    const call: Call = { verb: "get", path: "/version" };
    return this.#do(call, () => this.#options.version ?? "v1.34.4");
  }

  async get<T extends KubeObject>(resource: Resource, name: ObjectName): Promise<T | undefined> {
    const call = objectCall("get", resource, name);
    return absentAsUndefined(() => this.#do(call, () => this.#present(call, resource, name).object as T));
  }

  async list<T extends KubeObject>(resource: Resource, selection: Selection = {}): Promise<ObjectList<T>> {
    const call = collectionCall("list", resource, selection.namespace);
    return this.#do(call, () => {
      const matches = matcherOf(call, resource, selection);
      const objects = this.#store.all(resource).map((stored) => stored.object);
      return {
        items: objects.filter(matches).map((object) => object as T),
        resourceVersion: String(this.#store.version),
      };
    });
  }

  async listRaw(resource: Resource, selection: Selection = {}): Promise<readonly string[]> {
    const { items } = await this.list(resource, selection);
    return items.map((item) => encodeJson(item));
  }

  async create<T extends KubeObject>(resource: Resource, object: KubeObject): Promise<T> {
    const { name, namespace } = object.metadata;
    const call = { ...ownCollection("create", resource, namespace), ...(name === undefined ? {} : { name }) };
    return this.#do(call, () => this.#created(call, resource, copyJson(object), this.#updater) as T);
  }

  async apply<T extends KubeObject>(resource: Resource, object: KubeObject): Promise<T> {
    const call = objectCall("patch", resource, object.metadata);
    return this.#do(call, () => {
      const config = copyJson(object);
      const stored = this.#store.find(resource, config.metadata);
      if (stored === undefined && config.metadata.uid !== undefined) throw uidMismatch(call, config.metadata.uid);
      if (stored === undefined) return this.#created(call, resource, config, applyManager) as T;
      return this.#written(call, applyTo(call, stored, config)) as T;
    });
  }

  async mergePatch<T extends KubeObject>(
    resource: Resource,
    name: ObjectName,
    patch: object,
    options: PatchOptions = {},
  ): Promise<T> {
    const call = objectCall("patch", resource, name, options.subresource);
    return this.#do(call, () => {
      const stored = this.#present(call, resource, name);
      const next = patched(call, stored, copyJson(patch) as Tree, this.#updater);
      const written = this.#written(call, next);
      return (options.subresource === "scale" ? scaleOf(written) : written) as T;
    });
  }

  async remove(resource: Resource, name: ObjectName, options: RemoveOptions = {}): Promise<void> {
    const call = objectCall("delete", resource, name);
    absentAsUndefined(() =>
      this.#do(call, () => {
        const stored = this.#present(call, resource, name);
        checkPreconditions(call, stored, options);
        this.#admit(call, stored, undefined);
        if (options.dryRun === true) return;
        if (options.propagation === "Foreground") return this.#store.beginForegroundRemoval(stored);
        if (options.propagation === "Orphan") this.#store.orphan(stored.object.metadata.uid);
        this.#store.beginRemoval(stored, options.gracePeriodSeconds);
      }),
    );
  }

  watch<T extends KubeObject>(
    resource: Resource,
    from: Selection & WatchFrom<T>,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>> {
    const call = collectionCall("watch", resource, from.namespace);
    const source = {
      list: () => this.list<T>(resource, from),
      open: (resourceVersion: string, signal: AbortSignal) => {
        this.#enter(call);
        return memoryEvents<T>(this.#store, resource, { ...from, resourceVersion }, signal);
      },
    };
    // No randomness, no waiting: a test's clock may stand still.
    return watching(source, from, { clock: this.#world.clock, signal, randomId: () => "0" });
  }

  async *logs(pod: ObjectName, options: LogOptions): AsyncGenerator<string, void, undefined> {
    const call = objectCall("get", resources.pods, pod, "log");
    const object = this.#do(call, () => this.#present(call, resources.pods, pod).object);
    const signal = options.signal ?? new AbortController().signal;
    yield* untilAborted(this.#options.logs?.(object, options) ?? [], signal);
  }

  async exec(pod: ObjectName, options: ExecOptions): Promise<ExecResult> {
    const call = objectCall("create", resources.pods, pod, "exec");
    const object = this.#do(call, () => this.#present(call, resources.pods, pod).object);
    if (this.#options.exec === undefined) throw new Error(`no exec is scripted: ${options.command.join(" ")}`);
    const answer = Promise.resolve(this.#options.exec(object, options));
    return await orAborted(answer, options.signal ?? new AbortController().signal);
  }

  async allowed(rule: AccessRule): Promise<boolean> {
    return this.#gate.allows(rule);
  }

  #do<R>(call: Call, effect: () => R): R {
    this.#enter(call);
    const result = effect();
    this.#gate.leave(call);
    return result;
  }

  /** Throws what stands in a call's way: rights, faults, and kinds that the server does not have. */
  #enter(call: Call): void {
    this.#gate.enter(call);
    if (call.resource === undefined || this.#store.serves(call.resource, this.#options.groups ?? defaultGroups)) return;
    throw refused(call, 404, "NotFound", "the server could not find the requested resource");
  }

  #present(call: Call, resource: Resource, name: ObjectName): Stored {
    const stored = this.#store.find(resource, name);
    if (stored !== undefined) return stored;
    throw refused(call, 404, "NotFound", `${resource.plural} "${name.name}" not found`);
  }

  /** The field manager of writes that are not an apply. */
  get #updater(): string {
    return updaterOf(this.#gate.user);
  }

  #created(call: Call, resource: Resource, object: KubeObject, manager: string): KubeObject {
    const { namespace, resourceVersion } = object.metadata;
    if (namespace !== undefined) {
      checkNamespace(call, this.#store.find(resources.namespaces, { name: namespace })?.object, namespace);
    }
    const made = createdFrom(this.#store, resource, object, {});
    if (this.#store.find(resource, made.metadata) !== undefined) {
      throw refused(call, 409, "AlreadyExists", `${resource.plural} "${made.metadata.name}" already exists`);
    }
    if (resourceVersion !== undefined) {
      throw refused(call, 400, "BadRequest", "resourceVersion should not be set on objects to be created");
    }
    return this.#store.write({ resource, object: made, owners: firstOwners(object, manager) });
  }

  /** `object` is what the stored one would become; undefined: it would be removed. */
  #admit(call: Call, { resource, object: { metadata } }: Stored, object: KubeObject | undefined): void {
    const oldObject = this.#store.find(resource, metadata)?.object;
    if (oldObject !== undefined) admit(this.#store, call, this.#gate.user, { resource, oldObject, object });
  }

  #written(call: Call, { stored, isChanged }: Written): KubeObject {
    if (!isChanged) return stored.object;
    this.#admit(call, stored, stored.object);
    return this.#store.writeOrDrop(stored);
  }
}

/** Items as they come; throws the signal's reason when it aborts, even while the next item does not come. */
async function* untilAborted<T>(
  items: AsyncIterable<T> | Iterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const iterator = (async function* () {
    yield* items;
  })();
  for (;;) {
    const next = await orAborted(iterator.next(), signal);
    if (next.done === true) return;
    yield next.value;
  }
}

const uidMismatch = (call: Call, uid: string): Error => {
  const why = `the provided object specified uid ${uid}, and no existing object was found`;
  return refused(call, 409, "Conflict", `Operation cannot be fulfilled: uid mismatch: ${why}`);
};

/** What survives of an object that is replaced. */
const identityOf = ({ uid, creationTimestamp }: ObjectMeta): Partial<ObjectMeta> =>
  copyJson({ uid, creationTimestamp }) as Partial<ObjectMeta>;

const defaultGroups = ["velero.io", "argoproj.io"];

/** As the adapter: what is not there, kind or object, is undefined on reading and fine on removing. */
const absentAsUndefined = <R>(effect: () => R): R | undefined => {
  try {
    return effect();
  } catch (error) {
    if (apiErrorOf(error)?.status === 404) return undefined;
    throw error;
  }
};

const named = (name: string): KubeObject => ({ metadata: { name } });
