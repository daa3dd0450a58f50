/** Ends a lab. Afterwards nothing of it is left on the host: no process, mount, rule, namespace, cgroup or file. */
import { rmSync } from "node:fs";
import { alone, endOthers, removeLock } from "./alone.ts";
import type { Lab } from "./lab.ts";
import { removeMemory } from "./memory.ts";
import { abortFuse } from "./nas/fuse.ts";
import { removeCgroups } from "./node/cgroups.ts";
import { forgetNode } from "./node/node.ts";
import { stop } from "./site/sandbox.ts";

/** Ends all machines. The lab's files stay. */
export const destroyMachines = async (lab: Lab): Promise<void> => {
  await abortFuse(lab);
  await stop(lab, "site");
  await removeCgroups(lab);
  forgetNode(lab);
};

/** Ends everything of a lab, also what an interrupted start left, and forgets its files. */
export const remove = async (lab: Lab): Promise<void> => {
  await destroyMachines(lab);
  rmSync(lab.dir, { recursive: true, force: true, maxRetries: 5 });
  removeMemory(lab);
};

/** Also ends an `up` that is still at work in another process. */
export const down = async (lab: Lab): Promise<void> => {
  await endOthers(lab);
  await alone(
    lab,
    () => remove(lab),
    () => undefined,
  );
  removeLock(lab);
};
