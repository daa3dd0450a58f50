import { describe, expect, it } from "vitest";
import { MemoryKubernetes } from "../../systems/kubernetes/memory.ts";
import type { KubeObject, ObjectMeta } from "../../systems/kubernetes/port.ts";
import { resources } from "../../systems/kubernetes/resources.ts";
import { realWorld } from "../../systems/kubernetes/testing/world.ts";
import { toolKeysOf } from "./gitops.ts";
import { marksOf, otherOwners } from "./marks.ts";

const sync = "argocd.argoproj.io/sync-options";
const compare = "argocd.argoproj.io/compare-options";
const flux = "kustomize.toolkit.fluxcd.io/prune";
const fluxName = { "kustomize.toolkit.fluxcd.io/name": "apps" };
const claims = resources.persistentVolumeClaims;
const at = { namespace: "media", name: "sonarr" };

/** A claim as the API server has it after a GitOps tool has written it. */
const written = async (metadata: Partial<ObjectMeta>): Promise<{ memory: MemoryKubernetes; claim: KubeObject }> => {
  const memory = new MemoryKubernetes(realWorld);
  memory.put(resources.namespaces, { metadata: { name: at.namespace } });
  const claim = await memory.as("argocd-controller").create(claims, { metadata: { ...at, ...metadata } });
  return { memory, claim };
};
const keysOf = async (metadata: Partial<ObjectMeta>, argo = true) =>
  toolKeysOf("claim", (await written(metadata)).claim, { argo });

describe("what GitOps tools are told", () => {
  it("is written by Holdfast where nobody else owns the keys", async () => {
    expect(await keysOf({})).toEqual({
      write: { [sync]: "Prune=false,Delete=false", [compare]: "IgnoreExtraneous" },
      git: [],
    });
  });

  it("is left to git where git has the key: the line to write has what is there merged in", async () => {
    const { write, git } = await keysOf({ annotations: { [sync]: "ServerSideApply=true" } });
    expect(write).toEqual({ [compare]: "IgnoreExtraneous" });
    const line = `${sync}: ServerSideApply=true,Prune=false,Delete=false`;
    expect(git).toEqual([{ object: "claim", key: sync, owner: "argocd-controller", line, done: false }]);
  });

  it("is fine where git says it already", async () => {
    const annotations = { [sync]: "Delete=false,Prune=false", [compare]: "IgnoreExtraneous" };
    const { write, git } = await keysOf({ annotations });
    expect([write, git.map(({ done }) => done)]).toEqual([{}, [true, true]]);
  });

  it("is nothing where there is no such tool", async () => {
    expect(await keysOf({}, false)).toEqual({ write: {}, git: [] });
  });

  it("is said to an Argo CD elsewhere that tracks the object", async () => {
    const annotations = { "argocd.argoproj.io/tracking-id": "sonarr:/PersistentVolumeClaim:media/sonarr" };
    expect(Object.keys((await keysOf({ annotations }, false)).write)).toEqual([sync, compare]);
  });

  it("is Flux' annotation for what a Kustomization applies, unless label or annotation are there", async () => {
    expect((await keysOf({ labels: fluxName }, false)).write).toEqual({ [flux]: "disabled" });
    const labelled = await keysOf({ labels: { ...fluxName, [flux]: "Disabled" } }, false);
    expect([labelled.write, labelled.git.map(({ done }) => done)]).toEqual([{}, [true]]);
    const other = await keysOf({ labels: fluxName, annotations: { [flux]: "enabled" } }, false);
    expect([other.write, other.git.map(({ line }) => line)]).toEqual([{}, [`${flux}: disabled`]]);
  });
});

describe("who owns an annotation", () => {
  it("is told by managedFields: what Holdfast applied is its own, whatever else it holds there", async () => {
    const { memory } = await written({ annotations: { theirs: "1" }, finalizers: ["kubernetes.io/pvc-protection"] });
    const ours = { annotations: { ours: "1" }, finalizers: ["holdfast.dev/guard"] };
    const claim = await memory.apply(claims, { metadata: { ...at, ...ours } });
    expect(marksOf(claim)).toEqual(ours);
    expect(otherOwners(claim, "ours")).toEqual([]);
    expect(otherOwners(claim, "theirs")).toEqual(["argocd-controller"]);
    expect(otherOwners(claim, "absent")).toEqual([]);
  });

  it("names both owners' share: a value that git and Holdfast agree on stays git's", async () => {
    const { memory } = await written({ annotations: { shared: "1" } });
    const claim = await memory.apply(claims, { metadata: { ...at, annotations: { shared: "1" } } });
    expect(otherOwners(claim, "shared")).toEqual(["argocd-controller"]);
  });

  it("is told by what kubectl applied last, where managedFields say nothing", () => {
    const last = JSON.stringify({ metadata: { annotations: { theirs: "1" } } });
    const key = "kubectl.kubernetes.io/last-applied-configuration";
    const claim = (text: string) => ({ metadata: { ...at, annotations: { theirs: "1", [key]: text } } });
    expect(otherOwners(claim(last), "theirs")).toEqual(["kubectl apply"]);
    expect(otherOwners(claim("{}"), "theirs")).toEqual(["an unknown writer"]);
    expect(otherOwners(claim("not JSON"), "theirs")).toEqual(["an unknown writer"]);
  });
});
