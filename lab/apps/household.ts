/** Namespaces `home` and `dns`. */
import type { AppDefinition } from "./app.ts";
import { nfsClaim } from "./claims.ts";
import { sqliteApp } from "./sqlite-app.ts";

const mealie = sqliteApp({
  name: "mealie",
  namespace: "home",
  claim: (space, details) => nfsClaim(space, { ...details, size: "2Gi" }),
  shape: "mealie",
  mountPath: "/app/data",
  database: "mealie.db",
  log: "mealie.log",
  runAs: { uid: 911, gid: 100 },
});

/** Runs as root, as Pi-hole's image does, and keeps a second database of queries. */
const pihole = sqliteApp({
  name: "pihole",
  namespace: "dns",
  claim: nfsClaim,
  shape: "pihole",
  mountPath: "/etc/pihole",
  database: "gravity.db",
  logDatabase: "pihole-FTL.db",
});

export const householdApps: readonly AppDefinition[] = [mealie, pihole];
