/** What a user must know of a plan of the guard. Pure. */
import { argoVersionNote, reaching } from "./argo.ts";
import { keyOf } from "../../systems/kubernetes/object-key.ts";
import { gitLineText, helmReleaseOf } from "./gitops.ts";
import { type Mode, modeOf } from "./mode.ts";
import type { GuardView } from "./view.ts";
import type { Wanted } from "./wanted.ts";

/** Why there is no policy to be had; undefined when there is one. */
export const policyHindrance = ({ policy }: Pick<GuardView, "policy">): string | undefined => {
  if (!policy.possible) return policy.why;
  return policy.lacks.length === 0 ? undefined : `your user may not ${policy.lacks.join(", ")}`;
};

const policyWarning = (view: GuardView, mode: Mode): readonly string[] => {
  const why = policyHindrance(view);
  if (why === undefined) return [];
  if (mode === "off") return view.policy.possible ? [`The admission policy stays as it is: ${why}.`] : [];
  return [
    `Without the admission policy: ${why}. So nothing is refused: what is deleted all the same is held by its finalizer, or passed over by GitOps tools, and its bytes stay (Retain).`,
  ];
};

const helmWarnings = ({ objects }: GuardView, chosen: ReadonlySet<string>): readonly string[] =>
  objects.claims.flatMap((claim) => {
    const name = keyOf(claim);
    const release = helmReleaseOf(claim);
    if (release === undefined || !chosen.has(name)) return [];
    return [
      `${name} belongs to the Helm release ${release}: \`helm uninstall\` heeds no annotation in the cluster. For Helm to leave it, its chart must carry helm.sh/resource-policy: keep.`,
    ];
  });

const gitWarnings = ({ marks }: Wanted): readonly string[] =>
  marks
    .flatMap(({ git }) => git)
    .filter(({ done }) => !done)
    .map(gitLineText);

/** A sync that was refused tries again, with the commit that it began with, whatever git says by now. */
const syncWarnings = ({ objects, argo }: GuardView, chosen: ReadonlySet<string>): readonly string[] => {
  const reached = new Set(
    objects.claims
      .filter((claim) => chosen.has(keyOf(claim)))
      .flatMap((claim) => reaching(argo, { claim, statefulSets: [] }).applications),
  );
  return (argo?.applications ?? [])
    .filter((application) => reached.has(keyOf(application)) && application.status?.operationState?.phase === "Running")
    .map(
      ({ metadata }) =>
        `A sync of Application ${metadata.name} is under way or tries again, with the commit that it began with: what that commit lacks it prunes as soon as nothing refuses, though git may have it again. To end it first: \`argocd app terminate-op ${metadata.name}\`.`,
    );
};

/** What the guard has kept Argo CD from is what its next sync does without it. */
const pruneWarnings = ({ objects, argo }: GuardView, chosen: ReadonlySet<string>): readonly string[] => {
  const leading = new Set<string>();
  for (const claim of objects.claims.filter((one) => chosen.has(keyOf(one)))) {
    const { applications, sets } = reaching(argo, { claim, statefulSets: [] });
    leading.add(`PersistentVolumeClaim ${keyOf(claim)}`);
    leading.add(`Namespace ${claim.metadata.namespace}`);
    for (const key of applications) leading.add(`Application ${key}`);
    for (const key of sets) leading.add(`ApplicationSet ${key}`);
  }
  return (argo?.applications ?? []).flatMap(({ metadata, status }) =>
    (status?.resources ?? [])
      .filter(({ requiresPruning }) => requiresPruning === true)
      .map(({ kind, namespace, name }) => `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`)
      .filter((title) => leading.has(title))
      .map(
        (title) =>
          `Git does not have ${title} any more: without the guard the next sync of Application ${metadata.name} deletes it, and with it what the guard has kept. Put it back into git first, if it is to stay.`,
      ),
  );
};

/** Bytes of claims that are gone: nobody else would keep them. */
const keptWarnings = ({ objects }: GuardView): readonly string[] => {
  const claims = new Set(objects.claims.map(({ metadata }) => metadata.uid));
  return objects.persistentVolumes
    .filter((pv) => modeOf(pv) !== "off" && !claims.has(pv.spec.claimRef?.uid))
    .map(
      ({ metadata, spec }) =>
        `PersistentVolume ${metadata.name} stays as it is: it holds the bytes of ${spec.claimRef?.namespace}/${spec.claimRef?.name}, which is gone.`,
    );
};

/** What to know before agreeing: what git alone can write, and what some layer cannot do here. */
export const warningsOf = (
  view: GuardView,
  wanted: Wanted,
  { chosen, mode }: { readonly chosen: readonly string[]; readonly mode: Mode },
): readonly string[] => {
  const policy = policyWarning(view, mode);
  if (mode === "off") {
    const kept = wanted.generated === undefined ? keptWarnings(view) : [];
    const names = new Set(chosen);
    return [...policy, ...pruneWarnings(view, names), ...syncWarnings(view, names), ...kept];
  }
  const argo = view.argo === undefined || mode === "bin" ? undefined : argoVersionNote(view.objects.makers);
  return [
    ...policy,
    ...gitWarnings(wanted),
    ...helmWarnings(view, new Set(chosen)),
    ...(argo === undefined ? [] : [argo]),
  ];
};
