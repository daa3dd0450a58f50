/** What docs/lab.md says of a lab that runs. Runs on the lab's laptop. */
import { lookup } from "node:dns/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { Deployment } from "kubernetes-types/apps/v1.d.ts";
import type {
  NodeList,
  PersistentVolumeClaimList,
  PersistentVolumeList,
  Pod,
  PodList,
} from "kubernetes-types/core/v1.d.ts";
import { beforeAll, describe, expect, it } from "vitest";
import { apps } from "../../lab/apps/apps.ts";
import { waitForApps } from "../../lab/apps/readiness.ts";
import { checkClaim } from "../../lab/checking.ts";
import { driverNames } from "../../lab/csi/volume-shape.ts";
import { checkout, network } from "../../lab/lab.ts";
import { seededClaims } from "../../lab/planting.ts";
import { run, RunError, type RunOptions, type RunResult } from "../../lab/shell/run.ts";
import { initOf } from "../../lab/site/inside.ts";
import { openRunningLab, type RunningLab } from "./running-lab.ts";

let running: RunningLab;
const kubectl = (...words: readonly string[]): Promise<string> => running.kubectl(words);

beforeAll(async () => {
  running = await openRunningLab();
});

/** In the first pod of an app, or in the pod of that name. */
const inPod = async (namespace: string, app: string, ...command: readonly string[]): Promise<string> =>
  (await kubectl("-n", namespace, "exec", `deployment/${app}`, "--", ...command)).trim();

const labCommand = (words: readonly string[], options: RunOptions = {}): Promise<RunResult> =>
  run(process.execPath, ["bootstrap/run.mjs", "lab/main.ts", "--name", running.lab.name, ...words], {
    cwd: checkout,
    ...options,
  });

const seeded = seededClaims(apps).map(({ namespace, claim }) => ({ namespace, claim: claim.name, definition: claim }));
const withDatabase = seeded.filter(({ definition }) => definition.database !== undefined);

describe("the machines", () => {
  it("are a NAS and a node, each with an address and a name of its own", async () => {
    for (const [name, address] of [
      ["nas.lab", network.nas],
      ["node.lab", network.node],
    ] as const) {
      expect((await lookup(name)).address).toBe(address);
    }
    expect(initOf(running.lab, "nas")).toBeGreaterThan(1);
    expect(initOf(running.lab, "node")).toBeGreaterThan(1);
  });

  it("run the upstream Kubernetes, containerd and etcd", async () => {
    const { items } = await running.get<NodeList>("nodes");
    const info = items[0]?.status?.nodeInfo;
    expect(items).toHaveLength(1);
    expect(info?.kubeletVersion).toBe("v1.34.4");
    expect(info?.containerRuntimeVersion).toMatch(/^containerd:\/\/\d/);
    const version = JSON.parse(await kubectl("version", "-o", "json")) as { serverVersion: { gitVersion: string } };
    expect(version.serverVersion.gitVersion).toBe("v1.34.4");
    expect((await run(running.binary("etcd"), ["--version"])).stdout).toContain("3.6.16");
  });

  it("cannot reach the world", async () => {
    await expect(inPod("media", "sonarr", "nslookup", "example.com")).rejects.toThrow(RunError);
  });
});

describe("the apps", () => {
  it("are all Ready", async () => {
    await waitForApps(running.kubectl);
    const { items } = await running.get<PodList>("pods", "-A");
    const ready = new Set(
      items
        .filter(({ status }) => status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True"))
        .map(({ metadata }) => `${metadata?.namespace}/${metadata?.labels?.["app.kubernetes.io/name"]}`),
    );
    const withoutPods = new Set(["orphan-data", "cron", "never-bound"]);
    const expected = apps.filter(({ name }) => !withoutPods.has(name));
    expect(expected.map(({ namespace, name }) => `${namespace}/${name}`).filter((app) => !ready.has(app))).toEqual([]);
  });

  it.each(seeded)("have exactly what the seed says in $namespace/$claim", async ({ namespace, claim }) => {
    const { files, bytes, mismatches } = await checkClaim(running.lab, running.kubectl, { namespace, claim });
    expect(mismatches).toEqual([]);
    expect(files).toBeGreaterThanOrEqual(20);
    expect(bytes).toBeGreaterThan(10_000);
  });

  it.each(withDatabase)(
    "write to SQLite without pause, in WAL mode: $claim",
    async ({ namespace, claim, definition }) => {
      const chain = async () => (await checkClaim(running.lab, running.kubectl, { namespace, claim })).chain;
      const first = await chain();
      expect(first).toMatchObject({ ok: true, integrity: "ok", gaps: 0 });
      await sleep(2000);
      const second = await chain();
      expect(second).toMatchObject({ ok: true });
      expect(second!.lastSeq).toBeGreaterThan(first!.lastSeq + 2);
      const wal = `${definition.mountPath}/${definition.database}-wal`;
      expect(Number(await inPod(namespace, claim, "stat", "-c", "%s", wal))).toBeGreaterThan(0);
    },
  );

  it("include the real qBittorrent, with 500 torrents", async () => {
    const api = (path: string): Promise<string> =>
      inPod("media", "qbittorrent", "wget", "-q", "-O", "-", `http://localhost:8080/api/v2/${path}`);
    expect(await api("app/version")).toMatch(/^v\d+\.\d+/);
    expect(JSON.parse(await api("torrents/info"))).toHaveLength(500);
  });

  it("see the films on the NAS, which no backup holds", async () => {
    for (const app of ["plex", "sonarr", "radarr", "qbittorrent"]) {
      expect((await inPod("media", app, "ls", "/media")).split("\n")).toEqual(["README", "films"]);
    }
  });
});

describe("the volumes", () => {
  const volumeOf = async (namespace: string, claim: string) => {
    const { items } = await running.get<PersistentVolumeList>("persistentvolumes");
    return items.find(({ spec }) => spec?.claimRef?.namespace === namespace && spec.claimRef.name === claim);
  };
  const claimsOf = async (namespace: string) =>
    new Map(
      (await running.get<PersistentVolumeClaimList>("persistentvolumeclaims", "-n", namespace)).items.map((claim) => [
        claim.metadata?.name,
        claim,
      ]),
    );
  const claimsMounted = ({ spec }: Pod): readonly (string | undefined)[] =>
    (spec?.volumes ?? []).map(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName);

  it("look as democratic-csi makes them", async () => {
    const [nfs, iscsi] = [await volumeOf("media", "radarr"), await volumeOf("media", "sonarr")];
    expect(nfs?.spec?.csi).toMatchObject({
      driver: driverNames.nfs,
      volumeAttributes: {
        node_attach_driver: "nfs",
        server: network.nas,
        share: expect.stringMatching(/^\/mnt\/tank\//) as string,
      },
    });
    expect(iscsi?.spec?.csi).toMatchObject({
      driver: driverNames.iscsi,
      fsType: "ext4",
      volumeAttributes: { node_attach_driver: "iscsi", lun: "0", iqn: expect.stringMatching(/^iqn\./) as string },
    });
  });

  it("are a dataset of ZFS, or ext4 on a block device", async () => {
    const typeOf = async (app: string) =>
      (await inPod("media", app, "grep", " /config ", "/proc/mounts")).split("\n")[0]?.split(" ")[2];
    expect([await typeOf("radarr"), await typeOf("sonarr")]).toEqual(["fuse.zfs", "ext4"]);
  });

  it("include a StatefulSet's, one that no pod mounts, one for an init container only, and one that is never bound", async () => {
    const claims = await claimsOf("misc");
    const phase = (name: string) => claims.get(name)?.status?.phase;
    const names = [
      "data-postgres-like-0",
      "data-postgres-like-1",
      "orphan-data",
      "init-only",
      "cron-data",
      "never-bound",
    ];
    expect(names.map(phase)).toEqual(["Bound", "Bound", "Bound", "Bound", "Bound", "Pending"]);
    const pods = (await running.get<PodList>("pods", "-n", "misc")).items;
    const running_ = pods.filter(({ status }) => status?.phase === "Running");
    for (const claim of ["orphan-data", "cron-data", "never-bound"]) {
      expect(running_.filter((pod) => claimsMounted(pod).includes(claim))).toEqual([]);
    }
    const initOnly = running_.find(({ metadata }) => metadata?.name?.startsWith("init-only"));
    const mounts = (of: { readonly volumeMounts?: readonly { readonly name: string }[] } | undefined) =>
      of?.volumeMounts?.map(({ name }) => name) ?? [];
    expect(mounts(initOnly?.spec?.initContainers?.[0])).toContain("init-only");
    expect(mounts(initOnly?.spec?.containers[0])).not.toContain("init-only");
  });

  it("include an empty one and one on the node's own disk", async () => {
    expect(await inPod("misc", "toolbox", "ls", "-A", "/empty")).toBe("");
    expect((await volumeOf("misc", "host-data"))?.spec?.hostPath?.path).toContain("/host-data");
    expect(await inPod("misc", "toolbox", "ls", "/host-data")).toContain("folder-0");
  });

  it("are beside an emptyDir in every app, which no backup holds", async () => {
    const { items } = await running.get<PodList>("pods", "-n", "media");
    expect(items.length).toBeGreaterThan(4);
    expect(items.every(({ spec }) => spec?.volumes?.some(({ emptyDir }) => emptyDir !== undefined))).toBe(true);
  });
});

describe("Velero", () => {
  it("runs with the NAS' bucket, which it can use", async () => {
    const location = await running.get<{ status: { phase: string }; spec: { config: { s3Url: string } } }>(
      "-n",
      "velero",
      "backupstoragelocation",
      "default",
    );
    expect(location).toMatchObject({
      status: { phase: "Available" },
      spec: { config: { s3Url: "https://nas.lab:9000" } },
    });
  });

  it("never deletes a backup on its own", async () => {
    const server = await running.get<Deployment>("-n", "velero", "deployment", "velero");
    expect(server.spec?.template.spec?.containers[0]?.args).toContain("--disable-controllers=gc");
  });

  it("copies a volume through node-agent with kopia, and the copy is complete", async () => {
    const name = `lab-test-${Date.now()}`;
    const velero = (words: readonly string[]): Promise<RunResult> =>
      run(running.binary("velero"), ["--kubeconfig", process.env["KUBECONFIG"] ?? "", ...words]);
    await velero(["backup", "create", name, "--include-namespaces", "home", "--wait"]);
    try {
      const backup = await running.get<{ status: object }>("-n", "velero", "backup", name);
      expect(backup.status).toMatchObject({ phase: "Completed" });
      const copies = await running.get<{ items: { spec: object; status: object }[] }>(
        "-n",
        "velero",
        "podvolumebackups",
        "-l",
        `velero.io/backup-name=${name}`,
      );
      const mealie = copies.items.find(({ spec }) => (spec as { volume: string }).volume === "mealie");
      expect(mealie).toMatchObject({ spec: { uploaderType: "kopia" }, status: { phase: "Completed" } });
    } finally {
      await velero(["backup", "delete", name, "--confirm"]);
    }
  });
});

describe("npm run lab --", () => {
  it("exec finds KUBECONFIG and holdfast.yaml, and kubectl, velero, kopia and holdfast on PATH", async () => {
    const script = 'test -s "$KUBECONFIG" && test -s "$HOLDFAST_CONFIG" && which kubectl velero kopia holdfast';
    const { stdout } = await labCommand(["exec", "--", "sh", "-c", script]);
    expect(stdout.trim().split("\n")).toHaveLength(4);
  });

  it("exec passes on standard input, words with spaces, both outputs and the exit status", async () => {
    const words = ["exec", "--", "sh", "-c", 'cat; echo "$1"; echo problem >&2; exit 7', "sh", "two words"];
    await expect(labCommand(words, { input: "typed\n" })).rejects.toMatchObject({
      exitCode: 7,
      stdout: "typed\ntwo words\n",
      stderr: "problem\n",
    });
  });

  it("kubectl and velero run those directly", async () => {
    expect((await labCommand(["kubectl", "--", "get", "namespaces", "-o", "name"])).stdout).toContain(
      "namespace/media",
    );
    expect((await labCommand(["velero", "--", "version", "--client-only"])).stdout).toContain("v1.18.3");
  });

  it("status shows machines, pods and claims; logs lists and shows logs", async () => {
    const { stdout } = await labCommand(["status"]);
    expect(stdout).toContain("site: up, nas: up, node: up");
    expect(stdout).toContain("persistentvolumeclaim/radarr");
    expect((await labCommand(["logs"])).stdout).toContain("node-kubelet");
    expect((await labCommand(["logs", "kubelet"])).stdout.length).toBeGreaterThan(10);
    await expect(labCommand(["logs", "nothing"])).rejects.toMatchObject({ exitCode: 2 });
  });

  it("says shortly what is wrong with a command or a lab that is not there", async () => {
    await expect(labCommand(["fly"])).rejects.toMatchObject({ exitCode: 2 });
    const absent = run(
      process.execPath,
      ["bootstrap/run.mjs", "lab/main.ts", "--name", "absent", "exec", "--", "true"],
      {
        cwd: checkout,
      },
    );
    await expect(absent).rejects.toMatchObject({
      exitCode: 2,
      stderr: 'the lab "absent" is not running; start it with: npm run lab -- up\n',
    });
  });
});
