/** Apps whose state is an SQLite database, played by stand-in.sh. */
import { join } from "node:path/posix";
import type { AppDefinition, Claim } from "./app.ts";
import { databaseFiles } from "./claims.ts";
import {
  type AppName,
  deployment,
  type Mounted,
  mountedClaim,
  mountedScripts,
  type Owner,
  probes,
  scripts,
} from "./workload.ts";

export interface SqliteApp extends AppName {
  /** Makes the app's only claim; the rest of it follows from here. */
  readonly claim: (namespace: string, details: Omit<Claim, "storageClass" | "size" | "provision" | "seed">) => Claim;
  readonly shape: NonNullable<Claim["shape"]>;
  readonly mountPath: string;
  /** Relative to the volume, as the next two. */
  readonly database: string;
  readonly logDatabase?: string;
  /** Without one the log lies outside the volume. */
  readonly log?: string;
  readonly runAs?: Owner;
  readonly mounted?: readonly Mounted[];
}

const listOf = <T>(value: T | undefined): T[] => (value === undefined ? [] : [value]);

export const sqliteApp = (app: SqliteApp): AppDefinition => {
  const { name, namespace, mountPath, database, logDatabase, log, shape } = app;
  const databases = [database, ...listOf(logDatabase)];
  const dynamicPaths = [...databases.flatMap(databaseFiles), ...listOf(log)];
  const claim = app.claim(namespace, { name, shape, mountPath, database, dynamicPaths });
  const files = ["stand-in.sh", "is-ready.sh"];
  const workload = deployment(app, {
    command: ["sh", "/app/stand-in.sh"],
    env: {
      DATABASE: join(mountPath, database),
      SEED: claim.seed,
      LOG: log === undefined ? `/tmp/${name}.log` : join(mountPath, log),
      ...(logDatabase === undefined ? {} : { LOG_DATABASE: join(mountPath, logDatabase) }),
    },
    ...(app.runAs === undefined ? {} : { runAs: app.runAs }),
    mounted: [mountedClaim(claim), ...(app.mounted ?? []), mountedScripts(app)],
    ...probes({ exec: { command: ["sh", "/app/is-ready.sh"] } }),
  });
  return { name, namespace, claims: [claim], workloads: [scripts(app, files), workload] };
};
