/** What a capture needs of a command's world: rights, settings, and who looks at the copies. */
import type { CaptureOptions, CaptureProgress } from "../capture/capture.ts";
import type { CapturePlan } from "../capture/plan.ts";
import { type Verification, verifyBackup } from "../capture/verify.ts";
import type { Context } from "../context.ts";
import { formatBytes } from "../model/units.ts";
import { lineageOf, type Volume, volumeName } from "../model/volume.ts";
import type { Agents } from "../systems/agent/port.ts";
import type { AccessRule } from "../systems/kubernetes/port.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { mayBeEmpty } from "./survey.ts";
import type { World } from "./world.ts";

/** ms after which a staging pod that does not come up is given up, so that the others are copied. */
const stagingTimeout = 120_000;

/** `wait`: the copies are verified too, by an agent. */
export const captureRules = ({ loaded }: World, plan: CapturePlan, wait: boolean): readonly AccessRule[] => {
  const { velero, holdfast } = loaded.config;
  const namespaces = [
    ...new Set([...plan.staged.map(({ volume }) => volume.namespace), ...(wait ? [holdfast.namespace] : [])]),
  ];
  return [
    { verb: "create", resource: resources.backups, namespace: velero.namespace },
    { verb: "list", resource: resources.podVolumeBackups, namespace: velero.namespace },
    ...namespaces.flatMap((namespace) =>
      ["create", "delete"].map((verb) => ({ verb, resource: resources.pods, namespace })),
    ),
  ];
};

export const captureOptions = async (
  world: World,
  timeout: number,
  onProgress: CaptureOptions["onProgress"],
): Promise<CaptureOptions> => {
  const { velero, holdfast } = world.loaded.config;
  return {
    context: world.context,
    kubernetes: await world.kubernetes(),
    veleroNamespace: velero.namespace,
    storageLocation: velero.storageLocation,
    policyConfigMap: velero.policyConfigMap,
    image: holdfast.image,
    stagingTimeout,
    timeout,
    onProgress,
  };
};

export const captureText = (now: CaptureProgress): string =>
  `${now.phase}, ${now.itemsDone}/${now.itemsTotal} objects, ${now.volumesDone}/${now.volumesTotal} volumes, ${formatBytes(now.bytesDone)} of ${formatBytes(now.bytesTotal)}`;

interface Verifying {
  /** The backup's. */
  readonly name: string;
  readonly expected: readonly string[];
  /** All that there are, with their lineages. */
  readonly volumes: readonly Volume[];
  readonly filesPercent: number;
  readonly onDetail: (text: string, data?: object) => void;
  /** For a process under a lock; else the world's own. */
  readonly acting?: { readonly context: Context; readonly agents: Agents };
}

export const verifyCapture = async (
  world: World,
  { name, expected, volumes, filesPercent, onDetail, acting }: Verifying,
): Promise<Verification> =>
  verifyBackup(name, expected, {
    context: acting?.context ?? world.context,
    kubernetes: await world.kubernetes(),
    agents: acting?.agents ?? (await world.agents()),
    store: world.store(),
    source: await world.points(),
    filesPercent,
    mayBeEmpty: mayBeEmpty(world.loaded.config),
    lineages: Object.fromEntries(volumes.flatMap((volume) => lineageEntry(volume))),
    onLine: (line) => {
      if (line.type === "step") onDetail(line.title);
      if (line.type === "checked")
        onDetail(`${line.volume}: ${line.evidence.verdict}, ${line.evidence.files} files`, {
          volume: line.volume,
          verdict: line.evidence.verdict,
        });
    },
  });

const lineageEntry = (volume: Volume): readonly (readonly [string, string])[] => {
  const lineage = lineageOf(volume);
  return lineage === undefined ? [] : [[volumeName(volume), lineage]];
};
