/** Who deploys what, from Argo CD's own records. Pure. Facts: argocd-and-deletion §1.3, §1.4. */
import type { KubeObject } from "../kubernetes/port.ts";
import type { Application, ApplicationSet } from "./argo-objects.ts";
import type { Deployer, ManagedObject } from "./port.ts";
import { trackedBy, trackingNames } from "./tracking.ts";

/** By which Argo CD before 3.0 tells what is whose; many have kept it. */
const instanceLabels = ["app.kubernetes.io/instance", "argocd.argoproj.io/instance"];

export interface Deployers {
  readonly applications: readonly Application[];
  readonly sets: readonly ApplicationSet[];
}

/** True when the Application counts the object among its own. */
export const deploys = (application: Application, object: ManagedObject): boolean => {
  const names = trackingNames(application);
  if (names.includes(trackedBy(object) ?? "")) return true;
  if (resourceIn(application, object) !== undefined) return true;
  const isNamed = instanceLabels.some((label) => names.includes(object.labels[label] ?? ""));
  return isNamed && application.spec.destination?.namespace === object.namespace;
};

/** What the Application's status has of the object. */
export const resourceIn = ({ status }: Application, object: ManagedObject) =>
  status?.resources?.find(
    ({ group = "", kind, namespace = "", name }) =>
      group === object.group && kind === object.kind && namespace === object.namespace && name === object.name,
  );

/** An Application or ApplicationSet as an object that may be deployed itself. */
const asManaged = (kind: Deployer["kind"], { metadata }: KubeObject): ManagedObject => ({
  group: "argoproj.io",
  kind,
  namespace: metadata.namespace ?? "",
  name: metadata.name,
  labels: metadata.labels ?? {},
  annotations: metadata.annotations ?? {},
});

const deployerOf = ({ kind, namespace, name }: ManagedObject): Deployer => ({
  kind: kind as Deployer["kind"],
  namespace,
  name,
});

/** "Application argocd/sonarr" */
export const deployerText = ({ kind, namespace, name }: Deployer): string => `${kind} ${namespace}/${name}`;

export const deployerKey = ({ kind, namespace, name }: Deployer): string => `${kind}/${namespace}/${name}`;

const isOwner =
  (child: KubeObject) =>
  ({ metadata }: ApplicationSet): boolean =>
    child.metadata.ownerReferences?.some(({ kind, uid }) => kind === "ApplicationSet" && uid === metadata.uid) === true;

/**
 * All that act on the objects, and on those in turn, outermost first. A ring of Applications ends where it comes back to
 * itself. Cost: objects × Applications × their resources.
 */
export const deployersOf = (objects: readonly ManagedObject[], all: Deployers): readonly Deployer[] => {
  const found = new Map<string, Deployer>();
  const follow = (object: ManagedObject): void => {
    for (const application of all.applications.filter((candidate) => deploys(candidate, object)))
      add(asManaged("Application", application), application);
  };
  const add = (managed: ManagedObject, object: KubeObject): void => {
    const deployer = deployerOf(managed);
    const key = deployerKey(deployer);
    if (found.has(key)) return;
    found.set(key, deployer);
    for (const set of all.sets.filter(isOwner(object))) add(asManaged("ApplicationSet", set), set);
    follow(managed);
  };
  for (const object of objects) follow(object);
  return [...found.values()].toReversed();
};
