/** Carries out what users and tools do to a household's objects. */
import type { PersistentVolume } from "../../../src/inventory/raw.ts";
import type { KubeObject } from "../../../src/systems/kubernetes/port.ts";
import { resources } from "../../../src/systems/kubernetes/resources.ts";
import type { Household } from "./household.ts";
import type { ClaimName, OutsideMove } from "./moves.ts";
import type { Answer, Outsider } from "./outsider.ts";

interface Site {
  readonly outsider: Outsider;
  readonly household: Household;
}

export interface Outcome {
  /** Undefined when there was no such object. */
  readonly answer: Answer | undefined;
  /** A PV that rightly says Delete from now on. */
  readonly released?: PersistentVolume | undefined;
}

const { persistentVolumeClaims, persistentVolumes, namespaces, statefulSets } = resources;

const disarming = {
  finalizers: { finalizers: null },
  mark: { annotations: { "holdfast.dev/guard": null } },
  annotations: { annotations: null },
} as const;

const bare = ({ metadata: { name, namespace }, ...rest }: KubeObject): KubeObject => ({
  ...rest,
  metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
});

/** The one that the claim has, else the last one that it had. */
const volumeOf = async ({ household }: Site, name: ClaimName): Promise<PersistentVolume | undefined> => {
  const { claims, volumes } = await household.look();
  const bound = claims.get(name)?.spec.volumeName;
  const all = volumes.filter(({ spec }) => spec.claimRef?.name === name);
  return all.find(({ metadata }) => metadata.name === bound) ?? all.at(-1);
};

const answered = async (asked: Promise<Answer | undefined>): Promise<Outcome> => ({ answer: await asked });

/** Throws Broken when the answer is not what the guard promises. */
export const playOutside = (site: Site, move: OutsideMove): Promise<Outcome> => {
  const { outsider, household } = site;
  const { namespace } = household;
  const claim = (name: string) => ({ namespace, name });
  switch (move.does) {
    case "delete-claim":
      return answered(outsider.remove(persistentVolumeClaims, claim(move.claim), move));
    case "delete-all-claims":
      return answered(outsider.removeAll(persistentVolumeClaims, namespace));
    case "delete-namespace":
      return answered(outsider.remove(namespaces, { name: namespace }));
    case "delete-set":
      return answered(outsider.remove(statefulSets, claim("db"), move));
    case "replace":
      return answered(replace(site, move.what));
    case "disarm": {
      const change = { metadata: disarming[move.takes] };
      return answered(outsider.patch(persistentVolumeClaims, claim(move.claim), change));
    }
    case "delete-volume":
    case "disarm-volume":
    case "reclaim":
      break;
  }
  return onVolume(site, move);
};

const replace = ({ outsider, household }: Site, what: ClaimName | "namespace" | "set"): Promise<Answer | undefined> => {
  const { namespace } = household;
  if (what === "namespace") return outsider.replace(namespaces, { name: namespace }, bare);
  if (what === "set") return outsider.replace(statefulSets, { namespace, name: "db" }, bare);
  return outsider.replace(persistentVolumeClaims, { namespace, name: what }, bare);
};

type VolumeMove = Extract<OutsideMove, { readonly does: "delete-volume" | "disarm-volume" | "reclaim" }>;

const onVolume = async (site: Site, { does, claim }: VolumeMove): Promise<Outcome> => {
  const pv = await volumeOf(site, claim);
  if (pv === undefined) return { answer: undefined };
  const { name } = pv.metadata;
  if (does === "delete-volume") return { answer: await site.outsider.remove(persistentVolumes, { name }) };
  if (does === "disarm-volume")
    return { answer: await site.outsider.patch(persistentVolumes, { name }, { metadata: disarming.mark }) };
  const change = { spec: { persistentVolumeReclaimPolicy: "Delete" } };
  const answer = await site.outsider.patch(persistentVolumes, { name }, change);
  return { answer, released: answer !== undefined && answer.status < 400 ? pv : undefined };
};
