/** Work that Ctrl-C ends. */

/** The user does not want it any more. */
export class Interrupted extends Error {
  readonly exitStatus: number;

  constructor(advice: string, exitStatus: number) {
    super(`interrupted; ${advice}`);
    this.name = "Interrupted";
    this.exitStatus = exitStatus;
  }
}

/** Throws `Interrupted` as soon as SIGINT or SIGTERM comes; the signal that the work gets ends its programs. */
export const interruptible = async <T>(advice: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
  const controller = new AbortController();
  const { promise, reject } = deferred<never>();
  const onInterrupt = (): void => stop(130);
  const onTerminate = (): void => stop(143);
  const stop = (exitStatus: number): void => {
    reject(new Interrupted(advice, exitStatus));
    controller.abort();
  };
  process.on("SIGINT", onInterrupt).on("SIGTERM", onTerminate);
  try {
    return await Promise.race([work(controller.signal), promise]);
  } finally {
    process.off("SIGINT", onInterrupt).off("SIGTERM", onTerminate);
  }
};

const deferred = <T>(): { readonly promise: Promise<T>; readonly reject: (reason: Error) => void } => {
  let rejectIt: (reason: Error) => void = () => undefined;
  const promise = new Promise<T>((_resolve, reject) => {
    rejectIt = reject;
  });
  return { promise, reject: (reason) => rejectIt(reason) };
};
