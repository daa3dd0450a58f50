/** Reads what `status`, `why` and `restore` all start from: the volumes, the points, and coverage. */
import type { Exclusion } from "../inventory/coverage.ts";
import { coverage, type CoverageRow } from "../inventory/coverage.ts";
import { readLastKnown } from "../inventory/last-known.ts";
import { readPoints } from "../inventory/points.ts";
import type { PersistentVolume } from "../inventory/raw.ts";
import { readClusterObjects } from "../inventory/read.ts";
import { volumesOf } from "../inventory/volumes.ts";
import { isFailure, type Failure } from "../model/failure.ts";
import type { PointDetails } from "../model/point.ts";
import { parseDuration } from "../model/units.ts";
import { type Volume, volumeName } from "../model/volume.ts";
import type { Config } from "../config/schema.ts";
import { lineagesOf, liveNasView } from "./nas-view.ts";
import type { World } from "./world.ts";

export interface Survey {
  readonly volumes: readonly Volume[];
  readonly points: readonly PointDetails[];
  readonly rows: readonly CoverageRow[];
  /** Set when the API server did not answer and the volumes are those of a backup. */
  readonly lastKnown: { readonly point: PointDetails; readonly because: Failure } | undefined;
}

/** "media/*" as a pattern: a star stands for anything but a slash. */
const matcher = (pattern: string): ((name: string) => boolean) => {
  const source = pattern
    .split("*")
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
    .join("[^/]*");
  const expression = new RegExp(`^${source}$`);
  return (name) => expression.test(name);
};

/** What holdfast.yaml leaves out on purpose. */
export const exclusionsOf = (config: Config): readonly Exclusion[] =>
  config.volumes.exclude.map(({ volume, reason }) => {
    const matches = matcher(volume);
    return { reason, matches: (candidate) => matches(volumeName(candidate)) };
  });

/** Volumes that may be empty without anybody being worried. */
export const mayBeEmpty = (config: Config): ((name: string) => boolean) => {
  const matchers = config.volumes.expectEmpty.map(matcher);
  return (name) => matchers.some((matches) => matches(name));
};

/** True when the API server cannot be asked at all, so that what the bucket knows is all there is. */
export const cannotAsk = (error: unknown): error is Failure =>
  isFailure(error, "KUBERNETES_UNREACHABLE", "KUBECONFIG_MISSING", "KUBERNETES_UNTRUSTED", "KUBERNETES_UNAUTHORIZED");

/** Cluster and bucket are read side by side; when the cluster does not answer, the newest backup says what was there. */
export const survey = async (world: World): Promise<Survey> => {
  const { config } = world.loaded;
  const source = await world.points();
  const [points, live, nas] = await Promise.all([readPoints(source), readLive(world), liveNasView(world)]);
  const known = "volumes" in live ? undefined : await readLastKnown(source.bucket, source.prefix, points);
  if (!("volumes" in live) && known === undefined) throw live.because;
  const { volumes, continuations } = await ("volumes" in live
    ? lineagesOf(world, live.volumes, live.pvs, nas)
    : lineagesOf(world, known?.volumes ?? [], undefined, nas));
  const rows = coverage({
    volumes,
    points,
    exclusions: exclusionsOf(config),
    rpo: parseDuration(config.policy.rpo) ?? 0,
    now: world.context.clock.now(),
    continuations,
  });
  const lastKnown =
    "volumes" in live || known === undefined ? undefined : { point: known.point, because: live.because };
  return { volumes, points, rows, lastKnown };
};

interface Live {
  readonly volumes: readonly Volume[];
  readonly pvs: readonly PersistentVolume[];
}

const readLive = async (world: World): Promise<Live | { readonly because: Failure }> => {
  try {
    const objects = await readClusterObjects(await world.kubernetes());
    return { volumes: volumesOf(objects), pvs: objects.persistentVolumes };
  } catch (error) {
    if (cannotAsk(error)) return { because: error };
    throw error;
  }
};
