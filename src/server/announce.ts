/** Says on a claim itself what has been done about it: `kubectl describe pvc` shows it. */
import type { KubeObject, ObjectName } from "../systems/kubernetes/port.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { isFailure } from "../model/failure.ts";
import { formatTime } from "../model/units.ts";
import { fieldsOf } from "./log.ts";
import type { Term } from "./term.ts";

export interface Announcement {
  /** The claim. */
  readonly about: ObjectName & { readonly uid: string };
  /** One word in upper camel case. */
  readonly reason: string;
  readonly message: string;
  readonly type?: "Normal" | "Warning";
}

/** An Event; where none can be written (its Namespace is going, say), the log says it alone. */
export const announce = async (term: Term, { about, reason, message, type }: Announcement): Promise<void> => {
  const { namespace = "", name, uid } = about;
  const time = formatTime(term.clock.now());
  const event = {
    apiVersion: "v1",
    kind: "Event",
    metadata: { namespace, name: `${name.slice(0, 200)}.${term.randomId(10)}` },
    involvedObject: { apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name, uid },
    reason,
    message,
    type: type ?? "Normal",
    source: { component: "holdfast" },
    firstTimestamp: time,
    lastTimestamp: time,
    count: 1,
  } satisfies KubeObject & Record<string, unknown>;
  try {
    await term.kubernetes.create(resources.events, event);
  } catch (error) {
    if (!isFailure(error) || isFailure(error, "LOCK_LOST")) throw error;
    term.log("warn", "no-event", `no Event on ${namespace}/${name}`, fieldsOf(error));
  }
};
