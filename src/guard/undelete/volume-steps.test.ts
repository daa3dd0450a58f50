import { describe, expect, it } from "vitest";
import type { Claim, PersistentVolume } from "../../inventory/raw.ts";
import { guardFinalizer } from "../finalizer.ts";
import { noMarks } from "../protect/marks.ts";
import { guardKey, type Mode } from "../protect/mode.ts";
import type { DeletedVolume } from "./deleted.ts";
import { managedNamespaces } from "./managed.ts";
import { marksOf, namespaceStep } from "./volume-steps.ts";

/** As Holdfast has written it. */
const metadata = (name: string, mode: Mode) => ({
  name,
  annotations: mode === "off" ? {} : { [guardKey]: mode },
  managedFields: [
    {
      manager: "holdfast",
      operation: "Apply" as const,
      fieldsV1: { "f:metadata": { "f:annotations": { [`f:${guardKey}`]: {} } } },
    },
  ],
});

interface Known {
  readonly claim: Mode;
  readonly pv: Mode;
  readonly from?: DeletedVolume["knownFrom"];
  readonly isPvThere?: boolean;
}

const deleted = ({ claim, pv, from = "inventory", isPvThere = true }: Known): DeletedVolume => ({
  namespace: "media",
  claim: "sonarr",
  remains: "pv",
  object: { metadata: metadata("sonarr", claim), spec: {} } satisfies Claim,
  knownFrom: from,
  pv: { metadata: metadata("pv-1", pv), spec: {} } satisfies PersistentVolume,
  isPvThere,
  dataset: undefined,
  missingExport: undefined,
  namespaceIs: "there",
  namespaceMeta: { labels: {}, annotations: {} },
  successor: undefined,
  lostSince: undefined,
  obstacle: undefined,
});

const modeOfMarks = (known: Known) => marksOf(deleted(known)).annotations[guardKey];

describe("how a volume is guarded that comes back", () => {
  it("is as its PersistentVolume says, when it was guarded after the inventory was written", () => {
    expect(marksOf(deleted({ claim: "off", pv: "deny" }))).toEqual({
      annotations: { [guardKey]: "deny" },
      finalizers: [guardFinalizer],
    });
    expect(modeOfMarks({ claim: "deny", pv: "bin" })).toBe("bin");
    expect(modeOfMarks({ claim: "bin", pv: "deny" })).toBe("deny");
  });

  it("is not at all, when the guard was taken off since", () => {
    expect(marksOf(deleted({ claim: "deny", pv: "off" }))).toEqual(noMarks);
  });

  it("is as the inventory says, where the PersistentVolume says the same in fewer words, or is gone", () => {
    expect(modeOfMarks({ claim: "hold", pv: "deny" })).toBe("hold");
    expect(modeOfMarks({ claim: "deny", pv: "off", isPvThere: false })).toBe("deny");
  });

  it("is as the claim itself says that is being deleted", () => {
    expect(modeOfMarks({ claim: "bin", pv: "deny", from: "cluster" })).toBe("bin");
  });
});

describe("a namespace that is made again", () => {
  const tracked = { "argocd.argoproj.io/tracking-id": "spaces:/Namespace:media/media" };
  const going = (annotations: Readonly<Record<string, string>>): DeletedVolume => ({
    ...deleted({ claim: "off", pv: "off" }),
    namespaceIs: "terminating",
    namespaceMeta: { labels: { "kubernetes.io/metadata.name": "media", team: "home" }, annotations },
  });

  it("is not pruned again, with all that is in it, by the commit that removed it", () => {
    expect(namespaceStep(going(tracked)).input).toEqual({
      name: "media",
      labels: { team: "home" },
      annotations: {
        ...tracked,
        "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
        "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
      },
    });
  });

  it("gets no word for Argo CD that did not deploy it", () => {
    expect(namespaceStep(going({ note: "mine" })).input).toHaveProperty("annotations", { note: "mine" });
  });

  it("is looked for in git, once for all that was in it, and only when it has gone", () => {
    const two = [going(tracked), { ...going(tracked), claim: "radarr" }];
    expect(managedNamespaces([...two, deleted({ claim: "off", pv: "off" })])).toEqual([
      expect.objectContaining({ group: "", kind: "Namespace", namespace: "", name: "media", annotations: tracked }),
    ]);
  });
});
