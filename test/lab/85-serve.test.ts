/**
 * `holdfast serve` on a real cluster: what it does by itself, and what becomes of it when it is killed, replaced and told to
 * end. What is deleted here lives in a namespace of its own; in the end nothing is guarded any more.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { PersistentVolume, PersistentVolumeClaim } from "kubernetes-types/core/v1.d.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { storageClassNames } from "../../lab/csi/manifests.ts";
import { holdingPod } from "../../lab/claim-directory.ts";
import { RunError } from "../../lab/shell/run.ts";
import { applyObjects } from "../../lab/site/kubectl.ts";
import { waitFor } from "../../lab/wait-for.ts";
import { openRunningLab, type RunningLab } from "./running-lab.ts";
import { answer, type RunningHoldfast, startHoldfast, succeed } from "./support/cli.ts";
import { type ClaimPath, makeClaim, pvOf, setReclaimPolicy } from "./support/cluster.ts";

const namespace = "serve-test";
const doomed: ClaimPath = [namespace, "doomed"];
const late: ClaimPath = [namespace, "late"];
const nfs = { storageClass: storageClassNames.nfs, size: "1Gi" };
const policies = "validatingadmissionpolicybinding,validatingadmissionpolicy";

let lab: RunningLab;
let before: readonly string[];
const servers: RunningHoldfast[] = [];

/** Starts one; any port that is free. */
const start = (...words: readonly string[]): RunningHoldfast => {
  const server = startHoldfast(["serve", "--listen", "127.0.0.1:0", ...words]);
  server.child.stderr?.on("data", (text: string) => said.set(server, (said.get(server) ?? "") + text));
  servers.push(server);
  return server;
};
const said = new Map<RunningHoldfast, string>();

/** Waits until it has said it; an error shows what it has said instead. */
const heard = async (server: RunningHoldfast, text: string, seconds = 40): Promise<void> => {
  const late = sleep(seconds * 1000, undefined, { ref: false }).then(() => {
    throw new Error(`not said within ${seconds} s: ${text}\n${said.get(server)}`);
  });
  await Promise.race([server.until(text), late]);
};

/** The one that was started last. */
const running = (): RunningHoldfast => {
  const server = servers.at(-1);
  if (server === undefined) throw new Error("no server was started");
  return server;
};

const ask = async (
  server: RunningHoldfast,
  path: string,
): Promise<{ readonly status: number; readonly text: string }> => {
  const [, url = ""] = /"text":"(http:\/\/[^"]+)"/.exec(said.get(server) ?? "") ?? [];
  const response = await fetch(`${url}${path}`);
  return { status: response.status, text: await response.text() };
};

const claim = ([space, name]: ClaimPath): Promise<PersistentVolumeClaim> => lab.get("-n", space, "pvc", name);
const policyOf = async (pv: string): Promise<string> =>
  (await lab.get<PersistentVolume>("pv", pv)).spec?.persistentVolumeReclaimPolicy ?? "";
const exists = async ([space, name]: ClaimPath): Promise<boolean> =>
  (await lab.kubectl(["-n", space, "get", "pvc", name, "--ignore-not-found", "-o", "name"])) !== "";
const remove = ([space, name]: ClaimPath): Promise<string> =>
  lab.kubectl(["-n", space, "delete", "pvc", name, "--wait=false"]);
const isAccepted = async ([space, name]: ClaimPath): Promise<boolean> => {
  try {
    await lab.kubectl(["-n", space, "delete", "pvc", name, "--dry-run=server"]);
    return true;
  } catch (error) {
    if (error instanceof RunError) return false;
    throw error;
  }
};
const reasons = async (): Promise<readonly string[]> => {
  const { items } = await lab.get<{ readonly items: readonly { readonly reason: string }[] }>(
    "events",
    "-n",
    namespace,
  );
  return items.map(({ reason }) => reason);
};

/** Each PV with its reclaim policy, and everything of the guard's. */
const traces = async (): Promise<readonly string[]> => {
  const kinds = `pvc,pv,namespaces,statefulsets,${policies}`;
  const { items } = await lab.get<{ readonly items: readonly PersistentVolume[] }>(kinds, "-A");
  return items.flatMap(tracesOf);
};

const tracesOf = ({ kind, metadata, spec }: PersistentVolume): readonly string[] => {
  const name = `${kind} ${metadata?.namespace ?? ""}/${metadata?.name}`;
  const ours = JSON.stringify([metadata?.annotations, metadata?.finalizers]);
  const isMarked = /holdfast\.dev\/(?:guard|allow|reclaim)/.test(ours);
  const isPolicy = metadata?.name?.startsWith("holdfast-guard") === true;
  return [
    ...(isMarked || isPolicy ? [`${name} is marked`] : []),
    ...(kind === "PersistentVolume" ? [`${name}: ${spec?.persistentVolumeReclaimPolicy}`] : []),
  ];
};

/** Ends it and gives its exit status. */
const end = async ({ child, ended }: RunningHoldfast): Promise<number | null> => {
  child.kill("SIGTERM");
  return (await ended).status;
};

/** Whether a driver is still to delete what tests before this one let go. */
const isDriverBusy = async (): Promise<boolean> => {
  const { items } = await lab.get<{ readonly items: readonly PersistentVolume[] }>("pv");
  return items.some(
    ({ spec, status }) => status?.phase !== "Bound" && spec?.persistentVolumeReclaimPolicy === "Delete",
  );
};

beforeAll(async () => {
  lab = await openRunningLab();
  // What is on its way out would be kept as well.
  await waitFor("the driver is through", 60, async () => !(await isDriverBusy()));
  before = await traces();
  await applyObjects(lab.kubectl, [{ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } }]);
  await makeClaim(lab, doomed, nfs);
  await applyObjects(lab.kubectl, [holdingPod({ namespace, name: "user" }, [doomed[1]])]);
  await lab.kubectl(["-n", namespace, "wait", "--for=condition=Ready", "pod/user", "--timeout=60s"]);
});

afterAll(async () => {
  for (const { child } of servers) child.kill("SIGKILL");
  await succeed(["guard", "off", "--yes"]);
  await lab.kubectl(["delete", "namespace", namespace, "--ignore-not-found", "--wait=false"]);
});

describe("holdfast serve", () => {
  it("keeps the bytes of an unguarded claim that is deleted while a pod uses it", async () => {
    const server = start("--mode", "off");
    await heard(server, '"event":"leading"');
    await waitFor("it is ready", 20, async () => (await ask(server, "/readyz")).status === 200);
    const pv = await pvOf(lab, doomed);
    expect(await policyOf(pv)).toBe("Delete");
    await remove(doomed);
    await heard(server, '"event":"retained"');
    expect(await policyOf(pv)).toBe("Retain");
    expect((await ask(server, "/metrics")).text).toContain("holdfast_guard_retained_total 1\n");
    await waitFor("the Event is there", 10, async () => (await reasons()).includes("HoldfastRetained"));
    await lab.kubectl(["-n", namespace, "delete", "pod", "user", "--grace-period=0"]);
    await waitFor("the claim is gone", 30, async () => !(await exists(doomed)));
    expect((await lab.get<PersistentVolume>("pv", pv)).status?.phase).toBe("Released");
    expect((await ask(server, "/healthz")).status).toBe(200);
    server.child.kill("SIGKILL");
    await server.ended;
  });

  it("comes back after it was killed, and guards everything, a new claim too", async () => {
    const server = start();
    await heard(server, '"event":"leading"');
    await heard(server, '"event":"operation"');
    await makeClaim(lab, late, nfs);
    await heard(server, `guard ${late.join("/")}, mode deny, by holdfast serve`);
    expect(await policyOf(await pvOf(lab, late))).toBe("Retain");
    const { guarded } = await answer<{ readonly guarded: boolean }>(["guard", "status"]);
    expect(guarded).toBe(true);
    expect((await ask(server, "/metrics")).text).toMatch(/^holdfast_leader 1$/m);
    await expect(remove(late)).rejects.toThrow(RunError);
  });

  it("closes an opening when its time is over", async () => {
    await succeed(["guard", "allow-delete", late.join("/"), "--for", "4s", "--yes"]);
    await heard(running(), "withdraw the permission to delete");
    await expect(remove(late)).rejects.toThrow(RunError);
    expect((await claim(late)).metadata?.finalizers).toContain("holdfast.dev/guard");
  });

  it("ends on SIGTERM with status 0, and another one takes over", async () => {
    const first = running();
    const second = start();
    await heard(second, '"event":"standing-by"');
    expect((await ask(second, "/readyz")).status).toBe(200);
    expect(await end(first)).toBe(0);
    await heard(second, '"event":"leading"');
    expect(await end(second)).toBe(0);
  });

  it("lets a guarded claim go that was deleted past the policy, once its bytes are safe", async () => {
    const pv = await pvOf(lab, late);
    await lab.kubectl(["delete", policies, "holdfast-guard"]);
    await waitFor("the policy is not in force any more", 20, async () => isAccepted(late));
    await remove(late);
    expect((await claim(late)).metadata?.deletionTimestamp).toBeDefined();
    const server = start();
    await heard(server, '"event":"let-go"');
    await waitFor("the claim is gone", 20, async () => !(await exists(late)));
    expect(await policyOf(pv)).toBe("Retain");
    expect(await reasons()).toContain("HoldfastLetGo");
    await waitFor("the policy is back", 20, async () =>
      (await lab.kubectl(["get", policies, "-o", "name"])).includes("holdfast-guard"),
    );
    expect(await end(server)).toBe(0);
  });

  it("leaves a cluster that `guard off` brings back to what it was", async () => {
    await succeed(["guard", "off", "--yes"]);
    const { items } = await lab.get<{ readonly items: readonly PersistentVolume[] }>("pv");
    const ours = items.filter(({ spec }) => spec?.claimRef?.namespace === namespace);
    expect(ours.map(({ status, spec }) => [status?.phase, spec?.persistentVolumeReclaimPolicy])).toEqual([
      ["Released", "Retain"],
      ["Released", "Retain"],
    ]);
    const names = ours.map(({ metadata }) => metadata?.name ?? "");
    for (const name of names) await setReclaimPolicy(lab, name, "Delete");
    await waitFor("the driver has them", 60, async () => {
      const left = await lab.kubectl(["get", "pv", "-o", "name"]);
      return names.every((name) => !left.includes(name));
    });
    await lab.kubectl(["-n", "holdfast", "delete", "configmaps", "-l", "holdfast.dev/journal"]);
    expect(await traces()).toEqual(before);
  });
});
