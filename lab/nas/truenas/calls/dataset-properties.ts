/** What can be said of a dataset when it is made and when it is changed. */
import { z } from "zod";

const validName = /^[A-Za-z0-9][A-Za-z0-9 _.:-]*(?:\/[A-Za-z0-9 _.:-]+)*$/;

/** A dataset's full name. */
export const datasetName = z
  .string()
  .min(1)
  .refine(
    (name) => validName.test(name),
    "Value error, Please provide a valid dataset name according to ZFS standards",
  );

const smallestQuota = 1024 ** 3;

/** At least 1 GiB; 0 and null take it away. */
export const quota = z
  .union([z.int().min(smallestQuota), z.literal(0), z.null()], {
    error: `Input should be greater than or equal to ${smallestQuota} or Input should be 0 or None`,
  })
  .optional();

const onOff = z.enum(["ON", "OFF", "INHERIT"]).optional();

/** Properties that are words. */
export const switchProperties = {
  readonly: onOff,
  atime: onOff,
  exec: onOff,
  compression: z.string().optional(),
  sync: z.enum(["STANDARD", "ALWAYS", "DISABLED", "INHERIT"]).optional(),
  snapdir: z.enum(["DISABLED", "VISIBLE", "HIDDEN", "INHERIT"]).optional(),
  snapdev: z.enum(["HIDDEN", "VISIBLE", "INHERIT"]).optional(),
  aclmode: z.enum(["PASSTHROUGH", "RESTRICTED", "DISCARD", "INHERIT"]).optional(),
  acltype: z.enum(["OFF", "NFSV4", "POSIX", "INHERIT"]).optional(),
  deduplication: z.enum(["ON", "VERIFY", "OFF", "INHERIT"]).optional(),
} as const;

type Switches = { readonly [K in keyof typeof switchProperties]?: string | undefined };

/** Those that zfs-fuse knows; the others are taken and have no effect. */
const known = ["readonly", "atime", "exec", "compression", "snapdir"] as const;

/** zfs-fuse compresses with gzip, lzjb and zle only. */
const compressions = new Set(["on", "off", "gzip", "gzip-1", "gzip-9", "lzjb", "zle"]);

/** The ZFS properties to set; what is to be inherited is left out. */
export const switchValues = (wanted: Switches): Readonly<Record<string, string>> =>
  Object.fromEntries(
    known.flatMap((name) => {
      const value = wanted[name]?.toLowerCase();
      if (value === undefined || value === "inherit") return [];
      return [[name, name === "compression" && !compressions.has(value) ? "on" : value]];
    }),
  );

/** The ZFS properties that are to be inherited. */
export const inheritedSwitches = (wanted: Switches): readonly string[] =>
  known.filter((name) => wanted[name] === "INHERIT");
