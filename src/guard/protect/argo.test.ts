import { describe, expect, it } from "vitest";
import type { Claim, PodMaker } from "../../inventory/raw.ts";
import { type Application, argoVersionNote, reaching } from "./argo.ts";

const claim: Claim = { metadata: { namespace: "media", name: "sonarr" }, spec: {} };
const volume = { claim, statefulSets: ["db"] };
type Part = Partial<Application["metadata"]>;
/** `owns`: "Kind namespace/name". */
const app = (name: string, owns: string, metadata: Part = {}): Application => {
  const [, kind = "", namespace = "", target = ""] = /^(\S+) (?:(.*)\/)?(.*)$/.exec(owns) ?? [];
  const resource = { kind, name: target, ...(namespace === "" ? {} : { namespace }) };
  return { metadata: { namespace: "argocd", name, ...metadata }, status: { resources: [resource] } };
};
const generated = { ownerReferences: [{ apiVersion: "a", kind: "ApplicationSet", name: "homelab", uid: "u" }] };

describe("what of Argo CD reaches a volume", () => {
  it.each([
    ["has its claim", app("a", "PersistentVolumeClaim media/sonarr")],
    ["has its StatefulSet", app("a", "StatefulSet media/db")],
    ["has its Namespace", app("a", "Namespace media")],
  ])("the Application that %s", (_, application) => {
    const others = [app("b", "PersistentVolumeClaim other/sonarr"), app("c", "Deployment media/sonarr")];
    expect(reaching({ applications: [application, ...others], sets: [] }, volume).applications).toEqual(["argocd/a"]);
  });

  it("the Application that the claim's tracking annotation names, in its own namespace too", () => {
    const annotations = { "argocd.argoproj.io/tracking-id": "argocd_a:/PersistentVolumeClaim:media/sonarr" };
    const tracked = { ...volume, claim: { ...claim, metadata: { ...claim.metadata, annotations } } };
    const applications = [
      { metadata: { namespace: "argocd", name: "a" } },
      { metadata: { namespace: "b", name: "a" } },
    ];
    expect(reaching({ applications, sets: [] }, tracked).applications).toEqual(["argocd/a"]);
  });

  it("parents of parents, the ApplicationSet that generates it, and the parent of that", () => {
    const applications = [
      app("child", "PersistentVolumeClaim media/sonarr", generated),
      app("sets", "ApplicationSet argocd/homelab"),
      app("root", "Application argocd/sets"),
      app("stranger", "Application argocd/elsewhere"),
    ];
    const found = reaching({ applications, sets: [] }, volume);
    expect(found.applications.toSorted()).toEqual(["argocd/child", "argocd/root", "argocd/sets"]);
    expect(found.sets).toEqual(["argocd/homelab"]);
  });

  it("ends where Applications have each other", () => {
    const circle = {
      metadata: { namespace: "argocd", name: "a" },
      status: {
        resources: [
          { kind: "Application", namespace: "argocd", name: "a" },
          { kind: "PersistentVolumeClaim", namespace: "media", name: "sonarr" },
        ],
      },
    };
    expect(reaching({ applications: [circle], sets: [] }, volume).applications).toEqual(["argocd/a"]);
  });
});

describe("Argo CD's version", () => {
  const controller = (image: string, name = "argocd-application-controller"): readonly PodMaker[] => [
    { kind: "StatefulSet", metadata: { name }, spec: { template: { spec: { containers: [{ name: "c", image }] } } } },
  ];

  it.each(["quay.io/argoproj/argocd:v2.7.0", "argocd:3.2.6", "a:5000/argocd:v2.14.2@sha256:1"])(
    "%s is new enough",
    (image) => {
      expect(argoVersionNote(controller(image))).toBeUndefined();
    },
  );

  it("before 2.7 is said not to know Delete=false", () => {
    expect(argoVersionNote(controller("quay.io/argoproj/argocd:v2.6.15"))).toContain(
      "Argo CD 2.6 does not know Delete=false",
    );
  });

  it.each([[[]], [controller("argocd:latest")], [controller("argocd:v2.6.0", "argocd-server")]])(
    "is said to be unknown when it is",
    (makers) => {
      expect(argoVersionNote(makers)).toContain("is not known");
    },
  );
});
