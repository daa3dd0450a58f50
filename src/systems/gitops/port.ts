/**
 * What keeps deploying from git, as Holdfast uses it: who deploys an object, and how that is made to stand still while a
 * volume is brought back. Argo CD is the one that there is.
 *
 * Contract for all methods: failures are `Failure`s; without GitOps in the cluster nobody deploys anything; each may be
 * called again after it was cut off anywhere.
 */

/** Something that deploys: an Application of Argo CD, or an ApplicationSet, which makes Applications. */
export interface Deployer {
  readonly kind: "Application" | "ApplicationSet";
  readonly namespace: string;
  readonly name: string;
}

/** An object that may be deployed from git, present or past. */
export interface ManagedObject {
  /** "apps", "" for the core group. */
  readonly group: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What a deployer says of an object. */
export interface DeployedObject {
  readonly deployer: Deployer;
  /** Git does not have the object (any more): the next sync with pruning deletes it, unless it is told not to. */
  readonly removedFromGit: boolean;
  /** The commit that the deployer compared with; undefined before its first comparison. */
  readonly revision: string | undefined;
  /** "https://git.example/homelab, path apps/sonarr" */
  readonly source: string;
}

export interface GitOps {
  /** Everything that acts on these objects: their Applications, and who deploys those in turn; outermost first. */
  deployersOf(objects: readonly ManagedObject[]): Promise<readonly Deployer[]>;
  /**
   * Until `thaw` nothing is synced, healed, pruned or cascaded by them, and what was under way has ended. What was set
   * before is kept on each object itself, so that any process can put exactly that back; operations may freeze the same
   * one, and the last to thaw ends it. Throws GITOPS_NOT_FROZEN when one cannot be held.
   */
  freeze(deployers: readonly Deployer[], operation: string, signal: AbortSignal): Promise<void>;
  /** Whether all of them, some or none are frozen by this operation. Those that are gone count as frozen. */
  frozenBy(deployers: readonly Deployer[], operation: string): Promise<"all" | "some" | "none">;
  /** Puts back what was set before `freeze`. What is gone, or was frozen by nobody, stays as it is. */
  thaw(deployers: readonly Deployer[], operation: string): Promise<void>;
  /** What their Applications say of these objects now; those of which none says anything are left out. */
  look(objects: readonly ManagedObject[]): Promise<ReadonlyMap<ManagedObject, DeployedObject>>;
}
