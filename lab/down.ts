/** Ends a lab. Afterwards nothing of it is left on the host: no process, mount, rule, namespace, cgroup or file. */
import { existsSync, rmSync } from "node:fs";
import type { Lab } from "./lab.ts";
import { removeCgroups } from "./node/cgroups.ts";
import { stop } from "./site/sandbox.ts";

export const down = async (lab: Lab): Promise<void> => {
  await stop(lab, "site");
  await removeCgroups(lab);
  if (existsSync(lab.dir)) rmSync(lab.dir, { recursive: true, force: true, maxRetries: 5 });
};
