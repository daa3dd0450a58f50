/** Volumes that were deleted for real, and come back from what is left of them: claim, PersistentVolume, dataset, copy. */
import type { StatefulSet } from "kubernetes-types/apps/v1.d.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { storageClassNames } from "../../lab/csi/manifests.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { applyObjects } from "../../lab/site/kubectl.ts";
import { openRunningLab, type RunningLab } from "./running-lab.ts";
import { answer, holdfast, startHoldfast, succeed } from "./support/cli.ts";
import {
  checkRestored,
  type ClaimPath,
  inClaim,
  leftovers,
  makeClaim,
  pvOf,
  removeClaim,
  replicas,
  setReclaimPolicy,
  sleeper,
} from "./support/cluster.ts";
import { clearFaults, planFault } from "./support/nas-faults.ts";

let lab: RunningLab;

const classes = ["nfs", "iscsi"] as const;
const claimOf = (kind: (typeof classes)[number]): ClaimPath => ["misc", `deleted-${kind}`];

const remove = ([namespace, name]: ClaimPath, ...words: readonly string[]): Promise<string> =>
  lab.kubectl(["-n", namespace, "delete", "pvc", name, ...words]);
const read = async (claim: ClaimPath): Promise<string> => (await inClaim(lab, claim, "cat mark.txt")).trim();
const phaseOf = async ([namespace, name]: ClaimPath): Promise<string> =>
  (await lab.kubectl(["-n", namespace, "get", "pvc", name, "-o", "jsonpath={.status.phase}"])).trim();

const pvcsIn = (namespace: string): Promise<string> =>
  lab.kubectl(["-n", namespace, "get", "persistentvolumeclaims", "-o", "name"]);
/** The driver has begun to delete a volume, and could not. */
const isRefused = async (pv: string): Promise<boolean> => {
  const selector = `--field-selector=involvedObject.name=${pv},reason=VolumeFailedDelete`;
  return (await lab.kubectl(["get", "events", "-A", selector, "-o", "name"])) !== "";
};

interface Planned {
  readonly volume: string;
  readonly remains: string;
}

/** What an undelete would do with each volume. */
const planned = async (names: readonly string[]): Promise<readonly Planned[]> => {
  const { plan } = JSON.parse(await succeed(["undelete", ...names, "--dry-run", "--json"])) as {
    readonly plan: { readonly volumes: readonly Planned[] };
  };
  return plan.volumes;
};

beforeAll(async () => {
  lab = await openRunningLab();
  for (const kind of classes) {
    await makeClaim(lab, claimOf(kind), { storageClass: storageClassNames[kind], size: "1Gi" });
    await inClaim(lab, claimOf(kind), `echo ${kind} >mark.txt; sync mark.txt`);
  }
  await succeed(["backup", "--wait"]);
});
afterAll(async () => {
  for (const kind of classes) {
    const claim = claimOf(kind);
    await setReclaimPolicy(lab, await pvOf(lab, claim), "Delete");
    await removeClaim(lab, claim);
  }
});

describe("a claim that is being deleted while its app runs", () => {
  const radarr: ClaimPath = ["media", "radarr"];

  it("is bound to the same volume again, and the app has all that it had", async () => {
    const [before, pv] = [await replicas(lab), await pvOf(lab, radarr)];
    await remove(radarr, "--wait=false");
    await succeed(["undelete", "media/radarr", "--yes"]);
    expect([await pvOf(lab, radarr), await phaseOf(radarr)]).toEqual([pv, "Bound"]);
    expect(await replicas(lab)).toEqual(before);
    const checked = await checkRestored(lab, { namespace: "media", claim: "radarr" });
    expect(checked.mismatches).toEqual([]);
    expect(checked.chain?.ok).toBe(true);
    expect(await leftovers(lab)).toEqual([]);
    await setReclaimPolicy(lab, pv, "Delete");
  });

  it("is not deleted, once it is back", async () => {
    const ran = await holdfast(["undelete", "media/radarr", "--yes"]);
    expect(ran).toMatchObject({ status: 2, stderr: expect.stringContaining("(NOT_DELETED)") as string });
  });
});

describe.each(classes)("a volume of the class for %s", (kind) => {
  const claim = claimOf(kind);
  const name = claim.join("/");

  it("comes back from its PersistentVolume", async () => {
    const pv = await pvOf(lab, claim);
    await setReclaimPolicy(lab, pv, "Retain");
    await remove(claim);
    await succeed(["undelete", name, "--yes"]);
    expect([await pvOf(lab, claim), await read(claim)]).toEqual([pv, kind]);
  });

  it("comes back from its dataset, when the PersistentVolume is gone too", async () => {
    const pv = await pvOf(lab, claim);
    await remove(claim);
    await lab.kubectl(["delete", "pv", pv]);
    expect(await planned([name])).toMatchObject([{ volume: name, remains: "dataset" }]);
    await succeed(["undelete", name, "--yes"]);
    expect([await pvOf(lab, claim), await read(claim)]).toEqual([pv, kind]);
  });

  it("comes back from Velero's copy, when the driver has destroyed the dataset", async () => {
    const pv = await pvOf(lab, claim);
    await setReclaimPolicy(lab, pv, "Delete");
    await remove(claim);
    await waitFor(`${pv} gone`, 60, async () => !(await lab.kubectl(["get", "pv", "-o", "name"])).includes(pv));
    await succeed(["undelete", name, "--yes"]);
    expect(await pvOf(lab, claim)).not.toBe(pv);
    expect(await read(claim)).toBe(kind);
    expect(await leftovers(lab)).toEqual([]);
  });
});

describe("volumes that the driver is about to destroy", () => {
  it("come back both at once, each with its export, which went first", async () => {
    const pvs = await Promise.all(classes.map((kind) => pvOf(lab, claimOf(kind))));
    await planFault(lab, { method: "pool.dataset.delete", times: 1000, fault: { kind: "read-only" } });
    for (const pv of pvs) await setReclaimPolicy(lab, pv, "Delete");
    for (const kind of classes) await remove(claimOf(kind));
    for (const pv of pvs) await waitFor(`the driver's refusal of ${pv}`, 60, () => isRefused(pv));
    await succeed(["undelete", ...classes.map((kind) => claimOf(kind).join("/")), "--yes"]);
    await clearFaults(lab);
    expect(await Promise.all(classes.map((kind) => pvOf(lab, claimOf(kind))))).toEqual(pvs);
    for (const kind of classes) expect(await read(claimOf(kind))).toBe(kind);
  });
});

describe("a namespace that was deleted", () => {
  const space = "deleted-space";
  const claim: ClaimPath = [space, "data"];
  const exists = async (): Promise<boolean> =>
    (await lab.kubectl(["get", "namespace", space, "--ignore-not-found", "-o", "name"])) !== "";

  beforeAll(async () => {
    const metadata = { name: space, labels: { "example.com/kept": "yes" } };
    await applyObjects(lab.kubectl, [{ apiVersion: "v1", kind: "Namespace", metadata }]);
    await makeClaim(lab, claim, { storageClass: storageClassNames.nfs, size: "1Gi" });
    await inClaim(lab, claim, "echo space >mark.txt; sync mark.txt");
    await setReclaimPolicy(lab, await pvOf(lab, claim), "Retain");
  });
  afterAll(async () => {
    await setReclaimPolicy(lab, await pvOf(lab, claim), "Delete");
    await lab.kubectl(["delete", "namespace", space, "--timeout=60s"]);
  });

  it("is made again for the volume that was in it", async () => {
    const pv = await pvOf(lab, claim);
    await lab.kubectl(["delete", "namespace", space, "--timeout=60s"]);
    expect(await exists()).toBe(false);
    await succeed(["undelete", claim.join("/"), "--yes"]);
    expect([await pvOf(lab, claim), await read(claim)]).toEqual([pv, "space"]);
  });

  it("is waited for while it is on its way out, and made again as it was", async () => {
    const pv = await pvOf(lab, claim);
    const held = { name: "held", namespace: space, finalizers: ["example.com/held"] };
    await lab.kubectl(["label", "namespace", space, "example.com/kept=yes"]);
    await applyObjects(lab.kubectl, [{ apiVersion: "v1", kind: "ConfigMap", metadata: held }]);
    await lab.kubectl(["delete", "namespace", space, "--wait=false"]);
    await waitFor("the claim to go", 60, async () => (await pvcsIn(space)) === "");
    const undeleting = startHoldfast(["undelete", claim.join("/"), "--yes"]);
    await undeleting.until("wait until the namespace");
    expect(await exists()).toBe(true);
    await lab.kubectl(["-n", space, "patch", "configmap", "held", "-p", '{"metadata":{"finalizers":null}}']);
    expect(await undeleting.ended).toMatchObject({ status: 0 });
    expect([await pvOf(lab, claim), await read(claim)]).toEqual([pv, "space"]);
    const label = await lab.kubectl([
      "get",
      "namespace",
      space,
      "-o",
      "jsonpath={.metadata.labels.example\\.com/kept}",
    ]);
    expect(label).toBe("yes");
  });
});

describe("a StatefulSet that takes its claims along (whenDeleted: Delete)", () => {
  const set = { name: "deleting", namespace: "misc" };
  const claim: ClaimPath = [set.namespace, `data-${set.name}-0`];
  const statefulSet: StatefulSet = {
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: set,
    spec: {
      replicas: 1,
      serviceName: set.name,
      persistentVolumeClaimRetentionPolicy: { whenDeleted: "Delete" },
      selector: { matchLabels: { "app.kubernetes.io/name": set.name } },
      template: {
        metadata: { labels: { "app.kubernetes.io/name": set.name } },
        spec: {
          terminationGracePeriodSeconds: 0,
          containers: [sleeper({ name: "data", mountPath: "/data" })],
        },
      },
      volumeClaimTemplates: [
        {
          metadata: { name: "data" },
          spec: {
            accessModes: ["ReadWriteOnce"],
            storageClassName: storageClassNames.iscsi,
            resources: { requests: { storage: "1Gi" } },
          },
        },
      ],
    },
  };
  const apply = async (): Promise<void> => {
    await applyObjects(lab.kubectl, [statefulSet]);
    await lab.kubectl(["-n", set.namespace, "rollout", "status", `statefulset/${set.name}`, "--timeout=90s"]);
  };
  const inPod = (script: string): Promise<string> =>
    lab.kubectl(["-n", set.namespace, "exec", `${set.name}-0`, "--", "sh", "-c", script]);

  it("gets its volume back, and starts on it when it is applied again", async () => {
    await apply();
    const pv = await pvOf(lab, claim);
    await inPod("echo set >/data/mark.txt; sync /data/mark.txt");
    await setReclaimPolicy(lab, pv, "Retain");
    await lab.kubectl(["-n", set.namespace, "delete", "statefulset", set.name]);
    await waitFor("the claim to go", 60, async () => !(await pvcsIn(set.namespace)).includes(claim[1]));
    await succeed(["undelete", claim.join("/"), "--yes"]);
    await apply();
    expect([await pvOf(lab, claim), await inPod("cat /data/mark.txt")]).toEqual([pv, "set\n"]);
    await setReclaimPolicy(lab, pv, "Delete");
    await lab.kubectl(["-n", set.namespace, "delete", "statefulset", set.name]);
    await waitFor("the volume to go", 60, async () => !(await lab.kubectl(["get", "pv", "-o", "name"])).includes(pv));
  });
});

describe("without a name", () => {
  it("finds nothing of all that any more", async () => {
    const own = new Set([...classes.map((kind) => claimOf(kind).join("/")), "media/radarr"]);
    expect((await planned([])).filter(({ volume }) => own.has(volume))).toEqual([]);
  });

  it("leaves no orphan behind", async () => {
    const { orphans } = await answer<{ readonly orphans: readonly object[] }>(["nas", "orphans"]);
    expect(orphans).toEqual([]);
  });
});
