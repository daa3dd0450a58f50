/**
 * The guard on a real API server, without Argo CD: what it refuses, what it lets pass, what it leaves behind. What is really
 * deleted here lives in namespaces of its own.
 */
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { PersistentVolume, PersistentVolumeClaim } from "kubernetes-types/core/v1.d.ts";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { storageClassNames } from "../../lab/csi/manifests.ts";
import { withoutSync } from "../../lab/nas/fuse.ts";
import { datasets } from "../../lab/nas/nas.ts";
import { run, RunError } from "../../lab/shell/run.ts";
import { runInside } from "../../lab/site/daemon.ts";
import { applyObjects } from "../../lab/site/kubectl.ts";
import { openRunningLab, type RunningLab } from "./running-lab.ts";
import type { OperationsAnswer } from "./support/answers.ts";
import { answer, holdfast, lines, succeed } from "./support/cli.ts";
import { type ClaimPath, inClaim, makeClaim, setReclaimPolicy, sleeper } from "./support/cluster.ts";

interface GuardStatus {
  readonly guarded: boolean;
  readonly policy: { readonly state: string };
  readonly volumes: readonly {
    readonly volume: string;
    readonly mode: string;
    readonly guarded: boolean;
    readonly layers: Readonly<Record<string, string>>;
    readonly exception?: { readonly code: string; readonly why: string };
    readonly problems: readonly string[];
    readonly allowDelete?: { readonly until: string; readonly isExpired: boolean };
  }[];
}

interface GuardCheck {
  readonly proven: boolean;
  readonly objects: readonly { readonly title: string; readonly answer: string; readonly why: string }[];
  readonly volumes: readonly {
    readonly volume: string;
    readonly paths: readonly { readonly id: string; readonly covered: boolean; readonly by: readonly string[] }[];
  }[];
}

const namespace = "guard-test";
const held: ClaimPath = [namespace, "held"];
const asked: ClaimPath = [namespace, "asked"];
const ephemeral = { namespace, name: "scratch-user" };
const restored: ClaimPath = [namespace, "restored"];
const spare: ClaimPath = ["guard-spare", "spare"];
const nfs = { storageClass: storageClassNames.nfs, size: "1Gi" };
const policy = "ValidatingAdmissionPolicy 'holdfast-guard' with binding 'holdfast-guard' denied request";

let lab: RunningLab;
let before: Readonly<Record<string, string>>;

/** kubectl as a user runs it; gives what it says when it is refused. `input`: its standard input. */
const refusal = async (words: readonly string[], input?: string): Promise<string> => {
  try {
    await lab.kubectl(words, input);
  } catch (error) {
    if (error instanceof RunError) return error.stderr;
    throw error;
  }
  throw new Error(`kubectl ${words.join(" ")} was not refused`);
};

const claim = ([space, name]: ClaimPath): Promise<PersistentVolumeClaim> => lab.get("-n", space, "pvc", name);

const volumeOf = async (path: ClaimPath): Promise<PersistentVolume> => {
  const { spec } = await claim(path);
  return lab.get("pv", spec?.volumeName ?? "");
};

const exists = async (kind: string, ...words: readonly string[]): Promise<boolean> =>
  (await lab.kubectl(["get", kind, ...words, "--ignore-not-found", "-o", "name"])) !== "";

const eventually = async (holds: () => Promise<boolean>, seconds = 60): Promise<void> => {
  for (let tried = 0; !(await holds()); tried += 1) {
    if (tried > seconds * 4) throw new Error(`not within ${seconds} s: ${holds.toString()}`);
    await sleep(250);
  }
};

interface Marked {
  readonly kind: string;
  readonly metadata: {
    readonly namespace?: string;
    readonly name: string;
    readonly annotations?: object;
    readonly finalizers?: readonly string[];
  };
}

/** Everything of the guard's on the whole cluster. */
const traces = async (): Promise<readonly string[]> => {
  const kinds = "pvc,pv,namespaces,statefulsets,validatingadmissionpolicies,validatingadmissionpolicybindings";
  const { items } = await lab.get<{ readonly items: readonly Marked[] }>(kinds, "-A");
  const isTrace = ({ metadata: { annotations = {}, finalizers = [], name } }: Marked): boolean =>
    [...Object.keys(annotations), ...finalizers].some((key) => /^holdfast\.dev\/(?:guard|allow|reclaim)/.test(key)) ||
    name.startsWith("holdfast-guard");
  return items.filter(isTrace).map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`);
};

/** Of the volumes of claims that stand: what an earlier test let go may still be on its way out. */
const reclaimPolicies = async (): Promise<Readonly<Record<string, string>>> => {
  const claims = await lab.get<{ readonly items: readonly PersistentVolumeClaim[] }>("pvc", "--all-namespaces");
  const used = new Set(
    claims.items
      .filter(({ metadata }) => metadata?.deletionTimestamp === undefined)
      .map(({ spec }) => spec?.volumeName),
  );
  const { items } = await lab.get<{ readonly items: readonly PersistentVolume[] }>("pv");
  return Object.fromEntries(
    items
      .filter(({ metadata }) => used.has(metadata?.name))
      .map(({ metadata, spec }) => [metadata?.name ?? "", spec?.persistentVolumeReclaimPolicy ?? ""]),
  );
};

const status = (...words: readonly string[]): Promise<GuardStatus> => answer(["guard", "status", ...words]);

const standing = async (path: ClaimPath) => {
  const name = path.join("/");
  const found = (await status(name)).volumes.find(({ volume }) => volume === name);
  if (found === undefined) throw new Error(`guard status has no ${name}`);
  return found;
};

/** A pod with an ephemeral volume: its claim lives and ends with it. */
const ephemeralPod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: ephemeral,
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [sleeper({ name: "scratch", mountPath: "/scratch" })],
    volumes: [
      {
        name: "scratch",
        ephemeral: {
          volumeClaimTemplate: {
            spec: {
              accessModes: ["ReadWriteOnce"],
              storageClassName: storageClassNames.nfs,
              resources: { requests: { storage: "1Gi" } },
            },
          },
        },
      },
    ],
  },
};

beforeAll(async () => {
  lab = await openRunningLab();
  for (const name of [namespace, spare[0]])
    await applyObjects(lab.kubectl, [{ apiVersion: "v1", kind: "Namespace", metadata: { name } }]);
  await applyObjects(lab.kubectl, [ephemeralPod]);
  for (const path of [held, asked, restored, spare]) await makeClaim(lab, path, nfs);
  await lab.kubectl(["-n", namespace, "wait", "--for=condition=Ready", `pod/${ephemeral.name}`, "--timeout=90s"]);
  expect(await traces()).toEqual([]);
  before = await reclaimPolicies();
});

afterAll(async () => {
  await holdfast(["guard", "off", "--yes"]);
  for (const name of [namespace, spare[0]])
    await lab.kubectl(["delete", "namespace", name, "--ignore-not-found", "--wait=false"]);
});

describe("guard on", () => {
  it("shows a plan and changes nothing when only that is asked for", async () => {
    const text = await succeed(["guard", "on", "--dry-run"]);
    expect(text).toMatch(/1\. set the PersistentVolumes of \d+ volumes to Retain/);
    expect(text).toMatch(/4\. let the API server refuse to delete what is guarded/);
    expect(text).toMatch(/not misc\/never-bound: it is not bound to a volume yet/);
    expect(text).toContain(`not ${namespace}/scratch-user-scratch: an ephemeral volume of pod scratch-user`);
    expect(await traces()).toEqual([]);
  });

  it("guards every long-lived volume, and the second time finds nothing to do", async () => {
    await succeed(["guard", "on", "--yes"]);
    const { guarded, policy: standingPolicy, volumes } = await status();
    expect({
      guarded,
      state: standingPolicy.state,
      bad: volumes.filter(({ problems }) => problems.length > 0),
    }).toEqual({
      guarded: true,
      state: "current",
      bad: [],
    });
    expect(
      volumes.filter(({ mode }) => mode === "off").map(({ volume, exception }) => [volume, exception?.code]),
    ).toEqual([
      [`${namespace}/scratch-user-scratch`, "ephemeral"],
      ["misc/never-bound", "not-bound"],
    ]);
    expect((await holdfast(["guard", "status"])).status).toBe(0);
    expect(await succeed(["guard", "on", "--yes"])).toContain("Nothing to do");
  });

  it("has set every guarded PersistentVolume to Retain", async () => {
    const now = await reclaimPolicies();
    const scratch = (await claim([namespace, "scratch-user-scratch"])).spec?.volumeName ?? "";
    expect(Object.entries(now).filter(([, value]) => value !== "Retain")).toEqual([[scratch, "Delete"]]);
  });

  it("gives no tool's annotations where there is no such tool", async () => {
    const { metadata } = await claim(["media", "sonarr"]);
    expect(Object.keys(metadata?.annotations ?? {}).filter((key) => key.includes("argocd"))).toEqual([]);
  });
});

describe("guard check", () => {
  it("asks for every deletion in a dry run, is refused each time by the policy, and deletes nothing", async () => {
    const ran = await holdfast(["guard", "check", "-o", "json"]);
    const { proven, objects, volumes } = JSON.parse(ran.stdout) as GuardCheck;
    expect(objects.filter((one) => one.answer !== "refused")).toEqual([]);
    expect({ proven, status: ran.status }).toEqual({ proven: true, status: 0 });
    const kinds = new Set(objects.map(({ title }) => title.split(" ")[0]));
    expect(kinds).toEqual(new Set(["PersistentVolumeClaim", "PersistentVolume", "Namespace", "StatefulSet"]));
    const postgres = volumes.find(({ volume }) => volume === "misc/data-postgres-like-0");
    expect(postgres?.paths.map(({ id, by }) => [id, by])).toEqual([
      ["namespace", ["refused", "held", "bytes stay"]],
      ["claim", ["refused", "held", "bytes stay"]],
      ["statefulset", ["refused", "held", "bytes stay"]],
      ["volume", ["refused", "bytes stay"]],
    ]);
  });
});

describe("what is refused", () => {
  it("kubectl delete pvc, with who asked and what to do when it is meant", async () => {
    const text = await refusal(["-n", "media", "delete", "pvc", "sonarr", "--wait=false"]);
    expect(text).toContain(`persistentvolumeclaims "sonarr" is forbidden: ${policy}`);
    expect(text).toMatch(
      /PersistentVolumeClaim media\/sonarr is guarded by Holdfast: it was not deleted \(asked by \S+\)\. If it is meant: holdfast guard allow-delete media\/sonarr/,
    );
  });

  it("kubectl delete pvc --all", async () => {
    const text = await refusal(["-n", "media", "delete", "pvc", "--all", "--wait=false"]);
    expect(text).toContain("PersistentVolumeClaim media/sonarr is guarded by Holdfast");
    expect(text).toContain("PersistentVolumeClaim media/radarr is guarded by Holdfast");
    const { items } = await lab.get<{ items: PersistentVolumeClaim[] }>("pvc", "-n", "media");
    expect(items.filter(({ metadata }) => metadata?.deletionTimestamp !== undefined)).toEqual([]);
  });

  it("a deletion of the whole collection in one request", async () => {
    const text = await refusal(["delete", "--raw", "/api/v1/namespaces/media/persistentvolumeclaims"]);
    expect(text).toContain("is guarded by Holdfast: it was not deleted");
  });

  it("kubectl delete namespace, which explains itself and does not hang", async () => {
    const text = await refusal(["delete", "namespace", "media", "--timeout=20s"]);
    expect(text).toContain("Namespace media is guarded by Holdfast: it was not deleted");
    expect(text).toContain("It holds guarded volumes, which `holdfast guard status` lists");
    expect(text).toContain("holdfast guard off media/");
    expect(await lab.get<Marked & { status: object }>("namespace", "media")).toMatchObject({
      status: { phase: "Active" },
    });
  });

  it("kubectl delete statefulset", async () => {
    const text = await refusal(["-n", "misc", "delete", "statefulset", "postgres-like", "--wait=false"]);
    expect(text).toContain("StatefulSet misc/postgres-like is guarded by Holdfast");
  });

  it("kubectl delete pv, naming the claim", async () => {
    const { metadata } = await volumeOf(["media", "sonarr"]);
    const text = await refusal(["delete", "pv", metadata?.name ?? "", "--wait=false"]);
    expect(text).toContain("holdfast guard allow-delete media/sonarr");
  });

  it.each([
    ["the annotation", ["pvc", "asked"], { metadata: { annotations: { "holdfast.dev/guard": null } } }],
    ["a weaker mode", ["pvc", "asked"], { metadata: { annotations: { "holdfast.dev/guard": "bin" } } }],
    ["every finalizer, as guides advise", ["pvc", "asked"], { metadata: { finalizers: null } }],
  ])("a patch that takes away %s", async (_, words, patch) => {
    const text = await refusal(["-n", namespace, "patch", ...words, "--type=merge", "-p", JSON.stringify(patch)]);
    expect(text).toContain("is guarded by Holdfast: this change would take the");
  });

  it("a patch by way of the status, too", async () => {
    const patch = JSON.stringify({ metadata: { annotations: { "holdfast.dev/guard": null } } });
    const words = ["-n", namespace, "patch", "pvc", "asked", "--subresource=status", "--type=merge", "-p", patch];
    expect(await refusal(words)).toContain("would take the annotation");
  });

  it("Retain turned into Delete", async () => {
    const { metadata } = await volumeOf(asked);
    const patch = JSON.stringify({ spec: { persistentVolumeReclaimPolicy: "Delete" } });
    const text = await refusal(["patch", "pv", metadata?.name ?? "", "-p", patch]);
    expect(text).toContain("would let its bytes go with the claim (Retain)");
  });

  it("kubectl replace that drops the guard, as Argo CD does with Replace=true", async () => {
    const { metadata, ...rest } = await lab.get<Marked>("namespace", namespace);
    const { name } = metadata;
    const bare = JSON.stringify({ ...rest, apiVersion: "v1", kind: "Namespace", metadata: { name } });
    const text = await refusal(["replace", "-f", "-"], bare);
    expect(text).toContain(`Namespace ${namespace} is guarded by Holdfast: this change would take the annotation`);
  });
});

describe("what passes", () => {
  it("an ephemeral volume's claim ends with its pod", async () => {
    await lab.kubectl(["-n", namespace, "delete", "pod", ephemeral.name, "--timeout=60s"]);
    await eventually(async () => !(await exists("pvc", "-n", namespace, "scratch-user-scratch")));
    expect(await exists("pvc", "-n", ...held)).toBe(true);
  });

  it("everyday changes to guarded objects", async () => {
    await lab.kubectl(["-n", namespace, "annotate", "pvc", "asked", "note=1"]);
    await lab.kubectl(["label", "namespace", namespace, "note=1"]);
    expect((await claim(asked)).metadata?.annotations).toMatchObject({ note: "1", "holdfast.dev/guard": "deny" });
  });
});

describe("mode hold", () => {
  it("accepts a deletion that undelete takes back: same volume, guarded as before", async () => {
    await succeed(["guard", "on", held.join("/"), "--mode", "hold", "--yes"]);
    const [pv, guarded] = [await volumeOf(held), await standing(held)];
    await lab.kubectl(["-n", held[0], "delete", "pvc", held[1], "--wait=false"]);
    await succeed(["undelete", held.join("/"), "--yes"]);
    expect((await volumeOf(held)).metadata?.name).toBe(pv.metadata?.name);
    expect(await standing(held)).toEqual(guarded);
  });

  it("accepts a deletion and holds the claim until it is answered; the bytes stay", async () => {
    const pv = await volumeOf(held);
    await lab.kubectl(["-n", held[0], "delete", "pvc", held[1], "--wait=false"]);
    await sleep(2000);
    const going = await claim(held);
    expect(going.metadata?.finalizers).toEqual(["holdfast.dev/guard"]);
    expect((await standing(held)).exception?.code).toBe("deleting");
    await succeed(["guard", "allow-delete", held.join("/"), "--yes"]);
    await eventually(async () => !(await exists("pvc", "-n", ...held)));
    const left = await lab.get<PersistentVolume>("pv", pv.metadata?.name ?? "");
    expect([left.status?.phase, left.spec?.persistentVolumeReclaimPolicy]).toEqual(["Released", "Retain"]);
  });
});

describe("guard allow-delete", () => {
  it("opens one claim, is withdrawn, and opens it again until the deletion that was meant", async () => {
    const name = asked.join("/");
    await succeed(["guard", "allow-delete", name, "--for", "2h", "--yes"]);
    const opened = await standing(asked);
    expect(opened).toMatchObject({ layers: { policy: "open", finalizer: "open" }, allowDelete: { isExpired: false } });
    await succeed(["guard", "allow-delete", name, "--withdraw", "--yes"]);
    expect(await refusal(["-n", asked[0], "delete", "pvc", asked[1], "--wait=false"])).toContain("is guarded");
    expect((await standing(asked)).layers).toMatchObject({ policy: "yes", finalizer: "yes" });
    await succeed(["guard", "allow-delete", name, "--yes"]);
    await lab.kubectl(["-n", asked[0], "delete", "pvc", asked[1], "--timeout=60s"]);
    expect(await exists("pvc", "-n", ...asked)).toBe(false);
  });
});

describe("a restore from a snapshot of a guarded volume", () => {
  const written = (text: string) => inClaim(lab, restored, `echo ${text} >mark.txt; sync mark.txt`);
  const read = async () => (await inClaim(lab, restored, "cat mark.txt")).trim();
  const layers = { retain: "yes", marks: "yes", finalizer: "yes", policy: "yes" };

  it("passes its own guard, and leaves the volume guarded; so does its undo; and it can be settled", async () => {
    const name = restored.join("/");
    await written("earlier");
    const { spec } = await volumeOf(restored);
    const dataset = `${datasets.nfs}/${spec?.csi?.volumeHandle}`;
    await runInside(lab.lab, "nas", [...withoutSync(), "zfs", "snapshot", `${dataset}@earlier`]);
    await written("present");
    await succeed(["restore", name, "--from", "zfs", "--snapshot", "earlier", "--yes"]);
    expect(await read()).toBe("earlier");
    expect(await standing(restored)).toMatchObject({ layers, problems: [] });
    await succeed(["undo", "--yes"]);
    expect(await read()).toBe("present");
    expect(await standing(restored)).toMatchObject({ layers, problems: [] });
    const { operations } = await answer<OperationsAnswer>(["operations"]);
    await succeed(["settle", operations[0]?.id ?? "", "--yes"]);
    expect(await standing(restored)).toMatchObject({ layers, problems: [] });
  });
});

/** The line of docs/guard.md that frees every claim when Holdfast is gone. */
const freeingLine = (): string => {
  const text = readFileSync(new URL("../../docs/guard.md", import.meta.url), "utf8");
  const found = /<!-- frees every finalizer -->\n+```sh\n([^\n]+)\n```/.exec(text)?.[1];
  if (found === undefined) throw new Error("docs/guard.md has no line that frees every finalizer");
  return found;
};

describe("a cluster whose Holdfast is gone", () => {
  it("refuses nothing once the policy is deleted, and the documented line frees every claim", async () => {
    await lab.kubectl(["delete", "validatingadmissionpolicybinding,validatingadmissionpolicy", "holdfast-guard"]);
    // The API server lets go of a policy within about a second.
    await sleep(3000);
    const PATH = `${dirname(lab.binary("kubectl"))}:${process.env["PATH"]}`;
    await run("sh", ["-ec", freeingLine()], { env: { PATH } });
    const { items } = await lab.get<{ items: readonly Marked[] }>("pvc", "-A");
    expect(items.filter(({ metadata }) => metadata.finalizers?.includes("holdfast.dev/guard") === true)).toEqual([]);
    // Others' finalizers are still there.
    expect((await claim(["media", "sonarr"])).metadata?.finalizers).toEqual(["kubernetes.io/pvc-protection"]);
    await lab.kubectl(["delete", "namespace", spare[0], "--timeout=90s"]);
  });

  it("shows what is missing, and guard on mends it", async () => {
    const { status: exit } = await holdfast(["guard", "status"]);
    expect(exit).toBe(4);
    expect((await standing(["media", "sonarr"])).problems).toEqual([
      "its finalizer is missing",
      "the admission policy is missing",
    ]);
    await succeed(["guard", "on", "--yes"]);
    expect((await status()).guarded).toBe(true);
  });
});

describe("guard off", () => {
  it("leaves nothing behind on what is there, gives the reclaim policies back, and says what it keeps", async () => {
    const { stdout } = await holdfast(["guard", "off", "--yes", "--json"]);
    const plan = lines<{ type: string; plan: { warnings: readonly string[] } }>(stdout).find(
      ({ type }) => type === "plan",
    );
    expect(plan?.plan.warnings.join("\n")).toContain(`it holds the bytes of ${held.join("/")}, which is gone`);
    const released = new Set(await traces());
    const kept = await lab.get<{ items: readonly PersistentVolume[] }>("pv");
    // Of these tests alone: what an earlier one let go may still be kept, or on its way out.
    const ours = new Set([namespace, spare[0]]);
    const ofGoneClaims = kept.items
      .filter(({ spec, status }) => status?.phase === "Released" && ours.has(spec?.claimRef?.namespace ?? ""))
      .map(({ metadata }) => metadata?.name);
    expect([...released]).toEqual(ofGoneClaims.map((name) => `PersistentVolume /${name}`));
    const now = await reclaimPolicies();
    expect(Object.entries(now).filter(([name, value]) => before[name] !== value)).toEqual([]);
    // Their bytes go too: the next test's NAS has no orphans.
    for (const name of ofGoneClaims) await setReclaimPolicy(lab, name ?? "", "Delete");
    for (const name of ofGoneClaims) await eventually(async () => !(await exists("pv", name ?? "")));
  });
});
