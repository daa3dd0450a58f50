/** Making and taking away what lets the network reach a volume. */
import { diskOf, fittingIscsi, fittingShare, removableOf } from "../export-fit.ts";
import type { NewExport, NewIscsiExport, NewNfsExport, VolumeExport } from "../port.ts";
import { busy, invalid, missing } from "../refusals.ts";
import { type Api, ApiRefusal } from "./api.ts";
import { type Entry, entriesOf, extentOf, idOf, iqnBaseOf, shareOf, targetExtentOf, targetOf } from "./entries.ts";
import { meaningOf, worded } from "./errors.ts";
import { withLookUp } from "./lost-answers.ts";
import { readDataset, readExports, table } from "./reading.ts";

/** What a share takes over from the one that it is to be like: who may use it, and as whom. */
const shareSettings: readonly string[] = [
  "networks",
  "hosts",
  "ro",
  "maproot_user",
  "maproot_group",
  "mapall_user",
  "mapall_group",
  "security",
  "expose_snapshots",
];

/** What an extent takes over; serial and NAA are its own, or initiators would take the two for one disk. */
const extentSettings: readonly string[] = [
  "insecure_tpc",
  "blocksize",
  "pblocksize",
  "avail_threshold",
  "xen",
  "rpm",
  "ro",
  "product_id",
  "comment",
];

/** Of a target: the port carries its groups, the NAS tells the rest. */
const targetSettings: readonly string[] = ["mode", "auth_networks", "iscsi_parameters"];

const chosen = (settings: Entry, names: readonly string[]): Entry =>
  Object.fromEntries(Object.entries(settings).filter(([name]) => names.includes(name)));

/** Makes one entry and gives its id; after a lost answer `find` looks for it in the table. */
const make = async (
  api: Api,
  namespace: string,
  data: Entry,
  find: (entries: readonly Entry[]) => number | undefined,
): Promise<number> =>
  await worded(`Cannot make the export: ${namespace}.create is refused.`, () =>
    withLookUp(
      async () => {
        const [entry] = entriesOf([await api.change(`${namespace}.create`, [data])], namespace);
        return idOf(entry ?? {});
      },
      async () => find(await table(api, `${namespace}.query`)),
    ),
  );

export const createExport = async (api: Api, wanted: NewExport): Promise<VolumeExport> => {
  const dataset = await readDataset(api, wanted.dataset);
  if (dataset === undefined) throw missing(wanted.dataset);
  if ((dataset.kind === "volume") !== (wanted.kind === "iscsi"))
    throw invalid(wanted.dataset, `a ${dataset.kind} has no export over ${wanted.kind}`);
  if (wanted.kind === "iscsi") return await exportIscsi(api, wanted);
  if (dataset.mountpoint === undefined) throw invalid(wanted.dataset, "it is mounted nowhere");
  return await exportNfs(api, wanted, dataset.mountpoint);
};

const exportNfs = async (api: Api, { like }: NewNfsExport, path: string): Promise<VolumeExport> => {
  const present = fittingShare({ nfs: (await table(api, "sharing.nfs.query")).map(shareOf) }, path);
  if (present !== undefined) return { kind: "nfs", share: present.id, path };
  const data = { ...chosen(like.settings, shareSettings), path, comment: like.comment, enabled: true };
  const share = await make(
    api,
    "sharing.nfs",
    data,
    (entries) => fittingShare({ nfs: entries.map(shareOf) }, path)?.id,
  );
  return { kind: "nfs", share, path };
};

const exportIscsi = async (api: Api, wanted: NewIscsiExport): Promise<VolumeExport> => {
  const { name, dataset, likeTarget, likeExtent } = wanted;
  const disk = diskOf(dataset);
  const exports = await readExports(api);
  const present = fittingIscsi(exports, wanted);
  const extent =
    present.extent?.id ??
    (await make(
      api,
      "iscsi.extent",
      { ...chosen(likeExtent.settings, extentSettings), name, type: "DISK", disk, enabled: true },
      (entries) => entries.map(extentOf).find((one) => one.name === name && one.disk === disk)?.id,
    ));
  const target =
    present.target?.id ??
    (await make(
      api,
      "iscsi.target",
      { ...(await targetLike(api, likeTarget.id)), name, alias: null, groups: likeTarget.groups },
      (entries) => entries.map(targetOf).find((one) => one.name === name)?.id,
    ));
  const targetExtent =
    present.targetExtent?.id ??
    (await make(
      api,
      "iscsi.targetextent",
      { target, extent, lunid: 0 },
      (entries) => entries.map(targetExtentOf).find((one) => one.target === target && one.extent === extent)?.id,
    ));
  return { kind: "iscsi", target, extent, targetExtent, name, iqn: `${exports.iqnBase ?? ""}:${name}`, disk };
};

/** Who may reach the target that a new one is like: without it a restricted target's copy would be open to all. */
const targetLike = async (api: Api, id: number): Promise<Entry> => {
  const like = (await table(api, "iscsi.target.query")).find((entry) => entry["id"] === id);
  return chosen(like ?? {}, targetSettings);
};

/** Initiators that are logged in to a target. */
export const readSessions = async (api: Api, target: string): Promise<readonly string[]> => {
  const [global, sessions] = await worded("TrueNAS does not tell its iSCSI sessions.", () =>
    Promise.all([api.read("iscsi.global.config", []), api.read("iscsi.global.sessions", [])]),
  );
  const iqn = `${iqnBaseOf(global) ?? ""}:${target}`;
  return entriesOf(sessions, "iscsi.global.sessions")
    .filter((entry) => entry["target"] === iqn)
    .map((entry) => String(entry["initiator"]));
};

export const removeExport = async (api: Api, made: VolumeExport): Promise<void> => {
  const removable = removableOf(await readExports(api), made);
  if (made.kind === "iscsi" && removable.target !== undefined) {
    const initiators = await readSessions(api, made.name);
    if (initiators.length > 0) throw busy(made.name, `logged in: ${initiators.join(", ")}`);
  }
  const parts = [
    ["sharing.nfs", removable.share],
    // What joins the two first: TrueNAS would take it along with either, and then refuse to delete it.
    ["iscsi.targetextent", removable.targetExtent],
    ["iscsi.target", removable.target],
    ["iscsi.extent", removable.extent],
  ] as const;
  for (const [namespace, id] of parts) if (id !== undefined) await removeEntry(api, namespace, id);
};

const removeEntry = async (api: Api, namespace: string, id: number): Promise<void> => {
  const isGone = async (): Promise<true | undefined> =>
    (await table(api, `${namespace}.query`)).some((entry) => entry["id"] === id) ? undefined : true;
  await worded(`Cannot remove the export: ${namespace}.delete is refused.`, () =>
    withLookUp(async () => {
      try {
        await api.change(`${namespace}.delete`, [id]);
      } catch (error) {
        if (!(error instanceof ApiRefusal) || meaningOf(error) !== "NAS_MISSING") throw error;
      }
      return true;
    }, isGone),
  );
};
