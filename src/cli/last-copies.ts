/** Makes the last copies of volumes that are to go: a backup of them alone, through staging pods, verified to its last byte. */
import { backupName, type CaptureOptions, finishCapture, startCapture, waitForCapture } from "../capture/capture.ts";
import { planCapture } from "../capture/plan.ts";
import type { Context } from "../context.ts";
import type { LastCopies, LastCopyInput } from "../guard/retire/steps/last-copy.ts";
import { readPoint } from "../inventory/points.ts";
import { readClusterObjects } from "../inventory/read.ts";
import { volumesOf } from "../inventory/volumes.ts";
import { Failure } from "../model/failure.ts";
import { volumeName } from "../model/volume.ts";
import type { Agents } from "../systems/agent/port.ts";
import type { Kubernetes } from "../systems/kubernetes/port.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { captureOptions, captureText, verifyCapture } from "./capture-world.ts";
import { lineagesOf, liveNasView } from "./nas-view.ts";
import { exclusionsOf } from "./survey.ts";
import type { World } from "./world.ts";

export interface Acting {
  /** The cluster as a process under a lock has it that tidies away what it has made. */
  readonly making: Kubernetes;
  readonly agents: () => Promise<Agents>;
  /** ms for each wait. */
  readonly timeout: number;
}

type Saying = Parameters<LastCopies["make"]>[1];

const optionsFor = async (world: World, { making, timeout }: Acting, context: Context, say: Saying["say"]) => ({
  ...(await captureOptions(world, timeout, (now) => say(captureText(now), { ...now }))),
  context,
  kubernetes: making,
  onlyStaged: true,
});

const readVolumes = async (world: World, kubernetes: Kubernetes) => {
  const [objects, nas] = await Promise.all([readClusterObjects(kubernetes), liveNasView(world)]);
  return (await lineagesOf(world, volumesOf(objects), objects.persistentVolumes, nas)).volumes;
};

/** A backup that an earlier process has begun is waited for. */
const capture = async (world: World, { point, volumes }: LastCopyInput, options: CaptureOptions): Promise<void> => {
  const { kubernetes, veleroNamespace: namespace } = options;
  const name = backupName(point);
  const found = await kubernetes.get(resources.backups, { namespace, name });
  try {
    if (found === undefined) {
      const wanted = (await readVolumes(world, kubernetes)).filter((volume) => volumes.includes(volumeName(volume)));
      await startCapture(point, planCapture(wanted, exclusionsOf(world.loaded.config)), options);
    }
    await waitForCapture(name, options);
  } finally {
    await finishCapture(options);
  }
};

const todo =
  "Nothing was deleted. Mend what the message says, or retire it without a last copy: --no-copy. `holdfast doctor` looks at Velero and the bucket.";

/** `LastCopies` by Velero. */
export const lastCopiesOf = (world: World, acting: Acting): LastCopies => {
  const pointNow = async ({ point }: LastCopyInput) => readPoint(await world.points(), backupName(point));
  return {
    make: async (wanted, { signal, say }) => {
      const context = { ...world.context, signal };
      await capture(world, wanted, await optionsFor(world, acting, context, say));
      const { missing, failed, point } = await verifyCapture(world, {
        name: backupName(wanted.point),
        expected: wanted.volumes,
        volumes: await readVolumes(world, acting.making),
        filesPercent: 100,
        onDetail: say,
        acting: { context, agents: await acting.agents() },
      });
      const bad = wanted.volumes.filter((volume) => failed[volume] !== undefined);
      if (bad.length > 0)
        throw new Failure("VERIFICATION_FAILED", {
          what: `The last copy of ${bad.join(", ")} is bad.`,
          why: bad.map((volume) => `${volume}: ${failed[volume]}`).join("; "),
          todo,
        });
      const absent = wanted.volumes.filter((volume) => point.evidence[volume]?.verdict !== "verified");
      if (absent.length > 0)
        throw new Failure("BACKUP_PARTIAL", {
          what: `The last copy lacks ${absent.join(", ")}.`,
          why: absent
            .map((volume) => `${volume}: ${missing[volume] ?? point.skipped[volume] ?? "nothing was stored of it"}`)
            .join("; "),
          todo,
        });
    },
    areThere: async (wanted) => {
      const point = await pointNow(wanted);
      return wanted.volumes.every((volume) => point?.evidence[volume]?.verdict === "verified");
    },
    tidy: async () => finishCapture(await optionsFor(world, acting, world.context, () => undefined)),
  };
};
