/**
 * Apps for the ways by which Argo CD deletes claims (docs/guard.md): for each way one whose claim is bare, and its twin
 * whose claim is guarded.
 */
import type { ConfigMap } from "kubernetes-types/core/v1.d.ts";
import { stringify } from "yaml";
import type { AppDefinition, KubeManifest } from "../../../lab/apps/app.ts";
import { nfsClaim } from "../../../lab/apps/claims.ts";
import { idleApp } from "../../../lab/apps/workload.ts";
import {
  appFiles,
  application,
  applicationFile,
  appWithApplication,
  claimFile,
  fileOf,
  listedSet,
} from "../../../lab/gitops/homelab.ts";
import type { Change } from "../../../lab/gitops/repository.ts";

export const twins = ["bare", "kept"] as const;
export type Twin = (typeof twins)[number];

export const namespaceOf = (twin: Twin): string => `ways-${twin}`;
/** A namespace whose own manifest is in git. */
export const spaceOf = (twin: Twin): string => `ways-${twin}-space`;

const claimOf = (namespace: string, name: string) => nfsClaim(namespace, { name, mountPath: "/data" });

/** A claim, and something beside it: Argo CD never prunes all of an app. No pod: nothing but a guard is in the way. */
const podless = (name: string, namespace: string): AppDefinition => {
  const rest: ConfigMap & KubeManifest = { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace } };
  return { name, namespace, claims: [claimOf(namespace, name)], workloads: [rest] };
};

const spaceManifest = (twin: Twin): KubeManifest => ({
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: spaceOf(twin) },
});

export interface Ways {
  /** Its claim gets another name in git. */
  readonly claim: AppDefinition;
  /** Its Application gets another name in git. */
  readonly renamed: AppDefinition;
  /** Its Namespace leaves git. */
  readonly space: AppDefinition;
  /** Its Application is deleted by hand, and has no finalizer. */
  readonly orphan: AppDefinition;
  /** Its Application is deleted by hand, and has the finalizer that deletes in the background. */
  readonly background: AppDefinition;
  /** It leaves the list of its ApplicationSet, which is in git. */
  readonly listed: AppDefinition;
  /** Its ApplicationSet, which somebody has applied by hand, is deleted by hand. */
  readonly generated: AppDefinition;
}

export const waysOf = (twin: Twin): Ways => {
  const app = (way: string) => podless(`${twin}-${way}`, namespaceOf(twin));
  const space = podless(`${twin}-space`, spaceOf(twin));
  return {
    claim: app("claim"),
    renamed: app("renamed"),
    space: { ...space, workloads: [spaceManifest(twin), ...space.workloads] },
    orphan: app("orphan"),
    background: app("background"),
    listed: app("listed"),
    generated: app("generated"),
  };
};

/** Of a set that says preserveResourcesOnDeletion. */
export const preserved = podless("bare-preserved", namespaceOf("bare"));
/** The one with a pod. It is in the bare set's list, and stays there. */
export const running = idleApp({ name: "bare-running", namespace: namespaceOf("bare") }, [
  claimOf(namespaceOf("bare"), "bare-running"),
]);

type Files = Readonly<Record<string, string>>;
const merged = (...all: readonly Files[]): Files => Object.fromEntries(all.flatMap((files) => Object.entries(files)));

export const setOf = (twin: Twin): string => `${twin}-set`;
export const handMadeSetOf = (twin: Twin): string => `${twin}-hand-made`;
export const preservingSet = "preserving";
export const newClaimOf = (twin: Twin): string => `${twin}-claim-new`;
export const newNameOf = (twin: Twin): string => `${twin}-new-name`;

/** Sets that are not in git: no parent makes them again. */
export const handMadeSets: readonly object[] = [
  ...twins.map((twin) => listedSet(handMadeSetOf(twin), [waysOf(twin).generated])),
  listedSet(preservingSet, [preserved], { preserveResourcesOnDeletion: true }),
];

const setFile = (twin: Twin, apps: readonly AppDefinition[]): Files => ({
  [applicationFile({ name: setOf(twin), namespace: "" })]: stringify(listedSet(setOf(twin), apps)),
});

const staying = (twin: Twin): readonly AppDefinition[] => (twin === "bare" ? [running] : []);

const applicationAs = (app: AppDefinition, options: Parameters<typeof application>[1]): Files => ({
  [applicationFile({ ...app, name: options?.name ?? app.name })]: stringify(application(app, options)),
});

const background = "resources-finalizer.argocd.argoproj.io/background";

const filesOf = (twin: Twin): Files => {
  const ways = waysOf(twin);
  return merged(
    ...[ways.claim, ways.renamed, ways.space].map(appWithApplication),
    ...[ways.orphan, ways.background, ways.listed, ways.generated, ...staying(twin)].map(appFiles),
    applicationAs(ways.orphan, { finalizers: [] }),
    applicationAs(ways.background, { finalizers: [background] }),
    setFile(twin, [ways.listed, ...staying(twin)]),
  );
};

/** What is committed first. */
export const allFiles = (): Files => merged(...twins.map(filesOf), appFiles(preserved));

const harmTo = (twin: Twin): Required<Change> => {
  const { claim, renamed, space } = waysOf(twin);
  const names = { ...claim, claims: [claimOf(claim.namespace, newClaimOf(twin))] };
  return {
    remove: [claimFile(claim, claim.name), applicationFile(renamed), fileOf(space, spaceManifest(twin))],
    write: merged(appFiles(names), applicationAs(renamed, { name: newNameOf(twin) }), setFile(twin, staying(twin))),
  };
};

/** One commit that goes every way that a commit can go. */
export const harm = (): Change => {
  const both = twins.map(harmTo);
  return { remove: both.flatMap(({ remove }) => remove), write: merged(...both.map(({ write }) => write)) };
};
