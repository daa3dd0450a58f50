import { orAborted } from "./aborting.ts";
import type { Kubernetes } from "./port.ts";

/**
 * The same port, but each call ends with the signal's reason as soon as the signal aborts. A write that was under way
 * may still happen. Clean-up after an interruption keeps the port without this.
 */
export const interruptible = (inner: Kubernetes, signal: AbortSignal): Kubernetes => {
  const until = async <R>(call: () => Promise<R>): Promise<R> => {
    signal.throwIfAborted();
    return await orAborted(call(), signal);
  };
  return {
    version: () => until(() => inner.version()),
    get: (resource, name) => until(() => inner.get(resource, name)),
    list: (resource, selection) => until(() => inner.list(resource, selection)),
    listRaw: (resource, selection) => until(() => inner.listRaw(resource, selection)),
    create: (resource, object) => until(() => inner.create(resource, object)),
    apply: (resource, object) => until(() => inner.apply(resource, object)),
    mergePatch: (resource, name, patch, options) => until(() => inner.mergePatch(resource, name, patch, options)),
    remove: (resource, name, options) => until(() => inner.remove(resource, name, options)),
    allowed: (rule) => until(() => inner.allowed(rule)),
    watch: (resource, from, own) => inner.watch(resource, from, AbortSignal.any([own, signal])),
    logs: (pod, options) => inner.logs(pod, { ...options, signal: both(options.signal, signal) }),
    exec: (pod, options) => inner.exec(pod, { ...options, signal: both(options.signal, signal) }),
  };
};

const both = (own: AbortSignal | undefined, signal: AbortSignal): AbortSignal =>
  own === undefined ? signal : AbortSignal.any([own, signal]);
