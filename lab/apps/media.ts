/** Namespace `media`. */
import { imageReferences } from "../components/images.ts";
import { hostPathDir } from "../lab.ts";
import type { AppDefinition } from "./app.ts";
import { iscsiClaim, nfsClaim } from "./claims.ts";
import { sqliteApp } from "./sqlite-app.ts";
import { deployment, media, type Mounted, mountedClaim, probes } from "./workload.ts";

const namespace = "media";

const sonarr = sqliteApp({
  name: "sonarr",
  namespace,
  claim: (space, details) => iscsiClaim(space, { ...details, size: "2Gi" }),
  shape: "sonarr",
  mountPath: "/config",
  database: "sonarr.db",
  logDatabase: "logs.db",
  log: "logs/sonarr.txt",
  runAs: { uid: 1000, gid: 1000 },
  mounted: [media],
});

const radarr = sqliteApp({
  name: "radarr",
  namespace,
  claim: (space, details) => nfsClaim(space, { ...details, size: "2Gi" }),
  shape: "radarr",
  mountPath: "/config",
  database: "radarr.db",
  logDatabase: "logs.db",
  log: "logs/radarr.txt",
  runAs: { uid: 568, gid: 568 },
  mounted: [media],
});

const plexServer = "Library/Application Support/Plex Media Server";
const plexDatabases = `${plexServer}/Plug-in Support/Databases`;

const transcode: Mounted = {
  volume: { name: "transcode", hostPath: { path: hostPathDir, type: "DirectoryOrCreate" } },
  mount: { name: "transcode", mountPath: "/transcode" },
};

const plex = sqliteApp({
  name: "plex",
  namespace,
  claim: (space, details) => iscsiClaim(space, { ...details, size: "5Gi" }),
  shape: "plex",
  mountPath: "/config",
  database: `${plexDatabases}/com.plexapp.plugins.library.db`,
  logDatabase: `${plexDatabases}/com.plexapp.plugins.library.blobs.db`,
  log: `${plexServer}/Logs/Plex Media Server.log`,
  runAs: { uid: 1000, gid: 1000 },
  mounted: [media, transcode],
});

/** Keeps its state in JSON files and its log beside them. */
const jackett = ((): AppDefinition => {
  const app = { name: "jackett", namespace };
  const claim = nfsClaim(namespace, {
    name: "jackett",
    shape: "jackett",
    mountPath: "/config",
    dynamicPaths: ["Jackett/log.txt"],
  });
  const program = [
    "trap 'exit 0' TERM",
    "while :; do",
    '  echo "$(date -u +%FT%TZ) Info $(ls /config/Jackett/Indexers | wc -l) indexers" >>/config/Jackett/log.txt',
    "  sleep 10 & wait $!",
    "done",
  ];
  const workload = deployment(app, {
    command: ["sh", "-c", program.join("\n")],
    runAs: { uid: 65_534, gid: 65_534 },
    mounted: [mountedClaim(claim)],
    ...probes({ exec: { command: ["test", "-s", "/config/Jackett/ServerConfig.json"] } }),
  });
  return { ...app, claims: [claim], workloads: [workload] };
})();

/** The real program. It keeps a socket in its volume, which no file-level backup can hold. */
const qbittorrent = ((): AppDefinition => {
  const app = { name: "qbittorrent", namespace };
  const claim = nfsClaim(namespace, {
    name: "qbittorrent",
    shape: "qbittorrent",
    mountPath: "/config",
    // Its settings are rewritten all the time; the torrents' states only when something happens to them.
    dynamicPaths: [
      "qBittorrent/cache",
      "qBittorrent/config/*",
      "qBittorrent/data/logs",
      "qBittorrent/data/rss",
      "qBittorrent/data/GeoDB",
    ],
  });
  const workload = deployment(app, {
    image: imageReferences.qbittorrent,
    command: ["qbittorrent-nox", "--profile=/config", "--webui-port=8080"],
    runAs: { uid: 1000, gid: 1000 },
    mounted: [mountedClaim(claim), media],
    ...probes({ httpGet: { path: "/api/v2/app/version", port: 8080 } }),
  });
  return { ...app, claims: [claim], workloads: [workload] };
})();

export const mediaApps: readonly AppDefinition[] = [sonarr, radarr, jackett, plex, qbittorrent];
