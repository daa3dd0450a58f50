/** `filesystem.*`: what a storage driver does to the root of a dataset. */
import { z } from "zod";
import { output } from "../../../zfs/exec.ts";
import { ValidationError } from "../call-error.ts";
import { method } from "../method.ts";
import { releases } from "../release.ts";

const permissions = z.strictObject({
  path: z.string().min(1),
  mode: z
    .string()
    .regex(/^[0-7]{3,4}$/)
    .nullable()
    .default(null),
  uid: z.int().nullable().default(null),
  gid: z.int().nullable().default(null),
  options: z
    .strictObject({
      stripacl: z.boolean().default(false),
      recursive: z.boolean().default(false),
      traverse: z.boolean().default(false),
    })
    .prefault({}),
});

export const filesystemMethods = [
  method(
    "filesystem.setperm",
    { releases, access: ["FILESYSTEM_ATTRS_WRITE"], job: true },
    { filesystem_setperm: permissions },
    async ({ world }, { filesystem_setperm: { path, mode, uid, gid, options } }) => {
      if (!path.startsWith(`${world.mountRoot}/`))
        throw new ValidationError("filesystem_setperm.path", "The path must reside within a pool mount point");
      const deep = options.recursive ? ["-R"] : [];
      if (mode !== null) await output(world.exec, "chmod", [...deep, mode, path]);
      if (uid !== null || gid !== null) await output(world.exec, "chown", [...deep, `${uid ?? ""}:${gid ?? ""}`, path]);
      return null;
    },
  ),
];
