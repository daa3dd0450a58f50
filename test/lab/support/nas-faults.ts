/** What the lab's NAS does wrong on purpose. */
import { sideDoor } from "../../../lab/nas/truenas-daemon.ts";
import type { PlannedFault } from "../../../lab/nas/truenas/faults.ts";
import { runInside } from "../../../lab/site/daemon.ts";
import type { RunningLab } from "../running-lab.ts";

/** On the NAS' loopback, where the side door is. */
const door = async ({ lab }: RunningLab, method: "POST" | "DELETE", body?: object): Promise<void> => {
  const text = body === undefined ? "" : JSON.stringify(body);
  const script = `const r = await fetch("${sideDoor}/lab/faults", { method: "${method}", body: process.argv[1] || undefined });
    if (!r.ok) throw new Error(await r.text());`;
  await runInside(lab, "nas", [process.execPath, "--input-type=module", "-e", script, text]);
};

/** The next calls of a method go wrong; one, unless `times` says otherwise. */
export const planFault = (
  lab: RunningLab,
  fault: Pick<PlannedFault, "method" | "fault"> & Partial<PlannedFault>,
): Promise<void> => door(lab, "POST", fault);

export const clearFaults = (lab: RunningLab): Promise<void> => door(lab, "DELETE");
