export class SetupError extends Error {}
export function isInstalled(lockText: string, installedText: string | undefined): boolean;
export function ensurePackages(root: string): Promise<void>;
