/** What users get wrong, and what goes wrong around them: a clear error each, and data and replicas as they were. */
import { existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { paths } from "../../lab/lab.ts";
import { runInside } from "../../lab/site/daemon.ts";
import { applyObjects } from "../../lab/site/kubectl.ts";
import { openRunningLab, type RunningLab } from "../lab/running-lab.ts";
import type { StatusAnswer } from "../lab/support/answers.ts";
import { ensureBackup } from "../lab/support/a-backup.ts";
import { answer, holdfast, type HoldfastOptions, startHoldfast } from "../lab/support/cli.ts";
import {
  checkRestored,
  type ClaimPath,
  leftovers,
  makeClaim,
  ownEntries,
  pods,
  removeClaim,
  replicas,
  treeOf,
} from "../lab/support/cluster.ts";
import { kubeconfigWith, openFolder } from "../lab/support/configs.ts";

const folder = openFolder();
const quiet: ClaimPath = ["misc", "orphan-data"];
let lab: RunningLab;
let before: readonly unknown[];

const situation = async (): Promise<readonly unknown[]> => [
  await treeOf(lab, quiet),
  await replicas(lab),
  await leftovers(lab),
];

beforeAll(async () => {
  lab = await openRunningLab();
  await ensureBackup();
  await holdfast(["restore", quiet.join("/"), "--yes"]);
  before = await situation();
});

/** Runs it and expects exactly this failure. */
const refused = async (
  words: readonly string[],
  [status, code]: readonly [number, string],
  options: HoldfastOptions = {},
): Promise<string> => {
  const ran = await holdfast(words, options);
  expect({ status: ran.status, code: /\(([A-Z_]+)\)\n$/.exec(ran.stderr)?.[1], stderr: ran.stderr }).toMatchObject({
    status,
    code,
  });
  return ran.stderr;
};

const restoreQuiet = ["restore", quiet.join("/"), "--yes"];

describe("refused before anything changes", () => {
  afterEach(async () => expect(await situation()).toEqual(before));

  it("an unknown volume, with the nearest name", async () => {
    expect(await refused(["restore", "media/sonnar", "--yes"], [2, "VOLUME_UNKNOWN"])).toContain("media/sonarr");
  });

  it("an unknown namespace, with the nearest name", async () => {
    expect(await refused(["restore", "medai/sonarr", "--yes"], [2, "NAMESPACE_UNKNOWN"])).toContain("media");
  });

  it("an unknown point", async () => {
    await refused([...restoreQuiet, "--point", "20010101t0000-aaaa"], [10, "POINT_UNKNOWN"]);
  });

  it("a point without that volume", async () => {
    await lab.kubectl(["-n", "velero", "get", "backups"]);
    await runInside(lab.lab, "site", [
      "env",
      `KUBECONFIG=${paths(lab.lab).kubeconfig}`,
      lab.binary("velero"),
      "backup",
      "create",
      "dns-only",
      "--include-namespaces",
      "dns",
      "--wait",
    ]);
    await refused([...restoreQuiet, "--point", "dns-only"], [10, "COPY_MISSING"]);
  });

  it("a holdfast.yaml with a mistake, by line and column, with a hint", async () => {
    const config = folder.write("broken.yaml", "version: 1\nbucket:\n  endpint: https://nas.lab:9000\n");
    expect(await refused(["status", "--config", config], [2, "CONFIG_INVALID"])).toMatch(
      /broken\.yaml:3:\d+[\s\S]*endpoint/,
    );
  });

  it("no kubeconfig", async () => {
    const config = folder.config("no-kubeconfig", ({ cluster }) => delete cluster.kubeconfig);
    await refused([...restoreQuiet, "--config", config], [2, "KUBECONFIG_MISSING"], {
      env: { KUBECONFIG: undefined, HOME: folder.path },
    });
  });

  it("a missing right, by its rule", async () => {
    await lab.kubectl(["-n", "default", "create", "serviceaccount", "reader"]);
    await lab.kubectl([
      "create",
      "clusterrolebinding",
      "reader",
      "--clusterrole=view",
      "--serviceaccount=default:reader",
    ]);
    await lab.kubectl([
      "create",
      "clusterrole",
      "volumes-reader",
      "--verb=get,list",
      "--resource=persistentvolumes,namespaces,nodes",
    ]);
    await lab.kubectl([
      "create",
      "clusterrolebinding",
      "volumes-reader",
      "--clusterrole=volumes-reader",
      "--serviceaccount=default:reader",
    ]);
    const token = (await lab.kubectl(["-n", "default", "create", "token", "reader"])).trim();
    const kubeconfig = kubeconfigWith(folder, "reader.kubeconfig", ({ users }) =>
      users.forEach((user) => (user.user = { token })),
    );
    const text = await refused([...restoreQuiet, "--kubeconfig", kubeconfig], [5, "KUBERNETES_FORBIDDEN"]);
    expect(text).toContain("create pods in misc");
    expect(await refused(["backup", "--kubeconfig", kubeconfig], [5, "KUBERNETES_FORBIDDEN"])).toContain(
      "create backups.velero.io in velero",
    );
  });

  it("wrong keys of the bucket", async () => {
    const file = folder.write("keys", "[default]\naws_access_key_id = somebody\naws_secret_access_key = else\n");
    await refused(
      ["status", "--config", folder.config("keys", ({ bucket }) => (bucket.credentials = { file }))],
      [1, "BUCKET_DENIED"],
    );
  });

  it("a certificate that is not trusted", async () => {
    await refused(
      ["status", "--config", folder.config("untrusted", ({ bucket }) => delete bucket.caFile)],
      [1, "BUCKET_UNTRUSTED"],
    );
  });

  it("a wrong repository password", async () => {
    const file = folder.write("password", "not-the-one\n");
    await refused(
      [...restoreQuiet, "--config", folder.config("password", ({ repository }) => (repository.password = { file }))],
      [1, "REPOSITORY_PASSWORD"],
    );
  });

  it("no Velero", async () => {
    await refused(
      ["backup", "--wait", "--config", folder.config("absent", ({ velero }) => (velero.namespace = "default"))],
      [5, "VELERO_ABSENT"],
    );
  });

  it("a Velero that is too old", async () => {
    const labels = { app: "old-velero" };
    const spec = {
      replicas: 0,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: "velero", image: "docker.io/velero/velero:v1.15.2" }] },
      },
    };
    await applyObjects(lab.kubectl, [
      { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "velero", namespace: "default" }, spec },
    ]);
    try {
      await refused(
        ["backup", "--wait", "--config", folder.config("old", ({ velero }) => (velero.namespace = "default"))],
        [5, "VELERO_TOO_OLD"],
      );
    } finally {
      await lab.kubectl(["-n", "default", "delete", "deployment", "velero"]);
    }
  });

  it("a target that is too small", async () => {
    const small: ClaimPath = ["home", "small"];
    await makeClaim(lab, small, { storageClass: "nas-iscsi", size: "32Mi" });
    try {
      await refused(["restore", "media/sonarr", "--to", small.join("/"), "--yes"], [5, "TARGET_TOO_SMALL"]);
    } finally {
      await removeClaim(lab, small);
    }
  });

  it("an API server that is gone; status then shows the last known volumes and says so", async () => {
    const kubeconfig = kubeconfigWith(folder, "gone.kubeconfig", ({ clusters }) =>
      clusters.forEach(({ cluster }) => (cluster.server = "https://127.0.0.1:1")),
    );
    await refused([...restoreQuiet, "--kubeconfig", kubeconfig], [1, "KUBERNETES_UNREACHABLE"]);
    const status = await answer<StatusAnswer>(["status", "--kubeconfig", kubeconfig]);
    expect(status.source).toBe("backup");
    expect(status.volumes.map(({ volume }) => volume)).toContain("media/sonarr");
    expect((await holdfast(["status", "--kubeconfig", kubeconfig])).stdout).toContain("The cluster does not answer");
  });
});

describe("found on the way, and undone", () => {
  it("a copy that is corrupt", async () => {
    const home: ClaimPath = ["home", "mealie"];
    const seen = await checkRestored(lab, { namespace: home[0], claim: home[1] });
    const repository = join(paths(lab.lab).minioData, "homelab/velero/kopia/home");
    const away = join(paths(lab.lab).minioData, "../taken-away");
    mkdirSync(away);
    const packs = readdirSync(repository).filter((name) => name.startsWith("p"));
    expect(packs.length).toBeGreaterThan(0);
    for (const pack of packs) renameSync(join(repository, pack), join(away, pack));
    try {
      await refused(["restore", home.join("/"), "--yes"], [6, "COPY_CORRUPT"]);
    } finally {
      for (const pack of packs) renameSync(join(away, pack), join(repository, pack));
    }
    expect((await checkRestored(lab, { namespace: home[0], claim: home[1] })).mismatches).toEqual(seen.mismatches);
    expect(await ownEntries(lab, home)).toEqual([]);
    expect((await situation()).slice(1)).toEqual(before.slice(1));
  });

  it("an app that starts again by itself", async () => {
    const running = startHoldfast(["restore", "media/radarr", "--yes"]);
    await running.until("setting the present files of media/radarr aside");
    await lab.kubectl(["-n", "media", "scale", "deployment/radarr", "--replicas=1"]);
    const { status, stderr } = await running.ended;
    expect([status, stderr]).toEqual([1, expect.stringContaining("(APP_CAME_BACK)")]);
    await lab.kubectl(["-n", "media", "rollout", "status", "deployment/radarr", "--timeout=90s"]);
    expect((await checkRestored(lab, { namespace: "media", claim: "radarr" })).mismatches).toEqual([]);
    expect(await ownEntries(lab, ["media", "radarr"])).toEqual([]);
    expect((await situation()).slice(1)).toEqual(before.slice(1));
  });

  it("Ctrl-C in the middle of a restore", async () => {
    const running = startHoldfast(["restore", "media/radarr", "--yes"]);
    await running.until(/putting \d+ files/);
    running.child.kill("SIGINT");
    const { status, stderr } = await running.ended;
    expect([status, stderr]).toEqual([130, expect.stringContaining("Everything is as it was before.")]);
    await lab.kubectl(["-n", "media", "rollout", "status", "deployment/radarr", "--timeout=90s"]);
    expect((await checkRestored(lab, { namespace: "media", claim: "radarr" })).mismatches).toEqual([]);
    expect(await ownEntries(lab, ["media", "radarr"])).toEqual([]);
    expect((await situation()).slice(1)).toEqual(before.slice(1));
  });

  it("a Velero that ends in the middle of a backup: another one is made, whole", async () => {
    const running = startHoldfast(["backup", "--wait", "--json"]);
    await running.until('"phase":"InProgress"');
    await lab.kubectl(["-n", "velero", "delete", "pod", "-l", "deploy=velero", "--force", "--grace-period=0"]);
    const { status, stderr, stdout } = await running.ended;
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toContain("once more: Velero's server started anew");
    expect(stdout).toContain('"missing":{},"failed":{}');
    expect(await pods(lab, "-A", "-l", "holdfast.dev/staging")).toEqual([]);
  });

  it("Ctrl-C in the middle of a backup leaves no staging pod", async () => {
    const running = startHoldfast(["backup", "--wait"]);
    for (let waiting = true; waiting;) waiting = (await pods(lab, "-A", "-l", "holdfast.dev/staging")).length === 0;
    running.child.kill("SIGINT");
    expect((await running.ended).status).toBe(130);
    expect(await pods(lab, "-A", "-l", "holdfast.dev/staging")).toEqual([]);
  });
});

it("nothing that was taken away for these tests is missing", () => {
  expect(
    existsSync(join(paths(lab.lab).minioData, "../taken-away")) &&
      readdirSync(join(paths(lab.lab).minioData, "../taken-away")),
  ).toEqual([]);
});
