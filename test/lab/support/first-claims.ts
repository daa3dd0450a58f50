/** What has become of claims since they were first looked at, and what is in them. */
import { randomBytes } from "node:crypto";
import type { PersistentVolumeClaim, PersistentVolumeClaimList } from "kubernetes-types/core/v1.d.ts";
import type { AppName } from "../../../lab/apps/workload.ts";
import { holdingPod, readDirectories } from "../../../lab/claim-directory.ts";
import { runInside } from "../../../lab/site/daemon.ts";
import { applyObjects } from "../../../lab/site/kubectl.ts";
import type { RunningLab } from "../running-lab.ts";

/** Each app has one claim that counts, with its own name. */
export interface FirstClaims {
  readonly all: readonly AppName[];
  /** The PersistentVolume that it had at first. */
  volumeOf(app: AppName): string;
  /** "as it was", "being deleted", "gone", "a new one". */
  is(app: AppName): Promise<string>;
  /** Phase and reclaim policy of the volume that it had at first: "Released Delete"; "" when it is gone. */
  volumeIs(app: AppName): Promise<string>;
  /** "Bound to PersistentVolume", of the one that there is now. */
  now(app: AppName): Promise<string>;
}

/** The claims of some namespaces, as they are now. */
const read = async (lab: RunningLab, namespaces: readonly string[]): Promise<readonly PersistentVolumeClaim[]> => {
  const { items } = await lab.get<PersistentVolumeClaimList>("persistentvolumeclaims", "-A");
  return items.filter(({ metadata }) => namespaces.includes(metadata?.namespace ?? ""));
};

const find = (claims: readonly PersistentVolumeClaim[], { namespace, name }: AppName) =>
  claims.find(({ metadata }) => metadata?.namespace === namespace && metadata.name === name);

export const rememberClaims = async (lab: RunningLab, namespaces: readonly string[]): Promise<FirstClaims> => {
  const before = await read(lab, namespaces);
  const firstOf = (app: AppName): PersistentVolumeClaim => {
    const found = find(before, app);
    if (found === undefined) throw new Error(`${app.name} had no claim`);
    return found;
  };
  const volumeOf = (app: AppName): string => firstOf(app).spec?.volumeName ?? "";
  return {
    all: before.map(({ metadata }) => ({ namespace: metadata?.namespace ?? "", name: metadata?.name ?? "" })),
    volumeOf,
    is: async (app) => {
      const found = find(await read(lab, namespaces), app);
      if (found === undefined) return "gone";
      if (found.metadata?.deletionTimestamp !== undefined) return "being deleted";
      return found.metadata?.uid === firstOf(app).metadata?.uid ? "as it was" : "a new one";
    },
    volumeIs: (app) => {
      const is = "-o=jsonpath={.status.phase} {.spec.persistentVolumeReclaimPolicy}";
      return lab.kubectl(["get", "persistentvolume", volumeOf(app), "--ignore-not-found", is]);
    },
    now: async (app) => {
      const found = find(await read(lab, namespaces), app);
      return `${found?.status?.phase} to ${found?.spec?.volumeName}`;
    },
  };
};

/** Runs a shell script as root in the directory of each claim of a namespace, whose name is $2; gives what each said. */
const inClaims = async (lab: RunningLab, apps: readonly AppName[], script: string): Promise<readonly string[]> => {
  const [{ namespace } = { namespace: "" }] = apps;
  const claims = apps.map(({ name }) => name);
  const pod = { namespace, name: `looking-${randomBytes(4).toString("hex")}` };
  await applyObjects(lab.kubectl, [holdingPod(pod, claims)]);
  await lab.kubectl(["-n", namespace, "wait", "--for=condition=Ready", `pod/${pod.name}`, "--timeout=90s"]);
  try {
    const directories = await readDirectories(lab.kubectl);
    const said = claims.map(async (claim) => {
      const words = ["sh", "-ec", `cd "$1"; ${script}`, "sh", directories(pod, claim), claim];
      return (await runInside(lab.lab, "node", words)).stdout.trim();
    });
    return await Promise.all(said);
  } finally {
    await lab.kubectl(["-n", namespace, "delete", "pod", pod.name, "--wait=false"]);
  }
};

/** The claims of one namespace after the other; their order is lost. */
const inAll = async (lab: RunningLab, apps: readonly AppName[], script: string): Promise<readonly string[]> => {
  const spaces = [...new Set(apps.map(({ namespace }) => namespace))];
  const own = spaces.map((space) => apps.filter(({ namespace }) => namespace === space));
  return (await Promise.all(own.map((some) => inClaims(lab, some, script)))).flat();
};

/** Writes each claim's name into it. */
export const markClaims = async (lab: RunningLab, apps: readonly AppName[]): Promise<void> => {
  await inAll(lab, apps, 'echo "$2" >mark.txt; sync mark.txt');
};

/** What stands in them: their names, if they hold what they held. */
export const readMarks = async (lab: RunningLab, apps: readonly AppName[]): Promise<ReadonlySet<string>> =>
  new Set(await inAll(lab, apps, "cat mark.txt 2>/dev/null || echo nothing"));
