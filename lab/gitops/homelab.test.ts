import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { manifests } from "../apps/apps.ts";
import { householdApps } from "../apps/household.ts";
import { mediaApps } from "../apps/media.ts";
import { applicationNames, homelabFiles } from "./homelab.ts";

const files = homelabFiles();
const below = (folder: string): readonly string[] =>
  Object.keys(files)
    .filter((path) => path.startsWith(`${folder}/`))
    .map((path) => path.slice(folder.length + 1))
    .toSorted();

describe("the homelab's repository", () => {
  it("has a folder for each app, with one object a file", () => {
    expect(below("apps/media/sonarr")).toEqual(["configmap-sonarr-scripts.yaml", "deployment.yaml", "pvc-sonarr.yaml"]);
    expect(below("apps/media/jackett")).toEqual(["deployment.yaml", "pvc-jackett.yaml"]);
    expect(below("apps/home/mealie")).toEqual(["configmap-mealie-scripts.yaml", "deployment.yaml", "pvc-mealie.yaml"]);
  });

  it("holds exactly what the lab has applied, so that handing over changes nothing", () => {
    const { claims, workloads } = manifests([...mediaApps, ...householdApps]);
    const objects = below("apps").map((path) => parse(files[`apps/${path}`] ?? "") as object);
    const applied = [...claims, ...workloads];
    expect(objects).toHaveLength(applied.length);
    expect(objects).toEqual(expect.arrayContaining(applied));
  });

  it("has an Application for each app of namespace media, and one set for the household's", () => {
    expect(below("argocd")).toEqual([
      "household.yaml",
      "jackett.yaml",
      "plex.yaml",
      "qbittorrent.yaml",
      "radarr.yaml",
      "sonarr.yaml",
    ]);
    expect(parse(files["argocd/sonarr.yaml"] ?? "")).toMatchObject({
      kind: "Application",
      metadata: { finalizers: ["resources-finalizer.argocd.argoproj.io"] },
      spec: {
        source: { repoURL: "file:///git/homelab", path: "apps/media/sonarr", targetRevision: "main" },
        syncPolicy: { automated: { prune: true, selfHeal: true } },
      },
    });
    expect(parse(files["argocd/household.yaml"] ?? "")).toMatchObject({
      kind: "ApplicationSet",
      spec: { generators: [{ git: { directories: [{ path: "apps/home/*" }, { path: "apps/dns/*" }] } }] },
    });
    expect(applicationNames).toEqual([
      "apps",
      "sonarr",
      "radarr",
      "jackett",
      "plex",
      "qbittorrent",
      "mealie",
      "pihole",
    ]);
  });
});
