import { describe, expect, it } from "vitest";
import type { Claim } from "../../inventory/raw.ts";
import { aMount, aVolume } from "../../inventory/sample.ts";
import type { DeployedObject } from "../../systems/gitops/port.ts";
import { commitFor, commitText } from "./deployed.ts";
import { demandStanding, demandUnused, needsNoRetiring } from "./in-the-way.ts";

const syncOptions = "argocd.argoproj.io/sync-options";
const aClaim = (metadata: Partial<Claim["metadata"]> = {}): Claim => ({
  metadata: { namespace: "media", name: "sonarr", ...metadata },
  spec: {},
});
const deployed = (part: Partial<DeployedObject> = {}): DeployedObject => ({
  deployer: { kind: "Application", namespace: "argocd", name: "sonarr" },
  removedFromGit: false,
  revision: "abc",
  source: "https://git.example/homelab, path apps/sonarr",
  ...part,
});

describe("the commit that deletes a claim", () => {
  it("is none where nobody deploys it, or git does not have it any more", () => {
    expect([commitFor(aClaim(), undefined), commitFor(aClaim(), deployed({ removedFromGit: true }))]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it("names the object, the place in git and the Application", () => {
    const commit = commitFor(aClaim(), deployed());
    expect(commitText(commit!, undefined)).toBe(
      "media/sonarr is left to git: commit the removal of PersistentVolumeClaim media/sonarr from https://git.example/homelab, path apps/sonarr (Application argocd/sonarr). The sync with pruning that follows deletes it.",
    );
  });

  it("is not enough where git itself says not to prune", () => {
    const annotations = { [syncOptions]: "ServerSideApply=true,Prune=false" };
    const text = commitText(commitFor(aClaim({ annotations }), deployed())!, undefined);
    expect(text).toContain(
      `Git says \`${syncOptions}: ServerSideApply=true,Prune=false\`, so no sync deletes it: after the commit, \`kubectl -n media delete pvc sonarr\`.`,
    );
  });

  it("is enough where only Holdfast says so: that is taken away with the guard", () => {
    const managedFields = [
      {
        manager: "holdfast",
        operation: "Apply",
        fieldsV1: { "f:metadata": { "f:annotations": { [`f:${syncOptions}`]: {} } } },
      },
    ];
    const annotations = { [syncOptions]: "Prune=false,Delete=false" };
    const claim = aClaim({ annotations, managedFields } as Partial<Claim["metadata"]>);
    expect(commitFor(claim, deployed())?.hindrance).toBeUndefined();
  });

  it("is Flux' too", () => {
    const labels = { "kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux" };
    const text = commitText(commitFor(aClaim({ labels }), undefined)!, "2026-11-27T00:00:00Z");
    expect(text).toContain("from what Kustomization flux/apps deploys.");
    expect(text).toContain("Until 2026-11-27T00:00:00Z its guard is open for that.");
  });
});

describe("what is in the way", () => {
  it("are pods, named with the commands that stop them", () => {
    const mounts = [
      aMount(),
      aMount({ pod: "sonarr-2" }),
      aMount({ pod: "shell", workload: { kind: "Pod", name: "shell" } }),
      aMount({ pod: "scan-1", workload: { kind: "CronJob", name: "scan" } }),
    ];
    expect(() => demandUnused([aVolume({ mounts })])).toThrow(
      expect.objectContaining({
        code: "RETIRE_IMPOSSIBLE",
        why: "media/sonarr-config: pod sonarr-1, pod sonarr-2, pod shell, pod scan-1",
        todo: "Stop it first, in git where a GitOps tool would start it again: `kubectl -n media scale deployment/sonarr --replicas=0`, `kubectl -n media delete pod shell`, `kubectl -n media delete cronjob scan`. Then run it again.",
      }),
    );
    expect(() => demandUnused([aVolume({ mounts: [] })])).not.toThrow();
  });

  it("is a deletion that is under way", () => {
    expect(() => demandStanding(aVolume(), { code: "deleting", why: "it is being deleted" })).toThrow(
      expect.objectContaining({ code: "RETIRE_IMPOSSIBLE", why: "it is being deleted" }),
    );
  });

  it("is nothing for claims that come and go by themselves: they need no retiring", () => {
    const codes = ["ephemeral", "owned", "temporary", "ours", "not-bound"] as const;
    expect(codes.map((code) => needsNoRetiring({ code, why: "" }))).toEqual(codes.map(() => true));
    expect([needsNoRetiring(undefined), needsNoRetiring({ code: "excluded", why: "" })]).toEqual([false, false]);
  });
});
