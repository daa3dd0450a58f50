/**
 * Snapshots under their two names: `zfs.snapshot` is public up to 25.04, private in 25.10, and gone in 26; `pool.snapshot`
 * begins with 25.10.
 */
import type { Arguments, Parameters } from "../arguments.ts";
import { type Call, type Method, method } from "../method.ts";
import { from } from "../release.ts";
import type { Role } from "../roles.ts";

/** Up to 25.04 only these list roles; the rest of the service was FULL_ADMIN's. */
const listed: ReadonlySet<string> = new Set(["query", "get_instance", "create", "update", "delete"]);

/** One method under every name that it ever had. A private one has no roles: FULL_ADMIN only. */
export const snapshotMethod = <const P extends Parameters>(
  name: string,
  access: readonly Role[],
  parameters: P,
  run: (call: Call, args: Arguments<P>) => Promise<unknown>,
): readonly Method[] => [
  method(
    `zfs.snapshot.${name}`,
    { releases: from("24.10", "25.04"), access: listed.has(name) ? access : ["FULL_ADMIN"] },
    parameters,
    run,
  ),
  method(`zfs.snapshot.${name}`, { releases: ["25.10"], access: ["FULL_ADMIN"], private: true }, parameters, run),
  method(`pool.snapshot.${name}`, { releases: from("25.10"), access }, parameters, run),
];

/** The service's name in "X does not exist". */
export const snapshotService = (release: string): string =>
  release === "24.10" || release === "25.04" ? "ZFSSnapshot" : "PoolSnapshot";
