/** By which ways a volume can be deleted, and what stands in each. Pure. The ways are those of docs/design/guard.md. */
import type { Claim, PodMaker } from "../../inventory/raw.ts";
import { argoVersionOf, knowsDelete, manages, reaching, setOf } from "./argo.ts";
import { keyOf } from "../../systems/kubernetes/object-key.ts";
import type { Answered } from "./ask.ts";
import { fluxOwnerOf, helmReleaseOf } from "./gitops.ts";
import type { VolumeStanding } from "./standing.ts";
import type { GuardView } from "./view.ts";
import { statefulSetsOf } from "./wanted.ts";

export type Hindrance = "passed over" | "refused" | "held" | "bytes stay";

/** One way to lose the volume. */
export interface DeletionPath {
  readonly id: string;
  /** What would happen: "its manifest leaves git, and Argo CD prunes it". */
  readonly what: string;
  /** In mode bin a deletion is meant to pass: there it is enough that the bytes stay. */
  readonly covered: boolean;
  readonly by: readonly Hindrance[];
}

interface Hindrances {
  readonly claim: readonly Hindrance[];
  /** A GitOps tool passes the claim over. */
  readonly prune: readonly Hindrance[];
  readonly cascade: readonly Hindrance[];
  refuses(titles: readonly string[]): readonly Hindrance[];
}

const hindrancesOf = (view: GuardView, standing: VolumeStanding, answers: Answers): Hindrances => {
  const refuses = (titles: readonly string[]): readonly Hindrance[] =>
    titles.length > 0 && titles.every((title) => answers.get(title) === "refused") ? ["refused"] : [];
  const claim = `PersistentVolumeClaim ${standing.volume}`;
  const own = standing.git.filter(({ object }) => object === claim);
  const isToldSo = ["yes", "git"].includes(standing.layers.gitops) && own.every(({ done }) => done);
  const version = argoVersionOf(view.objects.makers);
  return {
    claim: [
      ...refuses([claim]),
      ...(standing.layers.finalizer === "yes" ? (["held"] as const) : []),
      ...(standing.layers.retain === "yes" ? (["bytes stay"] as const) : []),
    ],
    prune: isToldSo ? ["passed over"] : [],
    cascade: isToldSo && (version === undefined || knowsDelete(version)) ? ["passed over"] : [],
    refuses,
  };
};

/** Answers of the API server by the objects' titles. */
export type Answers = ReadonlyMap<string, Answered["answer"]>;

interface Way {
  readonly id: string;
  readonly what: string;
  readonly before: readonly Hindrance[];
}

interface Hanging {
  readonly claim: Claim;
  readonly sets: readonly PodMaker[];
}

const prefixed = (kind: string, keys: readonly string[]): readonly string[] => keys.map((key) => `${kind} ${key}`);

/** Argo CD's ways, as far as it can come to the volume at all. */
const argoWays = (view: GuardView, { claim, sets }: Hanging, found: Hindrances): readonly Way[] => {
  if (view.argo === undefined) return [];
  const { applications } = view.argo;
  const names = sets.map(({ metadata }) => metadata.name);
  const reached = reaching(view.argo, { claim, statefulSets: names });
  const { prune, cascade } = found;
  const ways: Way[] = [
    { id: "prune", what: "its manifest leaves git, and Argo CD prunes it", before: prune },
    { id: "wrong-prune", what: "Argo CD takes it for removed by mistake, and prunes it", before: prune },
  ];
  const own = applications.filter((application) => reached.applications.includes(keyOf(application)));
  if (own.length === 0) return ways;
  const refused = found.refuses(prefixed("Application", own.map(keyOf)));
  ways.push(
    { id: "application", what: "its Application is deleted, with what it owns", before: [...refused, ...cascade] },
    { id: "rename", what: "its Application gets another name in git", before: [...refused, ...cascade] },
  );
  const children = own.filter((application) => manages(view.argo, "Application", application));
  if (children.length > 0)
    ways.push({
      id: "app-of-apps",
      what: "its Application is pruned by a parent's",
      before: [...found.refuses(prefixed("Application", children.map(keyOf))), ...cascade],
    });
  const generated = own.filter((application) => setOf(application) !== undefined);
  if (generated.length > 0)
    ways.push({
      id: "application-set",
      what: "its ApplicationSet is deleted, or generates nothing",
      before: [
        ...found.refuses([
          ...prefixed("Application", generated.map(keyOf)),
          ...prefixed("ApplicationSet", reached.sets),
        ]),
        ...cascade,
      ],
    });
  return ways;
};

const otherWays = ({ claim, sets }: Hanging, found: Hindrances): readonly Way[] => {
  const namespace = claim.metadata.namespace ?? "";
  const release = helmReleaseOf(claim);
  return [
    {
      id: "namespace",
      what: "its Namespace is deleted, by a tool or by hand",
      before: found.refuses([`Namespace ${namespace}`]),
    },
    { id: "claim", what: "kubectl delete pvc", before: [] },
    ...(sets.length === 0
      ? []
      : [
          {
            id: "statefulset",
            what: "its StatefulSet is deleted",
            before: found.refuses(prefixed("StatefulSet", sets.map(keyOf))),
          },
        ]),
    ...(fluxOwnerOf(claim) === undefined
      ? []
      : [{ id: "flux", what: "its manifest leaves git, and Flux prunes it", before: found.prune }]),
    ...(release === undefined ? [] : [{ id: "helm", what: `helm uninstall ${release}`, before: [] }]),
  ];
};

/** Every way that leads to the volume. */
export const pathsOf = (
  view: GuardView,
  claim: Claim,
  standing: VolumeStanding,
  answers: Answers,
): readonly DeletionPath[] => {
  const found = hindrancesOf(view, standing, answers);
  const isEnough = (by: readonly Hindrance[]): boolean =>
    standing.mode === "bin" ? by.includes("bytes stay") : by.some((hindrance) => hindrance !== "bytes stay");
  const hanging = { claim, sets: statefulSetsOf(claim, view.objects.makers) };
  const rows = [...argoWays(view, hanging, found), ...otherWays(hanging, found)].map(({ id, what, before }) => {
    const by = [...new Set([...before, ...found.claim])];
    return { id, what, covered: isEnough(by), by };
  });
  // Its object alone: the claim stays, and so do the bytes.
  const pv = [
    ...found.refuses([`PersistentVolume ${standing.persistentVolume}`]),
    ...(standing.layers.retain === "yes" ? (["bytes stay"] as const) : []),
  ];
  return [...rows, { id: "volume", what: "kubectl delete pv", covered: pv.length > 0, by: pv }];
};
