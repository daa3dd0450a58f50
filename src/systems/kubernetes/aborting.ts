import type { Clock } from "../../context.ts";

/** Thrown inside when the time for something is over; becomes KUBERNETES_UNREACHABLE. */
export class DeadlineExceeded extends Error {
  constructor(milliseconds: number) {
    super(`no answer within ${milliseconds / 1000} s`);
  }
}

/** Aborts a controller with DeadlineExceeded after a time, unless the function that it gives is called before. */
export const abortLater = (clock: Clock, controller: AbortController, milliseconds: number): (() => void) => {
  const stop = new AbortController();
  clock.sleep(milliseconds, stop.signal).then(
    () => controller.abort(new DeadlineExceeded(milliseconds)),
    () => undefined, // stopped
  );
  return () => stop.abort();
};

/** A promise's outcome, or the signal's reason as soon as the signal aborts; the promise is then left to itself. */
export const orAborted = async <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> => {
  let abort = (): void => undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    abort = () => reject(signal.reason as Error);
  });
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
};

/**
 * Aborts `controller` when `signal` aborts, until the function that it gives is called. AbortSignal.any would keep
 * every controller for as long as a long-lived signal lives.
 */
export const follow = (signal: AbortSignal, controller: AbortController): (() => void) => {
  const abort = (): void => controller.abort(signal.reason);
  if (signal.aborted) abort();
  signal.addEventListener("abort", abort, { once: true });
  return () => signal.removeEventListener("abort", abort);
};
