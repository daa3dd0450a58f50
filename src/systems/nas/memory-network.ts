/** What a NAS in memory lets the network use: NFS shares, iSCSI targets, extents, and who is logged in. */
import { diskOf } from "./export-fit.ts";
import type { Exports, IscsiExtent, IscsiTarget, IscsiTargetExtent, NfsShare, VolumeExport } from "./port.ts";

type WithoutId<T extends { readonly id: number }> = Omit<T, "id">;

export class MemoryNetwork {
  /** Where a TrueNAS mounts its pools. */
  readonly mountRoot = "/mnt";
  iqnBase = "iqn.2005-10.org.freenas.ctl";
  #nfs: readonly NfsShare[] = [];
  #targets: readonly IscsiTarget[] = [];
  #extents: readonly IscsiExtent[] = [];
  #targetExtents: readonly IscsiTargetExtent[] = [];
  readonly #sessions = new Map<string, string[]>();
  #lastId = 0;

  get exports(): Exports {
    return {
      nfs: this.#nfs,
      iqnBase: this.iqnBase,
      targets: this.#targets,
      extents: this.#extents,
      targetExtents: this.#targetExtents,
    };
  }

  mountpointOf(dataset: string): string {
    return `${this.mountRoot}/${dataset}`;
  }

  // Hooks for tests, and what making an export comes to.

  addShare(share: Partial<WithoutId<NfsShare>> & { readonly path: string }): NfsShare {
    const made = { enabled: true, comment: "", settings: {}, ...structuredClone(share), id: this.#id() };
    this.#nfs = [...this.#nfs, made];
    return made;
  }

  addTarget(target: Partial<WithoutId<IscsiTarget>> & { readonly name: string }): IscsiTarget {
    const made = { alias: undefined, groups: [], ...structuredClone(target), id: this.#id() };
    this.#targets = [...this.#targets, made];
    return made;
  }

  addExtent(extent: Partial<WithoutId<IscsiExtent>> & { readonly name: string; readonly disk: string }): IscsiExtent {
    const made = { enabled: true, settings: {}, ...structuredClone(extent), id: this.#id() };
    this.#extents = [...this.#extents, made];
    return made;
  }

  addTargetExtent(link: WithoutId<IscsiTargetExtent>): IscsiTargetExtent {
    const made = { ...link, id: this.#id() };
    this.#targetExtents = [...this.#targetExtents, made];
    return made;
  }

  /** A share, or target, extent and what joins them, as a storage driver makes them for a dataset. */
  exportDataset(kind: VolumeExport["kind"], dataset: string, name = dataset.replaceAll("/", "-")): VolumeExport {
    if (kind === "nfs") {
      const path = this.mountpointOf(dataset);
      return { kind, share: this.addShare({ path }).id, path };
    }
    const disk = diskOf(dataset);
    const [target, extent] = [this.addTarget({ name }).id, this.addExtent({ name, disk }).id];
    const targetExtent = this.addTargetExtent({ target, extent, lun: 0 }).id;
    return { kind, target, extent, targetExtent, name, iqn: `${this.iqnBase}:${name}`, disk };
  }

  /** An initiator logs in to a target, and out again with the function that this gives. */
  logIn(target: string, initiator: string): () => void {
    const present = this.#sessions.get(target) ?? [];
    this.#sessions.set(target, present);
    present.push(initiator);
    return () => void present.splice(present.indexOf(initiator), 1);
  }

  sessions(target: string): readonly string[] {
    return [...(this.#sessions.get(target) ?? [])];
  }

  /** What has been removed takes what joins it along, as in the NAS. */
  remove(kind: "share" | "target" | "extent" | "targetExtent", id: number | undefined): void {
    if (id === undefined) return;
    const isOther = (one: { readonly id: number }): boolean => one.id !== id;
    if (kind === "share") this.#nfs = this.#nfs.filter(isOther);
    if (kind === "target") this.#targets = this.#targets.filter(isOther);
    if (kind === "extent") this.#extents = this.#extents.filter(isOther);
    this.#targetExtents = this.#targetExtents.filter((one) =>
      kind === "targetExtent" ? isOther(one) : kind === "share" || one[kind] !== id,
    );
  }

  /** Whether an extent that a target offers has a dataset's disk open. */
  isServed(dataset: string): boolean {
    const disk = diskOf(dataset);
    return this.#targetExtents.some(({ extent }) =>
      this.#extents.some((one) => one.id === extent && one.enabled && one.disk === disk),
    );
  }

  /** A dataset is gone: TrueNAS removes its shares, and leaves its targets and extents. */
  forget(dataset: string): void {
    this.#nfs = this.#nfs.filter(({ path }) => path !== this.mountpointOf(dataset));
  }

  #id(): number {
    this.#lastId += 1;
    return this.#lastId;
  }
}
