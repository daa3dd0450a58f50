/** The cluster as a process has it that works under a lock. `demand` throws when the lock is not certainly held. */
import type { Kubernetes } from "./port.ts";

/** Nothing is written without the lock. Reading goes on. */
export const fenced = (inner: Kubernetes, demand: () => void): Kubernetes =>
  guarded(inner, { create: demand, change: demand });

/**
 * For agents, which remove only what they have made themselves, by its uid: nothing is made without the lock, and what was
 * made is told to end and tidied away even when it is lost.
 */
export const fencedCreation = (inner: Kubernetes, demand: () => void): Kubernetes =>
  guarded(inner, { create: demand, change: () => undefined });

/** What is asked before each write. */
interface Guards {
  create(this: void): void;
  change(this: void): void;
}

const guarded = (inner: Kubernetes, guards: Guards): Kubernetes => {
  const after = async <R>(guard: () => void, write: () => Promise<R>): Promise<R> => {
    guard();
    return await write();
  };
  const { create, change } = guards;
  return {
    version: () => inner.version(),
    get: (resource, name) => inner.get(resource, name),
    list: (resource, selection) => inner.list(resource, selection),
    listRaw: (resource, selection) => inner.listRaw(resource, selection),
    create: (resource, object) => after(create, () => inner.create(resource, object)),
    apply: (resource, object) => after(create, () => inner.apply(resource, object)),
    mergePatch: (resource, name, patch, options) =>
      after(change, () => inner.mergePatch(resource, name, patch, options)),
    remove: (resource, name, options) => after(change, () => inner.remove(resource, name, options)),
    allowed: (rule) => inner.allowed(rule),
    watch: (resource, from, signal) => inner.watch(resource, from, signal),
    logs: (pod, options) => inner.logs(pod, options),
    exec: (pod, options) => after(change, () => inner.exec(pod, options)),
  };
};
