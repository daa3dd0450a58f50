import { ApiError } from "./api-error.ts";
import { collectionCall, type Call } from "./call.ts";
import { failureOfApiError } from "./failures.ts";
import type { Change, MemoryStore } from "./memory-store.ts";
import type { KubeObject, Resource, Selection } from "./port.ts";
import { fullNameOf } from "./resources.ts";
import { BadSelector, fieldMatcher, labelMatcher, type Matcher } from "./selectors.ts";
import type { StreamEvent } from "./watching.ts";

/** Which objects a selection means. KUBERNETES_REFUSED when the server would not take the selectors. */
export const matcherOf = (call: Call, resource: Resource, selection: Selection): Matcher => {
  try {
    const labels = labelMatcher(selection.labels);
    const fields = fieldMatcher(resource.plural, selection.fields);
    const { namespace } = selection;
    return (object) =>
      (namespace === undefined || object.metadata.namespace === namespace) && labels(object) && fields(object);
  } catch (error) {
    if (!(error instanceof BadSelector)) throw error;
    throw failureOfApiError(call, new ApiError({ status: 400, reason: "BadRequest", message: error.message }));
  }
};

/** A change as a selection sees it: an object that stops matching is DELETED for it, one that starts is ADDED. */
const seenBy = (change: Change, matches: Matcher): StreamEvent<KubeObject> | undefined => {
  const { object } = change;
  if (change.type === "DELETED") {
    return matches(object) ? { type: "DELETED", object } : undefined;
  }
  const was = change.before !== undefined && matches(change.before);
  const is = matches(object);
  if (is) return { type: was ? "MODIFIED" : "ADDED", object };
  return was ? { type: "DELETED", object } : undefined;
};

const expired = (call: Call, version: string): Error =>
  failureOfApiError(
    call,
    new ApiError({ status: 410, reason: "Expired", message: `too old resource version: ${version}` }),
  );

/** The twin's stream of changes after a version; it ends when the signal aborts. */
export async function* memoryEvents<T extends KubeObject>(
  store: MemoryStore,
  resource: Resource,
  from: Selection & { readonly resourceVersion: string },
  signal: AbortSignal,
): AsyncGenerator<StreamEvent<T>, void, undefined> {
  const call = collectionCall("watch", resource, from.namespace);
  const matches = matcherOf(call, resource, from);
  const { epoch } = store;
  let version = Number(from.resourceVersion);
  while (!signal.aborted) {
    const changes = store.epoch === epoch ? store.changesAfter(version) : undefined;
    if (changes === undefined) throw expired(call, String(version));
    for (const change of changes) {
      if (signal.aborted) return;
      if (store.epoch !== epoch) throw expired(call, String(version));
      version = change.version;
      const event = fullNameOf(change.resource) === fullNameOf(resource) ? seenBy(change, matches) : undefined;
      if (event !== undefined) yield event as StreamEvent<T>;
    }
    if (changes.length === 0) await store.nextChange(signal);
  }
}
