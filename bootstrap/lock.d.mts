export interface LockOwner {
  readonly pid: number;
  readonly start?: string;
}
export function processStart(pid: number): string | undefined;
export function lockOwner(file: string): LockOwner | undefined;
export function withLock<T>(
  file: string,
  work: () => T | Promise<T>,
  options?: { readonly onWait?: (pid: number) => void; readonly signal?: AbortSignal | undefined },
): Promise<T>;
