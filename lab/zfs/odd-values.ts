/**
 * Values of user properties that ZFS keeps and zfs-fuse's command line cannot handle: it takes no empty one, and prints one
 * with several lines so that nobody can tell where it ends. They are kept in another spelling; nobody above sees it.
 */

const mark = "lab-spelled:";

/** A control character, or the mark itself; or nothing at all. */
const isOdd = (value: string): boolean => value === "" || value.startsWith(mark) || /\p{Cc}/u.test(value);

const isUserProperty = (name: string): boolean => name.includes(":");

/** What is given to `zfs`. */
export const spelled = (name: string, value: string): string =>
  isUserProperty(name) && isOdd(value) ? `${mark}${encodeURIComponent(value)}` : value;

/** What was meant by what `zfs` prints. */
export const unspelled = (name: string, value: string): string =>
  isUserProperty(name) && value.startsWith(mark) ? decodeURIComponent(value.slice(mark.length)) : value;
