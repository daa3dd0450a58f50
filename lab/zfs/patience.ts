/**
 * What zfs-fuse calls busy and OpenZFS does not: a dataset for a moment after its unmount, until FUSE has released it.
 * What somebody really uses, or holds, stays busy.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { isZfsError, type ZfsError } from "./zfs-error.ts";

/** On a machine with much else to do a moment is seconds. */
const patienceMs = 6000;
const pauseMs = 50;

const passes = (error: ZfsError): boolean => !/cannot destroy '[^']*@/.test(error.said);

/** Does the work again while it is refused as busy, for a moment; `between` the tries, what may help. */
export const patiently = async <T>(work: () => Promise<T>, between?: () => Promise<void>): Promise<T> => {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isZfsError(error, "busy") || !passes(error) || performance.now() > deadline) throw error;
    }
    await sleep(pauseMs);
    await between?.();
  }
};
