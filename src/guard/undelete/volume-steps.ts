/** The steps that make one deleted volume's objects again. Pure. */
import type { PersistentVolume } from "../../inventory/raw.ts";
import type { Json, PlannedStep } from "../../model/plan.ts";
import { claimManifest } from "../../restore/zfs/rebind.ts";
import type { ExportInput, VolumeObjectInput } from "../../restore/zfs/steps.ts";
import { idPropertiesOf } from "../../restore/zfs/successor.ts";
import type { KubeObject } from "../../systems/kubernetes/port.ts";
import type { NewExport } from "../../systems/nas/port.ts";
import { lastingMarks, marksByVolume } from "../letting-go.ts";
import { type Marks, noMarks } from "../protect/marks.ts";
import { type Mode, modeOf } from "../protect/mode.ts";
import type { DeletedVolume } from "./deleted.ts";
import { notPruned } from "./manifests.ts";
import type { BackBinding, BindBackInput } from "./steps/bind-back.ts";
import type { MakeClaimInput } from "./steps/make-claim.ts";
import type { NamespaceInput } from "./steps/namespace.ts";

const common = { repeat: "safe", does: "apply" } as const;
const asJson = (value: object): Json => value as unknown as Json;
const nameOf = ({ namespace, claim }: DeletedVolume): string => `${namespace}/${claim}`;

/** Marks of a namespace's earlier life. */
const ofEarlierLife = new Set(["kubernetes.io/metadata.name"]);

export const namespaceStep = ({ namespace, namespaceMeta, namespaceIs }: DeletedVolume): PlannedStep => {
  const labels = Object.fromEntries(Object.entries(namespaceMeta.labels).filter(([key]) => !ofEarlierLife.has(key)));
  const input: NamespaceInput = { name: namespace, labels, annotations: notPruned(namespaceMeta.annotations) };
  return {
    ...common,
    id: `namespace-${namespace}`,
    kind: "make-namespace",
    title:
      namespaceIs === "terminating"
        ? `wait until the namespace ${namespace} is gone, and make it again`
        : `make the namespace ${namespace} again`,
    why: "the claim lives in it, and nothing can be made in one that is being deleted",
    back: "nothing: an empty namespace stays",
    touches: [`Namespace ${namespace}`],
    input,
  };
};

export const exportStep = (deleted: DeletedVolume, index: number, wanted: NewExport): PlannedStep => {
  const { dataset } = wanted;
  const input = {
    wanted: asJson(wanted),
    old: null,
    idProperties: deleted.pv === undefined ? {} : { ...idPropertiesOf(deleted.pv) },
  } as ExportInput;
  return {
    ...common,
    id: `export-${index}`,
    kind: "export-dataset",
    title: `export ${dataset} again as ${wanted.kind === "nfs" ? "an NFS share" : `the iSCSI target ${wanted.name}`}`,
    why: "the driver took the export away before the data; its settings are known from the inventory",
    back: `take the export of ${dataset} away`,
    touches: [`exports of ${dataset}`],
    input,
  };
};

export const volumeStep = (index: number, manifest: PersistentVolume): PlannedStep => {
  const { name } = manifest.metadata;
  const input = { manifest: asJson(manifest) } as VolumeObjectInput;
  return {
    ...common,
    id: `volume-${index}`,
    kind: "create-volume",
    title: `make the PersistentVolume ${name} again`,
    why: "as it was, but with the reclaim policy Retain",
    back: `take the PersistentVolume ${name} away`,
    touches: [`PersistentVolume ${name}`],
    input,
  };
};

/** A PV's mark says less than its claim's: "hold" is "deny" on it. */
const fits = (ofVolume: Mode, ofClaim: Mode): boolean =>
  ofVolume === ofClaim || (ofVolume === "deny" && ofClaim === "hold");

/** How it was guarded, by what is known of it: a PV that is there has seen changes of the guard that no inventory has. */
export const marksOf = ({ object, knownFrom, pv, isPvThere }: DeletedVolume): Marks => {
  const recorded = knownFrom === "pv" ? noMarks : lastingMarks(object);
  if (knownFrom === "cluster" || pv === undefined) return recorded;
  const ofVolume = modeOf(pv);
  if (ofVolume === "off") return isPvThere ? noMarks : recorded;
  return fits(ofVolume, modeOf(object)) ? recorded : marksByVolume(pv);
};

export interface Bound {
  readonly deleted: DeletedVolume;
  readonly pv: PersistentVolume;
  readonly manifest: KubeObject;
}

const bindingOf = ({ deleted, pv, manifest }: Bound): BackBinding => {
  const { namespace, claim, successor } = deleted;
  const taken = successor?.spec.volumeName;
  return {
    namespace,
    claim,
    pv: pv.metadata.name,
    manifest: asJson(manifest),
    marks: marksOf(deleted),
    successor:
      successor === undefined || taken === undefined
        ? null
        : { pv: taken, manifest: asJson(claimManifest(successor)), marks: lastingMarks(successor) },
  } as BackBinding;
};

/** All in one step: most of the time of a binding is waiting for the binder. */
export const bindStep = (bounds: readonly Bound[]): PlannedStep => {
  const bindings = bounds.map(bindingOf);
  const claims = bounds.map(({ deleted }) => nameOf(deleted));
  const replaced = bindings.flatMap(({ namespace, claim, successor }) =>
    successor === null ? [] : [`${namespace}/${claim} to ${successor.pv}`],
  );
  const volumes = bindings.map(({ pv }) => pv);
  const isOne = bounds.length === 1;
  const input: BindBackInput = { bindings };
  return {
    ...common,
    id: "bind",
    kind: "bind-back",
    title: `make the ${isOne ? "claim" : "claims"} ${claims.join(", ")} again, bound to ${volumes.join(", ")}`,
    why: isOne ? "it holds the bytes as they were" : "these hold the bytes as they were",
    back: replaced.length === 0 ? "nothing: what is back stays" : `bind ${replaced.join(", ")} again`,
    touches: [
      ...claims.map((name) => `PersistentVolumeClaim ${name}`),
      ...volumes.map((name) => `PersistentVolume ${name}`),
    ],
    input,
  };
};

interface Empty {
  readonly manifest: KubeObject;
  readonly bindsAtOnce: boolean;
}

export const makeClaimStep = (deleted: DeletedVolume, index: number, { manifest, bindsAtOnce }: Empty): PlannedStep => {
  const volume = nameOf(deleted);
  const input = { manifest: asJson(manifest), marks: marksOf(deleted), bindsAtOnce } as MakeClaimInput;
  return {
    ...common,
    id: `claim-${index}`,
    kind: "make-claim",
    title: `make the claim ${volume} again, on a new volume`,
    why: "its bytes are gone: they come from a copy",
    back: `take the empty claim ${volume} away`,
    touches: [`PersistentVolumeClaim ${volume}`],
    input,
  };
};
