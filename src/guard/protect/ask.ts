/** Asks the API server, without effect, to delete what is guarded: it must refuse, and by our policy. */
import { mapLimited } from "../../model/concurrency.ts";
import { isFailure } from "../../model/failure.ts";
import { volumeName } from "../../model/volume.ts";
import type { KubeObject, Kubernetes, Resource } from "../../systems/kubernetes/port.ts";
import { resources } from "../../systems/kubernetes/resources.ts";
import { keyOf } from "../../systems/kubernetes/object-key.ts";
import { guardKey } from "./mode.ts";
import { isLookedAt, isOurRefusal } from "./policy.ts";
import { nameOf, objectInputOf } from "./steps/set-marks.ts";
import type { GuardView } from "./view.ts";
import { presentModes, wantedFor } from "./wanted.ts";

/** An object whose deletion must be refused. */
export interface Asked {
  readonly title: string;
  readonly resource: Resource;
  readonly object: KubeObject;
}

export interface Answered {
  readonly title: string;
  /** "unknown": the user may not delete it, or it changed meanwhile. */
  readonly answer: "refused" | "allowed" | "unknown";
  /** The API server's words. */
  readonly why: string;
}

/** Everything that the policy must refuse to delete, as volumes are guarded now. Pure. */
export const toAsk = (view: GuardView): readonly Asked[] => {
  const wanted = wantedFor(view, presentModes(view), new Set(view.volumes.map(volumeName)));
  const marked = wanted.marks.filter(({ to }) => to.annotations[guardKey] === "deny");
  const generated = (view.argo?.applications ?? [])
    .filter((application) => wanted.generated?.includes(keyOf(application)) === true)
    .map((object) => ({ title: `Application ${keyOf(object)}`, resource: resources.applications, object }));
  return [...marked, ...generated]
    .filter(({ object }) => isLookedAt(object))
    .map(({ title, resource, object }) => ({ title, resource, object }));
};

const atATime = 6;

/** One dry-run DELETE for each. Nothing is deleted, whatever the answers are. */
export const askDeletions = (kubernetes: Kubernetes, asked: readonly Asked[]): Promise<readonly Answered[]> =>
  mapLimited(asked, atATime, (one) => ask(kubernetes, one));

const ask = async (kubernetes: Kubernetes, { title, resource, object }: Asked): Promise<Answered> => {
  const name = nameOf(objectInputOf(resource, object));
  try {
    await kubernetes.remove(resource, name, { dryRun: true, uid: object.metadata.uid ?? "" });
    return { title, answer: "allowed", why: "the API server would delete it" };
  } catch (error) {
    if (!isFailure(error, "KUBERNETES_REFUSED", "KUBERNETES_FORBIDDEN", "KUBERNETES_CONFLICT")) throw error;
    const why = error.why ?? error.what;
    if (error.code === "KUBERNETES_REFUSED")
      return isOurRefusal(why)
        ? { title, answer: "refused", why }
        : { title, answer: "unknown", why: `not refused by Holdfast's policy but by something else: ${why}` };
    return { title, answer: "unknown", why };
  }
};
