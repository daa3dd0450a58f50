/**
 * Everybody but Holdfast: users and tools, over plain requests, also those that Holdfast's own port does not know. Each
 * answer is held against what the guard promises: what it must refuse is refused, and nothing else is.
 */
import { isDeepStrictEqual } from "node:util";
import { Agent, type Dispatcher, request } from "undici";
import { isOurRefusal } from "../../../src/guard/protect/policy.ts";
import { policyTwin } from "../../../src/guard/protect/testing/policy-twin.ts";
import { collectionCall, objectCall } from "../../../src/systems/kubernetes/call.ts";
import type { ClusterAccess } from "../../../src/systems/kubernetes/kubeconfig.ts";
import type { KubeObject, Kubernetes, ObjectName, Resource } from "../../../src/systems/kubernetes/port.ts";
import { Broken } from "./broken.ts";

export interface Answer {
  readonly status: number;
  /** The API server's words, when it refuses. */
  readonly message: string;
}

interface Wish {
  readonly method: "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly body?: object;
  readonly contentType?: string;
}

export interface Deletion {
  readonly propagation?: "Background" | "Foreground" | "Orphan";
  /** Seconds. */
  readonly grace?: number | undefined;
}

/** RFC 7396, as far as these tests patch: null removes, objects are merged, all else takes the place of what was. */
const merged = (target: unknown, patch: unknown): unknown => {
  if (typeof patch !== "object" || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = { ...(target as Record<string, unknown> | undefined) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(result[key], value);
  }
  return result;
};

const isDenied = ({ status, message }: Answer): boolean => status >= 400 && isOurRefusal(message);

export class Outsider {
  readonly #kubernetes: Kubernetes;
  readonly #server: string;
  readonly #dispatcher: Dispatcher;

  private constructor(kubernetes: Kubernetes, server: string, dispatcher: Dispatcher) {
    this.#kubernetes = kubernetes;
    this.#server = server;
    this.#dispatcher = dispatcher;
  }

  static async open(kubernetes: Kubernetes, access: ClusterAccess): Promise<Outsider> {
    const { tls } = await access.credentials();
    return new Outsider(kubernetes, access.server, new Agent({ connect: tls }));
  }

  close(): Promise<void> {
    return this.#dispatcher.destroy();
  }

  /** Undefined when there is no such object. */
  remove(resource: Resource, name: ObjectName, deletion: Deletion = {}): Promise<Answer | undefined> {
    const wish = {
      method: "DELETE",
      path: objectCall("delete", resource, name).path,
      body: optionsOf(deletion),
    } as const;
    return this.#judged(resource, name, wish, () => undefined);
  }

  patch(resource: Resource, name: ObjectName, change: object): Promise<Answer | undefined> {
    const { path } = objectCall("patch", resource, name);
    const wish = { method: "PATCH", path, body: change, contentType: "application/merge-patch+json" } as const;
    return this.#judged(resource, name, wish, (live) => merged(live, change) as KubeObject);
  }

  /** A PUT: what the object does not say is gone afterwards. */
  replace(resource: Resource, name: ObjectName, make: (live: KubeObject) => KubeObject): Promise<Answer | undefined> {
    const { path } = objectCall("update", resource, name);
    return this.#judged(
      resource,
      name,
      (live) => ({ method: "PUT", path, body: make(live) }),
      (live) => make(live),
    );
  }

  create(resource: Resource, object: KubeObject): Promise<Answer> {
    const { path } = collectionCall("create", resource, object.metadata.namespace);
    return this.#send({ method: "POST", path, body: object });
  }

  /** Server-side apply without force. */
  apply(resource: Resource, object: KubeObject, manager: string): Promise<Answer> {
    const { path } = objectCall("patch", resource, object.metadata);
    const contentType = "application/apply-patch+yaml";
    return this.#send({ method: "PATCH", path: `${path}?fieldManager=${manager}`, body: object, contentType });
  }

  removeAll(resource: Resource, namespace: string): Promise<Answer> {
    return this.#send({ method: "DELETE", path: collectionCall("deletecollection", resource, namespace).path });
  }

  /** Past the guard, as a user who means it: opened by its own UID. For what the tests themselves must take away. */
  async patchOpened(resource: Resource, { metadata }: KubeObject, change: object): Promise<void> {
    const { name, namespace, uid } = metadata;
    const { path } = objectCall("patch", resource, { name, ...(namespace === undefined ? {} : { namespace }) });
    const contentType = "application/merge-patch+json";
    const opening = { metadata: { uid, annotations: { "holdfast.dev/allow-delete": uid } } };
    for (const body of [opening, change]) {
      const answer = await this.#send({ method: "PATCH", path, body, contentType });
      if (answer.status >= 400 && answer.status !== 404 && answer.status !== 409)
        throw new Error(`${path}: ${answer.message}`);
    }
  }

  async #judged(
    resource: Resource,
    name: ObjectName,
    wish: Wish | ((live: KubeObject) => Wish),
    after: (live: KubeObject) => KubeObject | undefined,
  ): Promise<Answer | undefined> {
    const live = await this.#kubernetes.get(resource, name);
    if (live === undefined) return undefined;
    const asked = typeof wish === "function" ? wish(live) : wish;
    const answer = await this.#send(asked);
    if (this.#mustDeny(resource, live, after(live)) === isDenied(answer) || isOther(answer)) return answer;
    // A controller may have changed it in between.
    const now = await this.#kubernetes.get(resource, name);
    if (now === undefined || !isDeepStrictEqual(now.metadata, live.metadata)) return answer;
    throw new Broken(
      `${asked.method} ${asked.path} was ${isDenied(answer) ? "refused" : "accepted"}, against the guard: ${answer.message}`,
    );
  }

  #mustDeny(resource: Resource, oldObject: KubeObject, object: KubeObject | undefined): boolean {
    const operation = object === undefined ? "DELETE" : "UPDATE";
    // The policy is in force all the time.
    const find = (): KubeObject => oldObject;
    return policyTwin({ operation, resource, user: "outsider", object, oldObject }, find) !== undefined;
  }

  async #send({ method, path, body, contentType = "application/json" }: Wish): Promise<Answer> {
    const answer = await request(`${this.#server}${path}`, {
      dispatcher: this.#dispatcher,
      method,
      headers: { accept: "application/json", "content-type": contentType },
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, message: answer.statusCode < 400 ? "" : messageIn(text) };
  }
}

/** Refused for another reason before, or instead of, admission: immutable fields, a conflict, gone. */
const isOther = (answer: Answer): boolean => answer.status >= 400 && !isDenied(answer);

const messageIn = (text: string): string => {
  try {
    return (JSON.parse(text) as { readonly message?: string }).message ?? text;
  } catch {
    return text;
  }
};

const optionsOf = ({ propagation, grace }: Deletion): object => ({
  kind: "DeleteOptions",
  apiVersion: "v1",
  ...(propagation === undefined ? {} : { propagationPolicy: propagation }),
  ...(grace === undefined ? {} : { gracePeriodSeconds: grace }),
});
