/**
 * The Kubernetes API as Holdfast uses it: raw objects in, raw objects out, nothing dropped by a typed model.
 *
 * Contract for all methods: failures are `Failure`s (KUBERNETES_UNREACHABLE, _UNTRUSTED, _UNAUTHORIZED, _FORBIDDEN
 * naming the RBAC rule, _CONFLICT, _REFUSED); an absent object is `undefined` on read and success on removal;
 * every call has a deadline; one that takes a `signal` throws its reason when it aborts (`watch` just ends). The
 * others run to their end, so that clean-up after Ctrl-C can still speak to the cluster; `interruptible` changes that.
 */

/** One kind of object, as the API addresses it. */
export interface Resource {
  /** "v1", "apps/v1", "velero.io/v1". */
  readonly apiVersion: string;
  readonly kind: string;
  /** Lower-case plural of the URL: "persistentvolumeclaims". */
  readonly plural: string;
  readonly namespaced: boolean;
}

/** Name of an object; `namespace` is required exactly for namespaced resources. */
export interface ObjectName {
  readonly name: string;
  readonly namespace?: string;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly generation?: number;
  readonly generateName?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
  readonly ownerReferences?: readonly OwnerReference[];
  readonly managedFields?: readonly ManagedFields[];
}

/** Who wrote which fields last. A manager that applies and one that updates are two. */
export interface ManagedFields {
  readonly manager: string;
  readonly operation: "Apply" | "Update";
  readonly subresource?: string;
  /** Fields as keys, "f:metadata" above "f:annotations"; members of a set as `v:` and their JSON. */
  readonly fieldsV1?: object;
}

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
  readonly blockOwnerDeletion?: boolean;
}

/** Any object. Callers name the shape they read; fields they do not know stay in place. */
export interface KubeObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: ObjectMeta;
}

export interface Selection {
  readonly namespace?: string;
  /** Label selector in kubectl's syntax: "app=sonarr,tier!=cache". */
  readonly labels?: string;
  /** Field selector: "spec.nodeName=a,metadata.name=b". */
  readonly fields?: string;
}

export interface ObjectList<T> {
  readonly items: readonly T[];
  /** Where a watch may continue. */
  readonly resourceVersion: string;
}

export interface WatchEvent<T> {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly object: T;
}

/** Where a watch begins. */
export interface WatchFrom<T> {
  /** The version of a list or of an earlier event. Absent: from now, preceded by ADDED for what exists. */
  readonly resourceVersion?: string;
  /** What existed at `resourceVersion`: with it, objects that vanish while the version expires are reported too. */
  readonly known?: Iterable<T>;
}

/** What must still be true of an object for a write to happen; else KUBERNETES_CONFLICT. */
export interface Preconditions {
  readonly uid?: string;
  readonly resourceVersion?: string;
}

export interface RemoveOptions extends Preconditions {
  readonly propagation?: "Background" | "Foreground" | "Orphan";
  readonly gracePeriodSeconds?: number;
  /** Asks whether the server would: rights, preconditions and admission answer as always, and nothing is removed. */
  readonly dryRun?: boolean;
}

export interface PatchOptions {
  readonly subresource?: "status" | "scale";
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** One question to SelfSubjectAccessReview. */
export interface AccessRule {
  readonly verb: string;
  readonly resource: Resource;
  readonly subresource?: string;
  readonly namespace?: string;
}

export interface Kubernetes {
  /** The server's version, "v1.34.4". */
  version(): Promise<string>;
  get<T extends KubeObject>(resource: Resource, name: ObjectName): Promise<T | undefined>;
  /** All matching objects; pages are followed. */
  list<T extends KubeObject>(resource: Resource, selection?: Selection): Promise<ObjectList<T>>;
  /**
   * The same objects as `list`, each as the JSON text that the server sent: no number rounded, no field dropped, none
   * moved. Members of a list may lack `apiVersion` and `kind`; the resource says them.
   */
  listRaw(resource: Resource, selection?: Selection): Promise<readonly string[]>;
  /** KUBERNETES_CONFLICT when the name is taken. */
  create<T extends KubeObject>(resource: Resource, object: KubeObject): Promise<T>;
  /** Server-side apply as field manager "holdfast", without force: another owner of a field is a KUBERNETES_CONFLICT. */
  apply<T extends KubeObject>(resource: Resource, object: KubeObject): Promise<T>;
  /** JSON merge patch. Preconditions travel inside it: `metadata.uid`, `metadata.resourceVersion`. */
  mergePatch<T extends KubeObject>(
    resource: Resource,
    name: ObjectName,
    patch: object,
    options?: PatchOptions,
  ): Promise<T>;
  /** Asks for deletion; returns when the server has accepted it, not when the object is gone. */
  remove(resource: Resource, name: ObjectName, options?: RemoveOptions): Promise<void>;
  /**
   * Changes after `resourceVersion` (or from now, preceded by ADDED for what exists, when absent), without end until
   * `signal` aborts, and then it ends without an error. It reconnects by itself. When the version has expired it lists
   * again and reports what changed meanwhile: DELETED for what it had reported (or was `known`) and is gone, ADDED for
   * what it does not know. Throws what waiting cannot mend, and what hinders the very first contact.
   */
  watch<T extends KubeObject>(
    resource: Resource,
    from: Selection & WatchFrom<T>,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>>;
  /** Lines of a container's log; with `follow`, until the container ends. */
  logs(
    pod: ObjectName,
    options: { readonly container: string; readonly follow?: boolean; readonly signal?: AbortSignal },
  ): AsyncIterable<string>;
  /** Runs a command in a container, for two minutes at most. For short answers only, never for bulk data. */
  exec(
    pod: ObjectName,
    options: { readonly container: string; readonly command: readonly string[]; readonly signal?: AbortSignal },
  ): Promise<ExecResult>;
  /** True when the current user may do this. */
  allowed(rule: AccessRule): Promise<boolean>;
}
