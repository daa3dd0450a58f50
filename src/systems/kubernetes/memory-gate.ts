import { ApiError } from "./api-error.ts";
import type { Call } from "./call.ts";
import { failureOfApiError } from "./failures.ts";
import type { AccessRule, Resource } from "./port.ts";
import { fullNameOf, groupOf } from "./resources.ts";

/** What stands between a caller and the twin's store: rights and faults. */

/** Which calls are meant; what is not named fits anything. */
export interface CallMatch {
  /** As in RBAC: get, list, watch, create, patch (apply too), delete; logs are get, exec is create. */
  readonly verb?: string;
  readonly resource?: Resource;
  readonly subresource?: string;
  readonly namespace?: string;
  readonly name?: string;
}

export interface FaultOptions {
  /** How often, at most; absent: until removed. */
  readonly times?: number;
  /** The call takes effect and its answer is lost. */
  readonly afterEffect?: boolean;
}

type CallFilter = CallMatch | ((call: Call) => boolean);

interface Fault {
  readonly matches: (call: Call) => boolean;
  readonly error: () => unknown;
  readonly afterEffect: boolean;
  left: number;
}

const fits =
  (match: CallMatch) =>
  (call: Omit<Call, "path">): boolean =>
    isOrAny(match.verb === "*" ? undefined : match.verb, call.verb) &&
    isOrAny(match.resource && fullNameOf(match.resource), call.resource && fullNameOf(call.resource)) &&
    isOrAny(match.subresource, call.subresource) &&
    isOrAny(match.namespace, call.namespace) &&
    isOrAny(match.name, call.name);

const isOrAny = (wanted: string | undefined, actual: string | undefined): boolean =>
  wanted === undefined || wanted === actual;

/** Rights and faults of one user of the twin. */
export class MemoryGate {
  readonly user: string;
  readonly #denied = new Set<CallMatch>();
  readonly #faults = new Set<Fault>();

  constructor(user: string) {
    this.user = user;
  }

  /** Takes a right away; the function that it gives brings it back. */
  deny(rule: CallMatch): () => void {
    this.#denied.add(rule);
    return () => this.#denied.delete(rule);
  }

  /** Lets calls fail; the function that it gives ends that. */
  fail(match: CallFilter, error: Error | (() => unknown), options: FaultOptions = {}): () => void {
    const fault: Fault = {
      matches: typeof match === "function" ? match : fits(match),
      error: typeof error === "function" ? error : () => error,
      afterEffect: options.afterEffect === true,
      left: options.times ?? Number.POSITIVE_INFINITY,
    };
    this.#faults.add(fault);
    return () => this.#faults.delete(fault);
  }

  allows(rule: AccessRule): boolean {
    return ![...this.#denied].some((denied) => fits(denied)(rule));
  }

  /** Throws what stands in the way of a call. */
  enter(call: Call): void {
    this.#trip(call, false);
    if (call.resource === undefined || this.allows({ ...call, resource: call.resource })) return;
    throw failureOfApiError(call, new ApiError({ status: 403, reason: "Forbidden", message: this.#refusal(call) }));
  }

  /** Throws when the answer to a call that has happened is to be lost. */
  leave(call: Call): void {
    this.#trip(call, true);
  }

  #trip(call: Call, afterEffect: boolean): void {
    for (const fault of this.#faults) {
      if (fault.afterEffect !== afterEffect || fault.left <= 0 || !fault.matches(call)) continue;
      fault.left -= 1;
      throw fault.error();
    }
  }

  #refusal({ verb, resource, subresource, namespace, name }: Call): string {
    if (resource === undefined) return "";
    const where = namespace === undefined ? "at the cluster scope" : `in the namespace "${namespace}"`;
    const what = `${resource.plural}${subresource === undefined ? "" : `/${subresource}`}`;
    const object = name === undefined ? "" : ` "${name}"`;
    const group = groupOf(resource);
    return `${fullNameOf(resource)}${object} is forbidden: User "${this.user}" cannot ${verb} resource "${what}" in API group "${group}" ${where}`;
  }
}
