/** What `zfs` means by its error texts. zfs-fuse 0.7.0 and OpenZFS word some differently: only what both share is matched. */

export type ZfsErrorKind =
  | "exists"
  | "missing"
  /** Mounted and in use, or held: the text does not tell which; `userrefs` of the snapshots does. */
  | "busy"
  | "has-clones"
  | "has-children"
  | "newer-snapshots"
  | "no-parent"
  | "tag-taken"
  | "no-tag"
  | "already-mounted"
  | "not-mounted"
  | "no-space"
  /** The ZFS daemon does not answer. */
  | "unreachable"
  | "unknown";

const texts: readonly (readonly [ZfsErrorKind, RegExp])[] = [
  ["exists", /dataset already exists/],
  ["no-parent", /parent does not exist/],
  ["tag-taken", /tag already exists/],
  ["no-tag", /no such tag/],
  ["missing", /dataset does not exist|could not find any snapshots to destroy/],
  ["already-mounted", /filesystem already mounted/],
  ["not-mounted", /not currently mounted/],
  ["has-clones", /has dependent clones|clones of previous snapshots exist/],
  ["has-children", /has children/],
  ["newer-snapshots", /more recent snapshots/],
  ["busy", /is busy|resource busy|EBUSY/],
  ["no-space", /out of space|No space left|quota exceeded/i],
  ["unreachable", /zfs-fuse daemon|Connection refused|connect: No such file/i],
];

/** The kind of error that a text of `zfs` on standard error tells of. */
export const zfsErrorKind = (text: string): ZfsErrorKind =>
  texts.find(([, pattern]) => pattern.test(text))?.[0] ?? "unknown";

/** `zfs` refused. The message holds the command and what it said. */
export class ZfsError extends Error {
  readonly kind: ZfsErrorKind;
  /** What it said, without the command. */
  readonly said: string;

  constructor(args: readonly string[], stderr: string) {
    super(`zfs ${args.join(" ")}: ${stderr.trim()}`);
    this.name = "ZfsError";
    this.kind = zfsErrorKind(stderr);
    this.said = stderr.trim();
  }
}

/** Whether an error is `zfs` refusing for this reason. */
export const isZfsError = (error: unknown, kind: ZfsErrorKind): error is ZfsError =>
  error instanceof ZfsError && error.kind === kind;
