import type { Clock } from "../../context.ts";
import { isFailure } from "../../model/failure.ts";
import { apiErrorOf } from "./api-error.ts";
import { backoffDelay, type Backoff, type Randomness } from "./backoff.ts";
import { errorCodeOf } from "./failures.ts";
import type { KubeObject, Kubernetes, RemoveOptions } from "./port.ts";

/** How long a short outage is waited out. The defaults add up to about 3 s. */
export interface RetryPolicy extends Backoff {
  /** The first one included. */
  readonly attempts: number;
  /** The longest Retry-After that is obeyed, in milliseconds; longer ones are left to the caller. */
  readonly patience: number;
}

export const defaultRetryPolicy: RetryPolicy = { attempts: 4, first: 250, most: 4000, patience: 30_000 };

interface RetryWorld extends Randomness {
  readonly clock: Clock;
}

const brokenConnection = new Set(["ECONNRESET", "EPIPE", "UND_ERR_SOCKET"]);
const passingStatuses = new Set([429, 500, 502, 503, 504]);

/** The server turned the call away before it did anything. */
const wasTurnedAway = (error: unknown): boolean => apiErrorOf(error)?.status === 429;

/** The answer was lost or was no answer: the call may or may not have happened. */
const mayHaveHappened = (error: unknown): boolean => {
  const status = apiErrorOf(error)?.status;
  if (status !== undefined) return passingStatuses.has(status);
  return isFailure(error, "KUBERNETES_UNREACHABLE") && brokenConnection.has(errorCodeOf(error.cause));
};

/**
 * Tries again what may be tried again: all that reads, `apply`, patches without a version and removals of one uid; of
 * the others (`create`, say) only what the server turned away with 429. Watch, logs and exec go through as they are.
 */
export const retrying = (
  inner: Kubernetes,
  world: RetryWorld,
  policy: RetryPolicy = defaultRetryPolicy,
): Kubernetes => {
  const attempt = async <R>(call: () => Promise<R>, mayRepeat: (error: unknown) => boolean): Promise<R> => {
    for (let tried = 1; ; tried += 1) {
      try {
        return await call();
      } catch (error) {
        const asked = apiErrorOf(error)?.retryAfterMilliseconds;
        if (tried >= policy.attempts || !mayRepeat(error) || (asked ?? 0) > policy.patience) throw error;
        await world.clock.sleep(backoffDelay(policy, tried - 1, world, asked));
      }
    }
  };
  return {
    version: () => attempt(() => inner.version(), mayHaveHappened),
    get: (resource, name) => attempt(() => inner.get(resource, name), mayHaveHappened),
    list: (resource, selection) => attempt(() => inner.list(resource, selection), mayHaveHappened),
    listRaw: (resource, selection) => attempt(() => inner.listRaw(resource, selection), mayHaveHappened),
    create: (resource, object) => attempt(() => inner.create(resource, object), wasTurnedAway),
    apply: (resource, object) => attempt(() => inner.apply(resource, object), mayHaveHappened),
    mergePatch: (resource, name, patch, options) =>
      attempt(
        () => inner.mergePatch(resource, name, patch, options),
        hasVersion(patch) ? wasTurnedAway : mayHaveHappened,
      ),
    remove: (resource, name, options) =>
      attempt(() => inner.remove(resource, name, options), isForOneObject(options) ? mayHaveHappened : wasTurnedAway),
    allowed: (rule) => attempt(() => inner.allowed(rule), mayHaveHappened),
    watch: (resource, from, signal) => inner.watch(resource, from, signal),
    logs: (pod, options) => inner.logs(pod, options),
    exec: (pod, options) => inner.exec(pod, options),
  };
};

/** With a version inside, the second try would meet the first one's success as a conflict. */
const hasVersion = (patch: object): boolean =>
  (patch as { metadata?: Partial<KubeObject["metadata"]> }).metadata?.resourceVersion !== undefined;

/** Without a uid, the second try could remove a new object of the same name. */
const isForOneObject = (options: RemoveOptions | undefined): boolean => options?.uid !== undefined;
