/** Argo CD, through the Kubernetes API alone: it needs neither its server nor a login. */
import type { Clock } from "../../context.ts";
import { Failure } from "../../model/failure.ts";
import { changeObject } from "../kubernetes/changing.ts";
import { listIfServed } from "../kubernetes/list-if-served.ts";
import type { KubeObject, Kubernetes, Resource } from "../kubernetes/port.ts";
import { resources } from "../kubernetes/resources.ts";
import { type Application, type ApplicationSet, revisionOf, sourceText } from "./argo-objects.ts";
import { deployerKey, type Deployers, deployersOf, deploys, resourceIn } from "./deployers.ts";
import { isFrozenBy, isSkipped, pausePatch, setPatch, skipPatch, syncsByItself, thawPatch } from "./freezing.ts";
import type { DeployedObject, Deployer, GitOps, ManagedObject } from "./port.ts";

export interface ArgoOptions {
  readonly kubernetes: Kubernetes;
  readonly clock: Clock;
  /** ms to wait for a sync under way to end. */
  readonly timeout: number;
}

const resourceOf: Readonly<Record<Deployer["kind"], Resource>> = {
  Application: resources.applications,
  ApplicationSet: resources.applicationSets,
};

const poll = 50;
/** Somebody else's change comes before ours: its controllers write all the time. */
const attempts = 20;

export class ArgoCd implements GitOps {
  readonly #options: ArgoOptions;

  constructor(options: ArgoOptions) {
    this.#options = options;
  }

  async deployersOf(objects: readonly ManagedObject[]): Promise<readonly Deployer[]> {
    return deployersOf(objects, await this.#all());
  }

  /** The outermost first: a parent that still syncs could take back what is changed on its children. */
  async freeze(deployers: readonly Deployer[], operation: string, signal: AbortSignal): Promise<void> {
    const freezing = { operation, now: new Date(this.#options.clock.now()).toISOString() };
    for (const deployer of deployers) {
      if (deployer.kind === "ApplicationSet")
        await this.#change<ApplicationSet>(deployer, (set) => setPatch(set, freezing));
      else await this.#freezeApplication(deployer, freezing, signal);
    }
    await this.#demandHeld(deployers, operation);
  }

  async frozenBy(deployers: readonly Deployer[], operation: string): Promise<"all" | "some" | "none"> {
    const present = await Promise.all(deployers.map((deployer) => this.#get(deployer)));
    const frozen = present.filter((object) => object === undefined || isFrozenBy(object, operation));
    if (frozen.length === deployers.length) return "all";
    return frozen.length === 0 ? "none" : "some";
  }

  /** The innermost first: who deploys the others is let go when they are as git has them. */
  async thaw(deployers: readonly Deployer[], operation: string): Promise<void> {
    for (const deployer of deployers.toReversed())
      await this.#change(deployer, (object) => thawPatch(object, operation));
  }

  async look(objects: readonly ManagedObject[]): Promise<ReadonlyMap<ManagedObject, DeployedObject>> {
    const { applications } = await this.#all();
    return new Map(
      objects.flatMap((object) => {
        const application = applications.find((candidate) => deploys(candidate, object));
        return application === undefined ? [] : [[object, saidBy(application, object)] as const];
      }),
    );
  }

  async #all(): Promise<Deployers> {
    const { kubernetes } = this.#options;
    const [applications = [], sets = []] = await Promise.all([
      listIfServed<Application>(kubernetes, resources.applications),
      listIfServed<ApplicationSet>(kubernetes, resources.applicationSets),
    ]);
    return { applications, sets };
  }

  #get<T extends KubeObject>({ kind, namespace, name }: Deployer): Promise<T | undefined> {
    return this.#options.kubernetes.get<T>(resourceOf[kind], { namespace, name });
  }

  #change<T extends KubeObject>(
    { kind, namespace, name }: Deployer,
    change: (object: T) => object | undefined,
  ): Promise<T | undefined> {
    const { kubernetes } = this.#options;
    return changeObject<T>({ kubernetes, resource: resourceOf[kind], name: { namespace, name }, attempts }, change);
  }

  async #freezeApplication(
    deployer: Deployer,
    freezing: { readonly operation: string; readonly now: string },
    signal: AbortSignal,
  ): Promise<void> {
    const paused = await this.#change<Application>(deployer, (found) => pausePatch(found, freezing));
    if (paused === undefined) return;
    const { deletionTimestamp } = paused.metadata;
    // What is being deleted runs no operation any more, and its cascade is stopped by nothing else.
    if (deletionTimestamp === undefined) await this.#endOperation(deployer, signal);
    if (deletionTimestamp !== undefined || syncsByItself(paused))
      await this.#change<Application>(deployer, (found) => skipPatch(found, freezing));
  }

  /** A sync under way would go on by the commit that it began with, whatever is switched off since. */
  async #endOperation(deployer: Deployer, signal: AbortSignal): Promise<void> {
    const { clock, timeout } = this.#options;
    const deadline = clock.now() + timeout;
    for (;;) {
      const phase = await this.#terminate(deployer);
      if (phase !== "Running" && phase !== "Terminating") return;
      if (clock.now() > deadline)
        throw notFrozen(deployer, "a sync of it is under way and does not end, though it was told to");
      await clock.sleep(poll, signal);
    }
  }

  /** Gives the phase of its operation, "Running" also of one that has yet to begin. */
  async #terminate(deployer: Deployer): Promise<string | undefined> {
    const phaseOf = ({ operation, status }: Application): string | undefined =>
      operation === undefined ? status?.operationState?.phase : "Running";
    const found = await this.#change<Application>(deployer, (application) =>
      application.status?.operationState?.phase === "Running"
        ? { status: { operationState: { phase: "Terminating" } } }
        : undefined,
    );
    return found === undefined ? undefined : phaseOf(found);
  }

  /** A parent that we do not know of, or a controller that was told to ignore what sets say, may have taken it back. */
  async #demandHeld(deployers: readonly Deployer[], operation: string): Promise<void> {
    for (const deployer of deployers) {
      const object = await this.#get<Application>(deployer);
      if (object === undefined) continue;
      const isHeld =
        isFrozenBy(object, operation) &&
        (deployer.kind === "ApplicationSet" || !syncsByItself(object)) &&
        (object.metadata.deletionTimestamp === undefined || isSkipped(object));
      if (!isHeld) throw notFrozen(deployer, "something took back at once what was set on it");
    }
  }
}

const saidBy = (application: Application, object: ManagedObject): DeployedObject => {
  const { metadata } = application;
  return {
    deployer: { kind: "Application", namespace: metadata.namespace ?? "", name: metadata.name },
    removedFromGit: resourceIn(application, object)?.requiresPruning === true,
    revision: revisionOf(application),
    source: sourceText(application),
  };
};

const notFrozen = (deployer: Deployer, why: string): Failure =>
  new Failure("GITOPS_NOT_FROZEN", {
    what: `${deployerKey(deployer)} cannot be made to stand still.`,
    why,
    todo: "Switch its automated sync off in git, or scale statefulset/argocd-application-controller and deployment/argocd-applicationset-controller to 0, then run it again.",
  });
