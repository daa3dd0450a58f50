import { RpcError, status } from "./rpc.ts";

/** Runs work on a volume unless other work on it is running: then the caller is told ABORTED, and comes back later. */
export const oneAtATime = (): (<T>(volumeId: string, work: () => Promise<T>) => Promise<T>) => {
  const busy = new Set<string>();
  return async (volumeId, work) => {
    if (busy.has(volumeId)) throw new RpcError(status.ABORTED, `an operation on volume ${volumeId} is already running`);
    busy.add(volumeId);
    try {
      return await work();
    } finally {
      busy.delete(volumeId);
    }
  };
};
