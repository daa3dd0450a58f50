/** The commit that cost its owner two apps' data: it removes the claims from git, and Argo CD prunes what git has not. */
import type { PersistentVolumeClaim, PersistentVolumeClaimList } from "kubernetes-types/core/v1.d.ts";
import type { AppDefinition } from "../apps/app.ts";
import { mediaApps } from "../apps/media.ts";
import type { ClaimName } from "../checking.ts";
import type { Kubectl } from "../site/kubectl.ts";
import { waitFor } from "../wait-for.ts";
import { claimFile, repositoryDir } from "./homelab.ts";
import type { RunningLab } from "./install.ts";
import { outcomeOf, type Outcome } from "./outcome.ts";
import { openRepository, type Repository } from "./repository.ts";
import { type Application, describeApplication, readApplications, refresh, waitForApplications } from "./state.ts";

/** First line of the commit. */
const title = "Remove unused persistent volume claims";

/** Those whose data was lost. */
export const incidentApps: readonly AppDefinition[] = mediaApps.filter(({ name }) =>
  ["sonarr", "radarr"].includes(name),
);

/** What became of a claim that the commit removed. */
export interface Victim extends ClaimName {
  readonly application: Application;
  /** Undefined when it is gone. */
  readonly object: PersistentVolumeClaim | undefined;
  /** Undefined when Argo CD has not acted yet. */
  readonly outcome: Outcome | undefined;
}

export interface Incident {
  /** The commit that Argo CD has acted on. */
  readonly revision: string;
  readonly victims: readonly Victim[];
}

const claimFiles = (apps: readonly AppDefinition[]): readonly string[] =>
  apps.flatMap((app) => app.claims.map(({ name }) => claimFile(app, name)));

const readClaims = async (kubectl: Kubectl): Promise<readonly PersistentVolumeClaim[]> =>
  (JSON.parse(await kubectl(["get", "persistentvolumeclaims", "-A", "-o", "json"])) as PersistentVolumeClaimList).items;

/** Reads Applications first: what they call done can then be seen on the claims. */
const readVictims = async (
  kubectl: Kubectl,
  apps: readonly AppDefinition[],
  revision: string,
): Promise<readonly Victim[]> => {
  const applications = await readApplications(kubectl);
  const present = await readClaims(kubectl);
  return apps.flatMap(({ name, namespace, claims }) => {
    const application = applications.find(({ metadata }) => metadata.name === name);
    if (application === undefined) throw new Error(`there is no Application ${name}`);
    return claims.map(({ name: claim }) => {
      const object = present.find(({ metadata }) => metadata?.namespace === namespace && metadata.name === claim);
      return {
        namespace,
        claim,
        application,
        object,
        outcome: outcomeOf({ claim: { namespace, claim }, application, object, revision }),
      };
    });
  });
};

/** A sync that has just begun has nothing to say yet, and before each of its many Argo CD forgets the last one. */
const saysSomething = ({ status }: Application): boolean => {
  const { phase, message = "" } = status?.operationState ?? {};
  return phase !== undefined && (phase !== "Running" || message !== "");
};

/** Commits the removal of the apps' claims; gives the commit, or the earlier one where they are gone from git already. */
const removeFromGit = async (repository: Repository, apps: readonly AppDefinition[]): Promise<string> => {
  const files = new Set(await repository.files());
  const remove = claimFiles(apps).filter((file) => files.has(file));
  return remove.length === 0 ? repository.head() : repository.commit(title, { remove });
};

/**
 * Removes the claims of apps from git, and waits until Argo CD has acted: each claim is being deleted or gone, or Argo CD
 * is through with the commit and has left it alone.
 */
export const prune = async (
  { lab, kubectl }: Pick<RunningLab, "lab" | "kubectl">,
  apps: readonly AppDefinition[] = incidentApps,
): Promise<Incident> => {
  const revision = await removeFromGit(openRepository(repositoryDir(lab)), apps);
  await refresh(
    kubectl,
    apps.map(({ name }) => name),
  );
  let victims: readonly Victim[] = [];
  try {
    await waitFor("Argo CD's answer to the commit", 120, async () => {
      victims = await readVictims(kubectl, apps, revision);
      return victims.every(({ outcome, application }) => outcome !== undefined && saysSomething(application));
    });
  } catch (error) {
    const shown = describeIncident({ revision, victims });
    throw new Error([(error as Error).message, ...shown].join("\n"), { cause: error });
  }
  return { revision, victims };
};

/** Puts the claims back into git by reverting the commit, and waits until Argo CD has seen that. */
export const revert = async (
  { lab, kubectl }: Pick<RunningLab, "lab" | "kubectl">,
  apps: readonly AppDefinition[] = incidentApps,
): Promise<Incident> => {
  const repository = openRepository(repositoryDir(lab));
  const files = new Set(await repository.files());
  const commit = await repository.newestCalled(title);
  const isWhole = claimFiles(apps).every((file) => files.has(file));
  const revision = isWhole || commit === undefined ? await repository.head() : await repository.revert(commit);
  const names = apps.map(({ name }) => name);
  await refresh(kubectl, names);
  await waitForApplications(kubectl, names, {
    what: `at commit ${revision.slice(0, 7)}`,
    seconds: 60,
    isWanted: ({ status }) => status?.sync?.revision === revision,
  });
  return { revision, victims: await readVictims(kubectl, apps, revision) };
};

const describeClaim = (object: PersistentVolumeClaim | undefined): string => {
  if (object === undefined) return "gone";
  const { deletionTimestamp, finalizers = [] } = object.metadata ?? {};
  const phase = object.status?.phase ?? "without a phase";
  return deletionTimestamp === undefined
    ? phase
    : `${phase}, being deleted since ${deletionTimestamp}, held by ${finalizers.join(", ")}`;
};

/** What Argo CD shows of each app, and what has become of each claim, as lines. */
export const describeIncident = ({ revision, victims }: Incident): readonly string[] => [
  `commit ${revision.slice(0, 7)}`,
  ...victims.flatMap(({ namespace, claim, application, object, outcome }) => [
    `Application ${application.metadata.name}: ${describeApplication(application)}`,
    `claim ${namespace}/${claim}: ${outcome ?? "nothing has happened to it"} (${describeClaim(object)})`,
  ]),
];
