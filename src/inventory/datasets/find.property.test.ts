import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Dataset, Exports } from "../../systems/nas/port.ts";
import type { PersistentVolume } from "../raw.ts";
import type { NasView } from "./answer.ts";
import { findDataset } from "./find.ts";
import { address, makers, type Sample, type SampleKind, viewOf } from "./testing/volumes.ts";

const kinds = Object.keys(makers) as SampleKind[];
const world = fc
  .uniqueArray(fc.record({ kind: fc.constantFrom(...kinds), id: fc.integer({ min: 1, max: 900 }) }), {
    minLength: 1,
    maxLength: 30,
    selector: ({ id }) => id,
  })
  .map((parts) => parts.map(({ kind, id }) => makers[kind](id)));

describe("the dataset behind a volume", () => {
  it("is found for every driver, among the datasets of all others, whatever their order", () => {
    fc.assert(
      fc.property(world, fc.boolean(), (samples, reversed) => {
        const view = viewOf(reversed ? samples.toReversed() : samples);
        for (const { pv, dataset } of samples) expect(findDataset(pv, view)).toMatchObject({ found: dataset });
      }),
    );
  });

  it("is found beside a copy of it that a replication has left below another parent", () => {
    fc.assert(
      fc.property(fc.constantFrom(...kinds), (kind) => {
        const sample = makers[kind](1);
        const { dataset } = sample;
        const copy = { ...dataset, name: `tank/k8s/copies/${dataset.name}`, guid: "7", mountpoint: "/mnt/elsewhere" };
        const view = viewOf([sample], { datasets: [copy, dataset] });
        expect(findDataset(sample.pv, view)).toMatchObject({ found: dataset });
      }),
    );
  });
});

/** Makes one thing wrong in a volume, with what belongs to another volume of the same driver where there is one. */
type Corruption = (broken: Sample, other: Sample) => Partial<Sample> & Partial<Pick<NasView, "addresses">>;

const csi =
  (change: (csi: NonNullable<PersistentVolume["spec"]["csi"]>, other: Sample) => object): Corruption =>
  ({ pv }, other) => ({
    pv: { ...pv, spec: { ...pv.spec, csi: { ...pv.spec.csi!, ...change(pv.spec.csi!, other) } } },
  });
const attribute = (name: string): Corruption =>
  csi(({ volumeAttributes }, other) => ({
    volumeAttributes: { ...volumeAttributes, [name]: other.pv.spec.csi!.volumeAttributes![name]! },
  }));
const handle = csi((_, other) => ({ volumeHandle: other.pv.spec.csi!.volumeHandle }));
const onNas =
  (change: (dataset: Dataset, other: Dataset) => Partial<Dataset>): Corruption =>
  ({ dataset }, other) => ({ dataset: { ...dataset, ...change(dataset, other.dataset) } });
const property = (name: string, value?: string): Corruption =>
  onNas(({ properties }, other) => ({ properties: { ...properties, [name]: value ?? other.properties[name]! } }));
const noProperties = onNas(() => ({ properties: {} }));
const mountpoint = onNas((_, other) => ({ mountpoint: other.mountpoint }));
const exported =
  (change: (exports: Exports, other: Exports) => Partial<Exports>): Corruption =>
  ({ exports }, other) => ({ exports: { ...exports, ...change(exports, other.exports) } });
const noShare = exported(() => ({ nfs: [] }));
const elsewhere: Corruption = () => ({ addresses: ["10.9.9.9"] });

const chain: Readonly<Record<string, Corruption>> = {
  "the target is gone": exported(() => ({ targets: [] })),
  "the target has another name": exported(({ targets: [target] }) => ({ targets: [{ ...target!, name: "other" }] })),
  "the link is gone": exported(() => ({ targetExtents: [] })),
  "the link is another LUN": exported(({ targetExtents: [link] }) => ({ targetExtents: [{ ...link!, lun: 1 }] })),
  "the extent is gone": exported(() => ({ extents: [] })),
  "the extent is a file": exported(({ extents: [extent] }) => ({ extents: [{ ...extent!, disk: "/mnt/tank/x" }] })),
  "a second extent has the same LUN": exported(({ targetExtents: [link] }, other) => ({
    targetExtents: [link!, { ...link!, id: 9999, extent: other.extents[0]!.id }],
  })),
};
/** Where only the IQN says which dataset it is, a wrong one cannot be seen. */
const crossedChain: Readonly<Record<string, Corruption>> = {
  ...chain,
  "the extent is another volume's": exported(({ extents: [extent] }, other) => ({
    extents: [{ ...extent!, disk: other.extents[0]!.disk }],
  })),
};
const democratic: Readonly<Record<string, Corruption>> = {
  "the handle is another volume's": handle,
  "it is not managed": property("democratic-csi:managed_resource", "false"),
  "it remembers another volume": property("democratic-csi:csi_share_volume_context"),
  "what it remembers is torn": property("democratic-csi:csi_share_volume_context", '{"share":"/mn'),
  "what it remembers is nothing": property("democratic-csi:csi_share_volume_context", "null"),
  "it has no properties": noProperties,
};

const corruptions: Readonly<Record<SampleKind, Readonly<Record<string, Corruption>>>> = {
  "democratic-csi NFS": {
    ...democratic,
    "the share is another volume's": attribute("share"),
    "the mountpoint is another volume's": mountpoint,
    "the server is another one": csi(({ volumeAttributes }) => ({
      volumeAttributes: { ...volumeAttributes, server: "10.9.9.9" },
    })),
    "nothing exports it": noShare,
  },
  "democratic-csi iSCSI": { ...democratic, ...crossedChain, "the IQN is another volume's": attribute("iqn") },
  "truenas-csi NFS": {
    "the handle is another volume's": handle,
    "the path is another volume's": attribute("nfsPath"),
    "nothing exports it": noShare,
  },
  "truenas-csi iSCSI": {
    ...crossedChain,
    "the handle is another volume's": handle,
    "the IQN too": attribute("targetIQN"),
  },
  "tns-csi NFS": {
    "the handle is another volume's": handle,
    "the dataset is another volume's": attribute("datasetID"),
    "it is not managed": property("tns-csi:managed_by", "somebody"),
    "its name is another volume's": property("tns-csi:csi_volume_name"),
    "it has no properties": noProperties,
  },
  "tns-csi iSCSI with an old handle": {
    ...crossedChain,
    "the handle is another volume's": handle,
    "the IQN is another volume's": attribute("iscsiIQN"),
    "its name is another volume's": property("tns-csi:csi_volume_name"),
  },
  "OpenEBS zfs-localpv": {
    "the handle is another volume's": handle,
    "the pool is another one": csi(() => ({ volumeAttributes: { "openebs.io/poolname": "other" } })),
    "it is a zvol": onNas(() => ({ kind: "volume" })),
  },
  "static NFS": {
    "the server is another one": elsewhere,
    "nothing exports it": noShare,
    "it is mounted elsewhere": mountpoint,
  },
  "static iSCSI": { ...chain, "the portal is another one": elsewhere },
  "node-manual": { "the server is another one": elsewhere, "nothing exports it": noShare },
};

describe("a volume of which one thing does not agree with the rest", () => {
  const all = kinds.flatMap((kind) =>
    Object.entries(corruptions[kind]).map(([what, corrupt]) => ({ kind, what, corrupt })),
  );

  it.each(all)("is not found: $kind: $what", ({ kind, corrupt }) => {
    fc.assert(
      fc.property(world, fc.boolean(), (others, first) => {
        const [broken, other] = [makers[kind](1001), makers[kind](1002)];
        const { addresses = [address], ...changes } = corrupt(broken, other);
        const changed = { ...broken, ...changes };
        const samples = first ? [changed, other, ...others] : [...others, other, changed];
        const answer = findDataset(changed.pv, viewOf(samples, { addresses }));
        expect(answer).not.toHaveProperty("found");
      }),
      { numRuns: 20 },
    );
  });
});
