import type { PodSpec } from "kubernetes-types/core/v1.d.ts";
import { describe, expect, it } from "vitest";
import { describeVolume } from "../seed/describe.ts";
import { rootPath } from "../seed/entry.ts";
import { pathMatcher } from "../seed/glob.ts";
import type { Claim, KubeManifest } from "./app.ts";
import { apps, benchMany, benchOne, manifests } from "./apps.ts";

const everything = [...apps, benchOne, ...benchMany];
const claims = everything.flatMap((app) => app.claims.map((claim) => ({ ...claim, app })));
const seeded = claims.filter(
  (claim): claim is typeof claim & Required<Pick<Claim, "shape">> => claim.shape !== undefined,
);

const podSpec = (manifest: KubeManifest): PodSpec | undefined => {
  if (manifest.kind === "CronJob") return manifest.spec?.jobTemplate.spec?.template.spec;
  return manifest.kind === "Deployment" || manifest.kind === "StatefulSet" ? manifest.spec?.template.spec : undefined;
};
const pods = everything.flatMap(({ workloads, namespace, claims }) =>
  workloads.flatMap((manifest) => {
    const spec = podSpec(manifest);
    return spec === undefined ? [] : [{ name: manifest.metadata.name, namespace, spec, claims }];
  }),
);
const podOf = (name: string): PodSpec => pods.find((pod) => pod.name === name)!.spec;
const named = (kind: string, of: readonly KubeManifest[]): string[] =>
  of.filter((manifest) => manifest.kind === kind).map(({ metadata }) => `${metadata.namespace ?? ""}/${metadata.name}`);

describe("the lab's apps", () => {
  it("give no two objects one name", () => {
    const { namespaces, claims, workloads } = manifests(everything);
    const names = [...namespaces, ...claims, ...workloads].map(
      ({ kind, metadata }) => `${kind} ${metadata.namespace}/${metadata.name}`,
    );
    expect(names).toHaveLength(new Set(names).size);
  });

  it("mount only claims of their own that exist, and mount every volume that they declare", () => {
    for (const { name, spec, claims } of pods) {
      const known = new Set(claims.map((claim) => claim.name));
      const declared = (spec.volumes ?? []).flatMap(
        ({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? [],
      );
      expect(declared.filter((claim) => !known.has(claim))).toEqual([]);
      const mounted = [...spec.containers, ...(spec.initContainers ?? [])].flatMap(({ volumeMounts = [] }) =>
        volumeMounts.map((mount) => mount.name),
      );
      const templates = name === "postgres-like" ? ["data"] : [];
      expect(new Set(mounted)).toEqual(new Set([...(spec.volumes ?? []).map((volume) => volume.name), ...templates]));
    }
  });

  it.each(seeded)("write nothing into what the seed of $name describes, except where they say so", (claim) => {
    const { covers } = pathMatcher(claim.dynamicPaths);
    const touched = describeVolume(claim.shape, claim.seed).filter(({ path }) => covers(path));
    expect(touched.map(({ path }) => path)).toEqual(
      claim.name === "qbittorrent" ? ["qBittorrent/config/qBittorrent.conf"] : [],
    );
  });

  it("run as the owner of their volume", () => {
    const withOwner = seeded.flatMap((claim) => {
      const { runAsUser, runAsGroup } =
        pods.find(({ claims }) => claims.includes(claim) || claims.some(({ seed }) => seed === claim.seed))?.spec
          .securityContext ?? {};
      return runAsUser === undefined ? [] : [{ claim, owner: `${runAsUser}:${runAsGroup}` }];
    });
    expect(withOwner.length).toBeGreaterThan(5);
    for (const { claim, owner } of withOwner) {
      const root = describeVolume(claim.shape, claim.seed).find(({ path }) => path === rootPath)!;
      expect(`${root.uid}:${root.gid}`).toBe(owner);
    }
  });

  it("keep their media on the NAS, outside of every claim", () => {
    const withMedia = pods.filter(({ spec }) => (spec.volumes ?? []).some(({ nfs }) => nfs !== undefined));
    expect(withMedia.map(({ name }) => name).sort()).toEqual(["plex", "qbittorrent", "radarr", "sonarr"]);
  });

  it("exercise both storage classes with SQLite", () => {
    const classes = claims.filter(({ database }) => database !== undefined).map(({ storageClass }) => storageClass);
    expect(new Set(classes)).toEqual(new Set(["nas-nfs", "nas-iscsi"]));
  });

  it("have one of every corner in which backups go missing", () => {
    const { claims } = manifests();
    expect(named("PersistentVolumeClaim", claims)).toEqual(
      expect.arrayContaining([
        "misc/orphan-data",
        "misc/init-only",
        "misc/empty",
        "misc/cron-data",
        "misc/host-data",
        "misc/never-bound",
      ]),
    );
    expect(named("PersistentVolume", claims)).toEqual(["/host-data"]);
    expect(named("PersistentVolumeClaim", claims).filter((name) => name.includes("postgres"))).toEqual([]);
    expect(podOf("plex").volumes?.some(({ hostPath }) => hostPath !== undefined)).toBe(true);
    expect(podOf("init-only").containers[0]?.volumeMounts?.map(({ name }) => name)).toEqual(["tmp"]);
    expect(pods.every(({ spec }) => spec.volumes?.some(({ emptyDir }) => emptyDir !== undefined))).toBe(true);
  });

  it("leave room on their volumes", () => {
    for (const { shape, seed, size } of seeded) {
      const used = describeVolume(shape, seed).reduce((sum, entry) => sum + entry.size, 0);
      expect(used).toBeLessThan(0.5 * Number.parseInt(size, 10) * 2 ** 30);
    }
  });
});
