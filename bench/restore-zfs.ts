/**
 * `holdfast restore --from zfs` of a small and of a large volume, from the command's start to an app that is Ready again
 * (pod to pod), beside the app's own stop and start. The time must not grow with the size.
 */
import { storageClassNames } from "../lab/csi/manifests.ts";
import { datasets } from "../lab/nas/nas.ts";
import { withoutSync } from "../lab/nas/fuse.ts";
import { runInside } from "../lab/site/daemon.ts";
import { idleApp } from "../lab/apps/workload.ts";
import { nfsClaim } from "../lab/apps/claims.ts";
import { holdfastCommand } from "../lab/exec.ts";
import { median, publish, round, table } from "./result.ts";
import { install, quieten, timed, type World } from "./world.ts";

const namespace = "bench-zfs";
const sizes = { small: 200, large: 4000 } as const;
type Size = keyof typeof sizes;

const appOf = (size: Size) =>
  idleApp({ name: size, namespace }, [nfsClaim(namespace, { name: size, size: "8Gi", mountPath: "/data" })]);

const inPod = (world: World, size: Size, script: string): Promise<string> =>
  world.kubectl(["-n", namespace, "exec", `deployment/${size}`, "--", "sh", "-c", script]);

const snapshot = async (world: World, size: Size): Promise<void> => {
  const { kubectl, lab } = world;
  const pv = await kubectl(["-n", namespace, "get", "pvc", size, "-o", "jsonpath={.spec.volumeName}"]);
  const handle = await kubectl(["get", "pv", pv.trim(), "-o", "jsonpath={.spec.csi.volumeHandle}"]);
  await runInside(lab, "nas", [...withoutSync(), "zfs", "snapshot", `${datasets.nfs}/${handle.trim()}@bench`]);
};

/** Ways to see what is in a volume. To read gigabytes takes far longer than to restore them, so most look at the edge only. */
const looks = {
  whole: "sha256sum </data/blob",
  edge: "stat -c %s /data/blob; head -c 1000000 /data/blob | sha256sum",
} as const;
type Look = keyof typeof looks;

/** Fills the volume, and remembers what it holds. */
const fill = async (world: World, size: Size): Promise<Record<Look, string>> => {
  await inPod(world, size, `dd if=/dev/urandom of=/data/blob bs=1000000 count=${sizes[size]} 2>/dev/null; sync`);
  await snapshot(world, size);
  return { whole: await inPod(world, size, looks.whole), edge: await inPod(world, size, looks.edge) };
};

const restore = async (world: World, size: Size, look: Look, wanted: Record<Look, string>): Promise<number> => {
  await inPod(world, size, "echo gone >/data/blob");
  const seconds = await timed(() =>
    world.run(holdfastCommand("restore", `${namespace}/${size}`, "--from", "zfs", "--snapshot", "bench", "--yes")),
  );
  if ((await inPod(world, size, looks[look])) !== wanted[look]) throw new Error(`${size} is not what was snapshotted`);
  await world.run(holdfastCommand("undo", "--yes"));
  return seconds;
};

/** Stops the app and starts it again, as a restore does. */
const bounce = ({ kubectl }: World, size: Size): Promise<number> =>
  timed(async () => {
    const scale = (replicas: number) =>
      kubectl(["-n", namespace, "scale", `deployment/${size}`, `--replicas=${replicas}`]);
    await scale(0);
    await kubectl([
      "-n",
      namespace,
      "wait",
      "--for=delete",
      "pod",
      "-l",
      `app.kubernetes.io/name=${size}`,
      "--timeout=60s",
    ]);
    await scale(1);
    await kubectl(["-n", namespace, "rollout", "status", `deployment/${size}`, "--timeout=60s"]);
  });

/** A restore is as fast as the kubelet is just then, a second more or less: several a run, none always behind the same one. */
const rounds: readonly (readonly [Size, Look])[] = [
  ["small", "edge"],
  ["large", "edge"],
  ["large", "edge"],
  ["small", "edge"],
  ["large", "whole"],
  ["small", "whole"],
];

export const benchRestoreZfs = async (world: World, runs: number): Promise<void> => {
  const { report } = world;
  const filled = await report.step("apps and their volumes", async () => {
    await quieten(world);
    await install(world, [appOf("small"), appOf("large")]);
    return { small: await fill(world, "small"), large: await fill(world, "large") };
  });
  const times = { small: [] as number[], large: [] as number[], bounce: [] as number[] };
  for (let run = 1; run <= runs; run++) {
    for (const [size, look] of rounds)
      await report.step(
        `run ${run}: ${sizes[size]} MB`,
        async () => void times[size].push(await restore(world, size, look, filled[size])),
      );
    await report.step(`run ${run}: the app alone`, async () => void times.bounce.push(await bounce(world, "small")));
  }
  process.stdout.write(
    `\nrestore-zfs\n${table({ "restore --from zfs, 0.2 GB": times.small, "restore --from zfs, 4 GB": times.large, "the app's own stop and start": times.bounce })}\n`,
  );
  const [small, large, own] = [median(times.small), median(times.large), median(times.bounce)];
  publish({
    name: "restore-zfs",
    ours: round(large),
    theirs: null,
    ratio: null,
    unit: "s",
    runs,
    small: round(small),
    largeToSmall: round(large / small),
    appStopAndStart: round(own),
    beyondTheApp: round(large - own),
    storageClass: storageClassNames.nfs,
  });
};
