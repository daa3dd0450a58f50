import type { KubeObject, WatchEvent } from "./port.ts";

/** What a watcher has reported so far, by uid. */
export type Known<T> = Map<string, T>;

/** The identity under which a watcher remembers an object. */
const identityOf = (object: KubeObject): string =>
  object.metadata.uid ?? `${object.metadata.namespace ?? ""}/${object.metadata.name}`;

/** What a watcher knows after it was handed these objects. */
export const knownFrom = <T extends KubeObject>(objects: Iterable<T>): Known<T> =>
  new Map(Array.from(objects, (object) => [identityOf(object), object]));

/** Takes one event into what is known. */
export const remember = <T extends KubeObject>(known: Known<T>, event: WatchEvent<T>): void => {
  if (event.type === "DELETED") known.delete(identityOf(event.object));
  else known.set(identityOf(event.object), event.object);
};

/**
 * The events between what is known and a new list. Vanished objects come first, in their last known state: an object
 * made again under the same name is then DELETED before it is ADDED.
 */
export const differences = <T extends KubeObject>(known: Known<T>, listed: readonly T[]): WatchEvent<T>[] => {
  const present = new Set(listed.map(identityOf));
  const vanished = [...known].filter(([identity]) => !present.has(identity)).map(([, object]) => object);
  const events: WatchEvent<T>[] = vanished.map((object) => ({ type: "DELETED", object }));
  for (const object of listed) {
    const before = known.get(identityOf(object));
    if (before === undefined) events.push({ type: "ADDED", object });
    else if (before.metadata.resourceVersion !== object.metadata.resourceVersion) {
      events.push({ type: "MODIFIED", object });
    }
  }
  return events;
};
