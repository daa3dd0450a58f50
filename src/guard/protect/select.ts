/** What a selector means: one volume, an app's, a namespace's, or all. Pure. */
import { Failure } from "../../model/failure.ts";
import { nearest } from "../../model/nearest.ts";
import { type Volume, volumeName } from "../../model/volume.ts";
import { resolveName } from "../../restore/scope.ts";

/**
 * "media/sonarr-config", "sonarr-config", "sonarr" (an app: all its volumes), "media/" or "media/*", "*". Absent: all.
 * Throws VOLUME_UNKNOWN, VOLUME_AMBIGUOUS, NAMESPACE_UNKNOWN.
 */
export const selectVolumes = <V extends Pick<Volume, "namespace" | "claim" | "workloads">>(
  selector: string | undefined,
  volumes: readonly V[],
): readonly V[] => {
  if (selector === undefined || selector === "*" || selector === "*/*") return volumes;
  const namespace = /^([^/]+)\/\*?$/.exec(selector)?.[1];
  if (namespace !== undefined) return inNamespace(namespace, volumes);
  const isClaim = volumes.some((volume) => volume.claim === selector);
  const ofApp = isClaim ? [] : volumes.filter(({ workloads }) => workloads.some(({ name }) => name === selector));
  if (new Set(ofApp.map((volume) => volume.namespace)).size === 1) return ofApp;
  const name = resolveName(selector, volumes.map(volumeName));
  return volumes.filter((volume) => volumeName(volume) === name);
};

const inNamespace = <V extends Pick<Volume, "namespace">>(namespace: string, volumes: readonly V[]): readonly V[] => {
  const found = volumes.filter((volume) => volume.namespace === namespace);
  if (found.length > 0) return found;
  const namespaces = [...new Set(volumes.map((volume) => volume.namespace))];
  const close = nearest(namespace, namespaces);
  throw new Failure("NAMESPACE_UNKNOWN", {
    what: `There is no volume in a namespace "${namespace}".`,
    todo:
      close.length === 0 ? `Namespaces with volumes: ${namespaces.join(", ")}.` : `Did you mean ${close.join(", ")}?`,
  });
};
