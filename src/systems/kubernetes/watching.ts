import type { Clock } from "../../context.ts";
import { isFailure } from "../../model/failure.ts";
import { orAborted } from "./aborting.ts";
import { apiErrorOf, isExpired } from "./api-error.ts";
import { backoffDelay, type Backoff, type Randomness } from "./backoff.ts";
import { differences, knownFrom, remember, type Known } from "./differences.ts";
import type { KubeObject, ObjectList, WatchEvent } from "./port.ts";

/** What a watch's stream carries; a BOOKMARK's object has a resourceVersion and nothing else of use. */
export interface StreamEvent<T> {
  readonly type: WatchEvent<T>["type"] | "BOOKMARK";
  readonly object: T;
}

/** One resource as a watch sees it. */
export interface WatchSource<T> {
  list(): Promise<ObjectList<T>>;
  /** Events after a version until the server ends the stream; Failures for errors, those inside the stream too. Throws when the signal aborts. */
  open(resourceVersion: string, signal: AbortSignal): AsyncIterable<StreamEvent<T>>;
}

export interface WatchStart<T> {
  /** Where to continue; absent: from a list of what exists now. */
  readonly resourceVersion?: string | undefined;
  /** What existed then, for the differences after an expired version. */
  readonly known?: Iterable<T> | undefined;
}

interface WatchWorld extends Randomness {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

const backoff: Backoff = { first: 500, most: 30_000 };

/** True when the server is away, busy or broken, which passes; rights, trust and unknown resources do not. */
const passes = (error: unknown): boolean => {
  const status = apiErrorOf(error)?.status ?? 0;
  return isExpired(error) || isFailure(error, "KUBERNETES_UNREACHABLE") || status === 429 || status >= 500;
};

/** A server that has never answered is more likely a wrong address than one that is away. */
const isHopeless = (error: unknown, position: { readonly contact: boolean }): boolean =>
  !passes(error) || (!position.contact && isFailure(error, "KUBERNETES_UNREACHABLE"));

/**
 * A watch that outlives its connections. It ends when the signal aborts, and throws only what waiting cannot mend
 * (rights, trust, an unknown resource) or a server that does not answer from the start.
 */
export async function* watching<T extends KubeObject>(
  source: WatchSource<T>,
  start: WatchStart<T>,
  world: WatchWorld,
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  const { signal } = world;
  const known = knownFrom(start.known ?? []);
  const position: Position<T> = { version: start.resourceVersion, known, contact: false, heard: false };
  for (let silent = 0; !signal.aborted; silent = position.heard ? 0 : silent + 1) {
    position.heard = false;
    const atLeast = yield* untilBroken(source, position, signal);
    // Also after a stream that ended in order: half a second is nothing then, and nobody can make this loop spin.
    await pause(backoffDelay(backoff, position.heard ? 0 : silent, world, atLeast), world);
  }
}

/** One connection; gives the time that the server wants to be left alone, if it named one. */
async function* untilBroken<T extends KubeObject>(
  source: WatchSource<T>,
  position: Position<T>,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<T>, number | undefined, undefined> {
  try {
    yield* connection(source, position, signal);
    return undefined;
  } catch (error) {
    if (signal.aborted) return undefined;
    if (isHopeless(error, position)) throw error;
    if (isExpired(error)) position.version = undefined;
    return apiErrorOf(error)?.retryAfterMilliseconds;
  }
}

/** Where a watch stands. */
interface Position<T> {
  version: string | undefined;
  readonly known: Known<T>;
  /** The server has answered at least once. */
  contact: boolean;
  /** The present stream brought something. */
  heard: boolean;
}

/** One list, where needed, and one stream. */
async function* connection<T extends KubeObject>(
  source: WatchSource<T>,
  position: Position<T>,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  if (position.version === undefined) {
    const list = await orAborted(source.list(), signal);
    for (const event of differences(position.known, list.items)) {
      remember(position.known, event);
      yield event;
    }
    position.version = list.resourceVersion;
    position.contact = true;
  }
  for await (const event of source.open(position.version, signal)) {
    position.heard = true;
    position.contact = true;
    position.version = event.object.metadata.resourceVersion ?? position.version;
    if (event.type === "BOOKMARK") continue;
    const change: WatchEvent<T> = { type: event.type, object: event.object };
    remember(position.known, change);
    yield change;
    if (signal.aborted) return;
  }
  position.contact = true;
}

const pause = async (milliseconds: number, world: WatchWorld): Promise<void> => {
  if (milliseconds <= 0 || world.signal.aborted) return;
  try {
    await world.clock.sleep(milliseconds, world.signal);
  } catch (error) {
    if (!world.signal.aborted) throw error;
  }
};
