import type { Kubernetes } from "./port.ts";

/**
 * The same port for a process that works under a lock: nothing is written without it. `demand` throws when the lock is
 * not certainly held. Reading goes on.
 */
export const fenced = (inner: Kubernetes, demand: () => void): Kubernetes => {
  const held = async <R>(write: () => Promise<R>): Promise<R> => {
    demand();
    return await write();
  };
  return {
    version: () => inner.version(),
    get: (resource, name) => inner.get(resource, name),
    list: (resource, selection) => inner.list(resource, selection),
    listRaw: (resource, selection) => inner.listRaw(resource, selection),
    create: (resource, object) => held(() => inner.create(resource, object)),
    apply: (resource, object) => held(() => inner.apply(resource, object)),
    mergePatch: (resource, name, patch, options) => held(() => inner.mergePatch(resource, name, patch, options)),
    remove: (resource, name, options) => held(() => inner.remove(resource, name, options)),
    allowed: (rule) => inner.allowed(rule),
    watch: (resource, from, signal) => inner.watch(resource, from, signal),
    logs: (pod, options) => inner.logs(pod, options),
    exec: (pod, options) => held(() => inner.exec(pod, options)),
  };
};
