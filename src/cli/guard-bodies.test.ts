/** What the commands of the guard print, and how they end. How plans are carried out: `src/guard/protect/protect.test.ts`. */
import { describe, expect, it } from "vitest";
import { guardKey, openingKey, openingUntilKey } from "../guard/protect/mode.ts";
import { putApplication, putStatefulSet, putVolume } from "../guard/protect/testing/cluster.ts";
import { policyTwin } from "../guard/protect/testing/policy-twin.ts";
import { kindsFor, planNow } from "../guard/protect/testing/scene.ts";
import { OperationWorld } from "../operation/testing/process.ts";
import { leaseName } from "../operation/locks.ts";
import { serveLock } from "../server/names.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { jumpingClock } from "../systems/kubernetes/testing/world.ts";
import { allowDelete } from "./guard-allow-delete-body.ts";
import { showGuardCheck } from "./guard-check-body.ts";
import { setGuard } from "./guard-on-body.ts";
import { showGuardStatus } from "./guard-status-body.ts";
import { fakeWorld, type FakeWorld } from "./testing/fake-world.ts";

const claims = resources.persistentVolumeClaims;
const sonarr = { namespace: "media", name: "sonarr-config" };
const flags = { yes: true, dryRun: true, json: false, timeout: 1000 };
const table = { output: "table" } as const;
const json = { output: "json" } as const;

const ephemeral = { ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "web", uid: "u" }] };

const open = (): FakeWorld => {
  const place = fakeWorld();
  const { kubernetes } = place;
  kubernetes.admit(policyTwin);
  putVolume(kubernetes, "media/sonarr-config");
  putVolume(kubernetes, "media/web-scratch", { metadata: ephemeral });
  putStatefulSet(kubernetes, "db/postgres", "data");
  putVolume(kubernetes, "db/data-postgres-0");
  putApplication(kubernetes, "media", [{ kind: "PersistentVolumeClaim", ...sonarr }]);
  return place;
};

const guarded = async (mode: "deny" | "hold" | "bin" = "deny"): Promise<FakeWorld> => {
  const place = open();
  const world = new OperationWorld(jumpingClock(), place.kubernetes);
  await world.process(kindsFor(world.clock)).operations.start("op-1", await planNow(place.kubernetes, mode));
  return place;
};

interface StatusData {
  readonly guarded: boolean;
  readonly policy: { readonly state: string; readonly why?: string };
  readonly volumes: readonly {
    readonly volume: string;
    readonly layers: object;
    readonly problems: readonly string[];
  }[];
}
const statusData = async (place: FakeWorld, selector?: string): Promise<StatusData> => {
  await showGuardStatus(place.cli, place.world, json, selector);
  return JSON.parse(place.context.out()) as StatusData;
};

describe("holdfast guard off", () => {
  const off = async (place: FakeWorld): Promise<string> => {
    await setGuard(place.cli, place.world, flags, { mode: "off", selector: "sonarr-config" });
    return place.context.out();
  };

  it("says that a server that runs would guard it again", async () => {
    expect(await off(await guarded())).not.toContain("holdfast serve");
    const place = await guarded();
    const name = { namespace: "holdfast", name: leaseName(serveLock) };
    place.kubernetes.put(resources.leases, { metadata: name });
    expect(await off(place)).toContain("`holdfast serve` runs, and guards these volumes again within seconds.");
  });
});

describe("holdfast guard status", () => {
  it("shows every layer as it is, exceptions with their reason, and ends with 0", async () => {
    const place = await guarded();
    await showGuardStatus(place.cli, place.world, table);
    const lines = place.context.out().split("\n");
    expect(lines[0]).toMatch(/^VOLUME +MODE +RETAIN +MARKS +GITOPS +FINALIZER +POLICY +REASON$/);
    expect(lines[1]).toMatch(/^db\/data-postgres-0 +deny +yes +yes +yes +yes +yes$/);
    expect(lines[3]).toMatch(
      /^media\/web-scratch +off +no +- +- +- +- +an ephemeral volume of pod web: it lives and ends/,
    );
    expect(lines.slice(4).join("\n")).toContain("2 volumes are guarded, 1 rightly not.\nAdmission policy: in force.");
    expect(place.status()).toBeUndefined();
  });

  it("ends with 4 when nothing is guarded, and says so of each", async () => {
    const place = open();
    await showGuardStatus(place.cli, place.world, table);
    expect(place.context.out()).toMatch(/media\/sonarr-config +off .*it is not guarded/);
    expect(place.context.out()).toContain("2 of 2 volumes are NOT guarded as they should be: `holdfast guard on`.");
    expect(place.status()).toBe(4);
  });

  it.each([
    ["the policy", "the admission policy is missing"],
    ["a part of the policy", "the admission policy is not as Holdfast writes it"],
    ["the finalizer", "its finalizer is missing"],
    ["Retain", "PersistentVolume pv-sonarr-config does not say Retain: the bytes go with the claim"],
    ["the Namespace's mark", "Namespace media is not marked as it should be"],
  ])("sees that %s was taken away behind its back", async (what, problem) => {
    const place = await guarded();
    const { kubernetes } = place;
    kubernetes.admit(undefined);
    const policy = { name: "holdfast-guard" };
    const taken: Readonly<Record<string, () => Promise<unknown>>> = {
      "the policy": () => kubernetes.remove(resources.admissionPolicies, policy),
      "a part of the policy": () =>
        kubernetes.mergePatch(resources.admissionPolicies, policy, {
          spec: { matchConstraints: { namespaceSelector: { matchLabels: { none: "such" } } } },
        }),
      "the finalizer": () => kubernetes.mergePatch(claims, sonarr, { metadata: { finalizers: null } }),
      Retain: () =>
        kubernetes.mergePatch(
          resources.persistentVolumes,
          { name: "pv-sonarr-config" },
          { spec: { persistentVolumeReclaimPolicy: "Delete" } },
        ),
      "the Namespace's mark": () =>
        kubernetes.mergePatch(
          resources.namespaces,
          { name: "media" },
          { metadata: { annotations: { [guardKey]: null } } },
        ),
    };
    await taken[what]?.();
    const { guarded: isGuarded, volumes } = await statusData(place, "media/sonarr-config");
    expect([isGuarded, volumes.map(({ problems }) => problems)]).toEqual([false, [[problem]]]);
    expect(place.status()).toBe(4);
  });

  it.each([
    ["2026-11-23T13:30:00Z", /may be deleted for another 90m/, undefined],
    ["2026-11-23T11:59:59Z", /the permission to delete it ended at 2026-11-23T11:59:59Z, and still stands/, 4],
  ])("shows an opening until %s with the time that is left, or that it is over", async (until, text, status) => {
    const place = await guarded();
    const { uid } = (await place.kubernetes.get(claims, sonarr))?.metadata ?? {};
    const annotations = { [openingKey]: uid, [openingUntilKey]: until };
    await place.kubernetes.mergePatch(claims, sonarr, { metadata: { annotations } });
    await showGuardStatus(place.cli, place.world, table, "media/sonarr-config");
    expect(place.context.out()).toMatch(text);
    expect(place.status()).toBe(status);
  });

  it("says why there is no policy to be had, and does not call that unguarded", async () => {
    const place = open();
    place.kubernetes.deny({ verb: "list", resource: resources.admissionPolicies });
    const world = new OperationWorld(jumpingClock(), place.kubernetes);
    await world.process(kindsFor(world.clock)).operations.start("op-1", await planNow(place.kubernetes, "deny"));
    const { guarded: isGuarded, policy } = await statusData(place);
    expect([isGuarded, policy.state]).toEqual([true, "impossible"]);
    expect(policy.why).toContain('resources: ["validatingadmissionpolicies"], verbs: ["list"]');
  });
});

interface CheckData {
  readonly proven: boolean;
  readonly objects: readonly { readonly title: string; readonly answer: string }[];
  readonly volumes: readonly {
    readonly volume: string;
    readonly paths: readonly { readonly id: string; readonly covered: boolean; readonly by: readonly string[] }[];
  }[];
}
const checkData = async (place: FakeWorld): Promise<CheckData> => {
  await showGuardCheck(place.cli, place.world, json);
  return JSON.parse(place.context.out()) as CheckData;
};
const waysOf = ({ volumes }: CheckData, volume: string) =>
  Object.fromEntries(
    volumes.find((one) => one.volume === volume)?.paths.map(({ id, by }) => [id, by.join(", ")]) ?? [],
  );

describe("holdfast guard check", () => {
  it("is refused every time, says which way is covered by what, and deletes nothing", async () => {
    const place = await guarded();
    const data = await checkData(place);
    expect(data.objects.map(({ title, answer }) => `${title}: ${answer}`)).toEqual([
      "PersistentVolumeClaim db/data-postgres-0: refused",
      "PersistentVolume pv-data-postgres-0: refused",
      "PersistentVolumeClaim media/sonarr-config: refused",
      "PersistentVolume pv-sonarr-config: refused",
      "Namespace db: refused",
      "Namespace media: refused",
      "StatefulSet db/postgres: refused",
      "Application argocd/media: refused",
    ]);
    expect(waysOf(data, "media/sonarr-config")).toEqual({
      prune: "passed over, refused, held, bytes stay",
      "wrong-prune": "passed over, refused, held, bytes stay",
      application: "refused, passed over, held, bytes stay",
      rename: "refused, passed over, held, bytes stay",
      namespace: "refused, held, bytes stay",
      claim: "refused, held, bytes stay",
      volume: "refused, bytes stay",
    });
    expect(waysOf(data, "db/data-postgres-0")).toMatchObject({ statefulset: "refused, held, bytes stay" });
    expect([data.proven, place.status()]).toEqual([true, undefined]);
    expect((await place.kubernetes.list(claims)).items).toHaveLength(3);
  });

  it("ends with 6 when the policy is there and the API server does not obey it", async () => {
    const place = await guarded();
    place.kubernetes.admit(undefined);
    const data = await checkData(place);
    expect(data.objects.every(({ answer }) => answer === "allowed")).toBe(true);
    expect(waysOf(data, "media/sonarr-config")).toMatchObject({ claim: "held, bytes stay" });
    expect(place.status()).toBe(6);
    expect((await place.kubernetes.list(claims)).items).toHaveLength(3);
  });

  it("counts no refusal that is another policy's", async () => {
    const place = await guarded();
    place.kubernetes.admit(() => "ValidatingAdmissionPolicy 'other' with binding 'other' denied request: no");
    const data = await checkData(place);
    expect(new Set(data.objects.map(({ answer }) => answer))).toEqual(new Set(["unknown"]));
    expect(place.status()).toBe(3);
  });

  it("ends with 3 when the user may not delete: then the API server says nothing of the policy", async () => {
    const place = await guarded();
    place.kubernetes.deny({ verb: "delete" });
    await checkData(place);
    expect(place.status()).toBe(3);
  });

  it("ends with 4 when nothing is guarded, and when the policy is gone", async () => {
    const nothing = open();
    await showGuardCheck(nothing.cli, nothing.world, table);
    expect([nothing.context.out(), nothing.status()]).toEqual(["No volume is guarded: `holdfast guard on`.\n", 4]);
    const place = await guarded();
    await place.kubernetes.as("somebody").remove(resources.admissionPolicyBindings, { name: "holdfast-guard" });
    await checkData(place);
    expect(place.status()).toBe(4);
  });

  it("asks for no refusal in mode bin, where it is enough that the bytes stay", async () => {
    const place = await guarded("bin");
    const data = await checkData(place);
    expect(data.objects).toEqual([]);
    expect(waysOf(data, "media/sonarr-config")).toMatchObject({ prune: "bytes stay", volume: "bytes stay" });
    expect([data.proven, place.status()]).toEqual([true, undefined]);
  });
});

describe("holdfast guard on", () => {
  it("prints its plan with what is left out and why, and changes nothing in a dry run", async () => {
    const place = open();
    await setGuard(place.cli, place.world, flags, { mode: "deny", selector: undefined });
    expect(place.context.out()).toMatch(
      /^2 volumes, mode deny: db\/data-postgres-0, media\/sonarr-config\n {2}not media\/web-scratch: an ephemeral volume/,
    );
    expect(place.context.out()).toContain(
      "  1. set the PersistentVolumes of 2 volumes to Retain: db/data-postgres-0, media/sonarr-config\n",
    );
    expect((await place.kubernetes.get(claims, sonarr))?.metadata.annotations).toBeUndefined();
  });

  it("names the line for git where git owns a key", async () => {
    const place = open();
    const annotations = { "argocd.argoproj.io/sync-options": "ServerSideApply=true" };
    await place.kubernetes.as("argocd-controller").mergePatch(claims, sonarr, { metadata: { annotations } });
    await setGuard(place.cli, place.world, flags, { mode: "deny", selector: "media/" });
    expect(place.context.out()).toContain(
      "note: PersistentVolumeClaim media/sonarr-config: argocd-controller owns the key. In git, under metadata.annotations: argocd.argoproj.io/sync-options: ServerSideApply=true,Prune=false,Delete=false",
    );
  });

  it("leaves the mode to git where git has set it", async () => {
    const place = open();
    const patch = { metadata: { annotations: { [guardKey]: "bin" } } };
    await place.kubernetes.as("argocd-controller").mergePatch(claims, sonarr, patch);
    await setGuard(place.cli, place.world, flags, { mode: "deny", selector: "media/" });
    expect(place.context.out()).toContain("note: media/sonarr-config stays in mode bin: argocd-controller owns");
  });

  it("refuses a volume that was named alone and is an exception", async () => {
    const place = open();
    const wish = { mode: "deny", selector: "web-scratch" } as const;
    await expect(setGuard(place.cli, place.world, flags, wish)).rejects.toMatchObject({
      code: "TARGET_UNUSABLE",
      why: expect.stringContaining("an ephemeral volume of pod web") as string,
    });
  });

  it("says that a Helm release heeds no annotation", async () => {
    const place = open();
    const patch = { metadata: { annotations: { "meta.helm.sh/release-name": "sonarr" } } };
    await place.kubernetes.as("helm").mergePatch(claims, sonarr, patch);
    await setGuard(place.cli, place.world, flags, { mode: "deny", selector: "media/" });
    expect(place.context.out()).toContain("belongs to the Helm release sonarr: `helm uninstall` heeds no annotation");
  });

  it("off lets go of a namespace whose volumes are all gone", async () => {
    const place = await guarded();
    place.kubernetes.admit(undefined);
    for (const name of ["sonarr-config", "web-scratch"])
      await place.kubernetes.mergePatch(claims, { namespace: "media", name }, { metadata: { finalizers: null } });
    for (const name of ["sonarr-config", "web-scratch"])
      await place.kubernetes.remove(claims, { namespace: "media", name });
    place.kubernetes.put(resources.namespaces, {
      metadata: { name: "media", annotations: { [guardKey]: "deny" } },
    });
    const wish = { mode: "off", selector: "media/" } as const;
    await setGuard(place.cli, place.world, { ...flags, json: true }, wish);
    const { plan } = JSON.parse(place.context.out()) as { plan: { steps: { title: string; touches: string[] }[] } };
    expect(plan.steps.flatMap(({ touches }) => touches)).toContain("Namespace media");
  });

  it("asks for rights before anything is changed", async () => {
    const place = open();
    place.kubernetes.deny({ verb: "patch", resource: resources.namespaces });
    const wish = { mode: "deny", selector: undefined } as const;
    await expect(setGuard(place.cli, place.world, flags, wish)).rejects.toMatchObject({
      code: "KUBERNETES_FORBIDDEN",
      why: "missing: patch namespaces cluster-wide",
    });
  });
});

describe("holdfast guard on, where Kubernetes is older than 1.30", () => {
  it("plans the other layers, and says what is missing and what that means", async () => {
    const place = open();
    const gone = { resource: resources.admissionPolicies };
    const { ApiError } = await import("../systems/kubernetes/api-error.ts");
    const { Failure } = await import("../model/failure.ts");
    const cause = new ApiError({ status: 404, reason: "NotFound", message: "the server could not find the resource" });
    place.kubernetes.fail(gone, new Failure("KUBERNETES_REFUSED", { what: "no such kind", cause }));
    await setGuard(place.cli, place.world, flags, { mode: "deny", selector: undefined });
    const text = place.context.out();
    expect(text).toContain(
      "note: Without the admission policy: this API server (v1.34.4) has no ValidatingAdmissionPolicy v1",
    );
    expect(text).toContain("  3. hold 2 claims with a finalizer");
    expect(text).not.toContain("  4. ");
  });
});

describe("holdfast guard allow-delete", () => {
  const allow = { ...flags, for: 3_600_000, withdraw: false };

  it("shows for which objects and until when the guard opens", async () => {
    const place = await guarded();
    await allowDelete(place.cli, place.world, { ...allow, json: true }, "sonarr-config");
    const { plan } = JSON.parse(place.context.out()) as {
      plan: { steps: readonly { touches: object; title: string }[] };
    };
    expect(plan.steps).toMatchObject([
      {
        title: "open the guard of media/sonarr-config until 2026-11-23T13:00Z",
        touches: ["PersistentVolumeClaim media/sonarr-config", "PersistentVolume pv-sonarr-config"],
      },
    ]);
  });

  it("has nothing to withdraw where nothing is open", async () => {
    const place = await guarded();
    await allowDelete(place.cli, place.world, { ...allow, withdraw: true }, "sonarr-config");
    expect(place.context.out()).toContain("Nothing to do: the guard of media/sonarr-config is closed.");
  });

  it("refuses a volume that is not guarded, and one that does not exist", async () => {
    const place = open();
    await expect(allowDelete(place.cli, place.world, allow, "sonarr-config")).rejects.toMatchObject({
      code: "TARGET_UNUSABLE",
    });
    await expect(allowDelete(place.cli, place.world, allow, "sonar-config")).rejects.toMatchObject({
      code: "VOLUME_UNKNOWN",
    });
  });
});
