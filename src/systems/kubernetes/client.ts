import type { Clock } from "../../context.ts";
import { absentAsUndefined } from "./api-error.ts";
import { randomFraction, type Randomness } from "./backoff.ts";
import { collectionCall, objectCall, ownCollection, type Call } from "./call.ts";
import { execInPod } from "./exec.ts";
import { apiErrorOfStatus, failureOfAnswer, failureOfApiError, failureOfConnection } from "./failures.ts";
import { itemTexts } from "./json-items.ts";
import { decodeJson, encodeJson } from "./json.ts";
import type { ClusterAccess } from "./kubeconfig.ts";
import { linesOf } from "./lines.ts";
import { type Page, readAllPages } from "./pages.ts";
import type {
  AccessRule,
  ExecResult,
  KubeObject,
  Kubernetes,
  ObjectList,
  ObjectName,
  PatchOptions,
  RemoveOptions,
  Resource,
  Selection,
  WatchEvent,
  WatchFrom,
} from "./port.ts";
import { groupOf } from "./resources.ts";
import { defaultDeadlines, Transport, type Answer, type Deadlines, type Request } from "./transport.ts";
import { watching, type StreamEvent } from "./watching.ts";

const fieldManager = "holdfast";

/** The server sends a bookmark about once a minute; with neither event nor bookmark for this long, it is gone. */
const watchSilence = 90_000;
const watchSeconds = 290;

export interface ClientWorld extends Randomness {
  readonly clock: Clock;
}

export interface ClientOptions {
  readonly deadlines?: Partial<Deadlines>;
  /** Milliseconds without a byte after which a watch connects anew. */
  readonly watchSilence?: number;
}

/** The port over the real API: one attempt for each call, raw JSON both ways. */
export class KubernetesClient implements Kubernetes {
  readonly #access: ClusterAccess;
  readonly #transport: Transport;
  readonly #world: ClientWorld;
  readonly #deadlines: Deadlines;
  readonly #watchSilence: number;

  constructor(access: ClusterAccess, world: ClientWorld, options: ClientOptions = {}) {
    this.#access = access;
    this.#deadlines = { ...defaultDeadlines, ...options.deadlines };
    this.#transport = new Transport(access, world.clock, this.#deadlines);
    this.#world = world;
    this.#watchSilence = options.watchSilence ?? watchSilence;
  }

  /** Ends all connections; watches and logs in progress break off. */
  async close(): Promise<void> {
    await this.#transport.close();
  }

  async version(): Promise<string> {
    const call: Call = { verb: "get", path: "/version" };
    const { gitVersion } = await this.#unary<{ gitVersion: string }>(call, { method: "GET", path: call.path });
    return gitVersion;
  }

  async get<T extends KubeObject>(resource: Resource, name: ObjectName): Promise<T | undefined> {
    const call = objectCall("get", resource, name);
    return await absentAsUndefined(this.#unary<T>(call, { method: "GET", path: call.path }));
  }

  async list<T extends KubeObject>(resource: Resource, selection: Selection = {}): Promise<ObjectList<T>> {
    const itemsOf = (_text: string, body: ListBody): readonly T[] =>
      withKind(resource, body.items ?? []) as readonly T[];
    return await this.#collection(resource, selection, itemsOf);
  }

  async listRaw(resource: Resource, selection: Selection = {}): Promise<readonly string[]> {
    return (await this.#collection(resource, selection, itemTexts)).items;
  }

  async create<T extends KubeObject>(resource: Resource, object: KubeObject): Promise<T> {
    const { name, namespace } = object.metadata;
    const call = { ...ownCollection("create", resource, namespace), ...(name === undefined ? {} : { name }) };
    return await this.#unary<T>(call, {
      method: "POST",
      path: call.path,
      query: { fieldManager },
      ...json(kinded(resource, object)),
    });
  }

  async apply<T extends KubeObject>(resource: Resource, object: KubeObject): Promise<T> {
    const call = objectCall("patch", resource, object.metadata);
    return await this.#unary<T>(call, {
      method: "PATCH",
      path: call.path,
      query: { fieldManager },
      // JSON is YAML; the server has no "+json" for this.
      ...json(kinded(resource, object), "application/apply-patch+yaml"),
    });
  }

  async mergePatch<T extends KubeObject>(
    resource: Resource,
    name: ObjectName,
    patch: object,
    options: PatchOptions = {},
  ): Promise<T> {
    const call = objectCall("patch", resource, name, options.subresource);
    return await this.#unary<T>(call, {
      method: "PATCH",
      path: call.path,
      query: { fieldManager },
      ...json(patch, "application/merge-patch+json"),
    });
  }

  async remove(resource: Resource, name: ObjectName, options: RemoveOptions = {}): Promise<void> {
    const call = objectCall("delete", resource, name);
    const { uid, resourceVersion, propagation, gracePeriodSeconds, dryRun } = options;
    const body = {
      kind: "DeleteOptions",
      apiVersion: "v1",
      propagationPolicy: propagation,
      gracePeriodSeconds,
      // In the body: beside one, the server does not look at the query, and would remove in earnest.
      dryRun: dryRun === true ? ["All"] : undefined,
      preconditions: uid === undefined && resourceVersion === undefined ? undefined : { uid, resourceVersion },
    };
    await absentAsUndefined(this.#unary(call, { method: "DELETE", path: call.path, ...json(body) }));
  }

  watch<T extends KubeObject>(
    resource: Resource,
    from: Selection & WatchFrom<T>,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<T>> {
    const source = {
      list: () => this.list<T>(resource, from),
      open: (resourceVersion: string, signal: AbortSignal) =>
        this.#events<T>(resource, { ...from, resourceVersion }, signal),
    };
    const { clock } = this.#world;
    return watching(source, from, { clock, signal, randomId: (length) => this.#world.randomId(length) });
  }

  async *logs(
    pod: ObjectName,
    options: { readonly container: string; readonly follow?: boolean; readonly signal?: AbortSignal },
  ): AsyncGenerator<string, void, undefined> {
    const call = objectCall("get", podResource, pod, "log");
    const query = { container: options.container, follow: options.follow === true ? "true" : undefined };
    const signal = options.signal ?? new AbortController().signal;
    try {
      const silence = options.follow === true ? {} : { silence: this.#deadlines.call };
      yield* linesOf(await this.#open(call, { method: "GET", path: call.path, query }, { signal, ...silence }));
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw failureOfConnection(call, this.#transport.host, error);
    }
  }

  async exec(
    pod: ObjectName,
    options: { readonly container: string; readonly command: readonly string[]; readonly signal?: AbortSignal },
  ): Promise<ExecResult> {
    const call = objectCall("create", podResource, pod, "exec");
    return await execInPod(call, pod, {
      ...options,
      access: this.#access,
      credentials: await this.#transport.credentials(),
      clock: this.#world.clock,
      deadlines: this.#deadlines,
    });
  }

  async allowed(rule: AccessRule): Promise<boolean> {
    const call: Call = { verb: "create", resource: accessReviews, path: accessReviewsPath };
    const resourceAttributes = {
      verb: rule.verb,
      group: groupOf(rule.resource),
      resource: rule.resource.plural,
      subresource: rule.subresource,
      namespace: rule.namespace,
    };
    const review = await this.#unary<{ status?: { allowed?: boolean } }>(call, {
      method: "POST",
      path: call.path,
      ...json(kinded(accessReviews, { spec: { resourceAttributes } })),
    });
    return review.status?.allowed === true;
  }

  async #collection<I>(
    resource: Resource,
    selection: Selection,
    itemsOf: (text: string, body: ListBody) => readonly I[],
  ): Promise<ObjectList<I>> {
    const call = collectionCall("list", resource, selection.namespace);
    return await readAllPages(async (query) => {
      const request: Request = { method: "GET", path: call.path, query: { ...selectors(selection), ...query } };
      const answer = await this.#answer(call, request);
      const body = bodyOf(call, answer) as ListBody;
      return { items: itemsOf(answer.text, body), metadata: body.metadata };
    });
  }

  async *#events<T extends KubeObject>(
    resource: Resource,
    from: Selection & { readonly resourceVersion: string },
    signal: AbortSignal,
  ): AsyncGenerator<StreamEvent<T>, void, undefined> {
    const call = collectionCall("watch", resource, from.namespace);
    const query = {
      ...selectors(from),
      watch: "true",
      allowWatchBookmarks: "true",
      resourceVersion: from.resourceVersion,
      // Spread, so that watches that began together do not all come back together.
      timeoutSeconds: String(Math.round(watchSeconds * (0.9 + 0.2 * randomFraction(this.#world)))),
    };
    try {
      const request: Request = { method: "GET", path: call.path, query };
      const body = await this.#open(call, request, { signal, silence: this.#watchSilence });
      for await (const line of linesOf(body)) {
        if (line !== "") yield eventOf<T>(call, line);
      }
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw failureOfConnection(call, this.#transport.host, error);
    }
  }

  async #open(
    call: Call,
    request: Request,
    options: { readonly signal: AbortSignal; readonly silence?: number },
  ): Promise<AsyncIterable<Uint8Array>> {
    const answer = await this.#transport.stream(request, options);
    if ("body" in answer) return answer.body;
    throw failureOfAnswer(call, answer);
  }

  async #unary<B>(call: Call, request: Request): Promise<B> {
    return bodyOf(call, await this.#answer(call, request)) as B;
  }

  /** Throws for every status that is no success. */
  async #answer(call: Call, request: Request): Promise<Answer> {
    let answer: Answer;
    try {
      answer = await this.#transport.call(request);
    } catch (error) {
      throw failureOfConnection(call, this.#transport.host, error);
    }
    if (answer.status >= 400) throw failureOfAnswer(call, answer);
    return answer;
  }
}

type Query = Readonly<Record<string, string | undefined>>;

interface ListBody extends Pick<Page<unknown>, "metadata"> {
  readonly items?: readonly object[] | null;
}

const podResource: Resource = { apiVersion: "v1", kind: "Pod", plural: "pods", namespaced: true };
const accessReviews: Resource = {
  apiVersion: "authorization.k8s.io/v1",
  kind: "SelfSubjectAccessReview",
  plural: "selfsubjectaccessreviews",
  namespaced: false,
};
const accessReviewsPath = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

const json = (body: unknown, contentType = "application/json"): Pick<Request, "body" | "contentType"> => ({
  body: encodeJson(body),
  contentType,
});

const selectors = (selection: Selection): Query => ({
  labelSelector: selection.labels,
  fieldSelector: selection.fields,
});

/** The object with the kind that the address implies, which callers may leave out. */
const kinded = (resource: Resource, object: object): object => ({
  apiVersion: resource.apiVersion,
  kind: resource.kind,
  ...object,
});

/** Items of a list come without their kind; here every object carries it. */
const withKind = (resource: Resource, items: readonly object[]): readonly object[] =>
  items.map((item) => kinded(resource, item));

const bodyOf = (call: Call, answer: Answer): unknown => {
  try {
    return decodeJson(answer.text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // The body itself stays out of the text: it may be a Secret.
    const why = { status: answer.status, text: "The answer is not JSON.", retryAfterMilliseconds: undefined };
    throw failureOfAnswer(call, why);
  }
};

const eventOf = <T>(call: Call, line: string): StreamEvent<T> => {
  const event = decodeJson(line) as { type: string; object: unknown };
  if (event.type === "ERROR") throw failureOfApiError(call, apiErrorOfStatus(event.object));
  return event as StreamEvent<T>;
};
