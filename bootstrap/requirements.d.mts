export interface System {
  /** The file to run, as a path below the repository. */
  readonly entry: string;
  /** Node's version: "20.20.2". */
  readonly node: string;
  readonly platform: string;
  readonly uid: number | undefined;
  readonly has: (program: string) => boolean;
  /** Where the checkout and what it needs lie: absolute paths. */
  readonly folders: readonly string[];
  /** What `go env GOVERSION` prints, when somebody asked. */
  readonly go?: string | undefined;
}
export function needsLab(entry: string): boolean;
export function missingParts(system: System): string[];
export function hasProgram(name: string, path?: string): boolean;
