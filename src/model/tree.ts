/** One entry of a volume's tree, wherever it was read: in the live volume, in a copy, or from a lab seed. */
export interface TreeEntry {
  /** Relative to the volume's root, "/"-separated, no leading slash. Names are bytes decoded as UTF-8. */
  readonly path: string;
  readonly type: "file" | "directory" | "symlink" | "other";
  /** Permission bits with setuid, setgid and sticky: 0o000000 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes of a file; 0 for everything else. */
  readonly size: number;
  /** Modification time, nanoseconds since 1970. */
  readonly mtime: bigint;
  /** Where a symbolic link points, uninterpreted. */
  readonly target?: string;
}
