import { describe, expect, it } from "vitest";
import { putVolume } from "../guard/protect/testing/cluster.ts";
import { someEvidence } from "../inventory/sample.ts";
import { MemoryAgents } from "../systems/agent/memory.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { storeBackup } from "../systems/velero/testing/stored-backup.ts";
import { lastCopiesOf } from "./last-copies.ts";
import { fakeWorld } from "./testing/fake-world.ts";

const name = "media/sonarr-config";
const wanted = { point: "p1", volumes: [name] };
const backupName = { namespace: "velero", name: "holdfast-p1" };
const labels = { "holdfast.dev/point": "p1", "holdfast.dev/part": "true" };

/** A cluster with two volumes that nobody mounts, a kubelet, and Velero. */
const open = (seen: object = {}, stored: object = {}) => {
  const place = fakeWorld();
  const { kubernetes, store, world } = place;
  putVolume(kubernetes, name);
  putVolume(kubernetes, "media/radarr-config");
  kubernetes.put(resources.namespaces, { metadata: { name: "velero" } });
  const kubelet = kubernetes.as("kubelet");
  kubernetes.onChange(resources.pods, async ({ type, object }) => {
    const status = { status: { phase: "Running" } };
    if (type === "ADDED") await kubelet.mergePatch(resources.pods, object.metadata, status, { subresource: "status" });
  });
  const velero = kubernetes.as("velero");
  kubernetes.onChange(resources.backups, async ({ type }) => {
    if (type !== "ADDED") return;
    await storeBackup(store, { name: backupName.name, labels, ...stored });
    await velero.mergePatch(resources.backups, backupName, { status: { phase: "Completed" } });
  });
  const agents = new MemoryAgents((_, say) => say({ type: "checked", volume: name, evidence: someEvidence(seen) }));
  const copies = lastCopiesOf(world, { making: kubernetes, agents: async () => agents, timeout: 1000 });
  const make = () => copies.make(wanted, { signal: new AbortController().signal, say: () => undefined });
  return { ...place, agents, copies, make };
};

describe("the last copy of a volume", () => {
  it("is a backup of it alone, read back to its last byte, and leaves no pod", async () => {
    const { kubernetes, agents, copies, make } = open();
    expect(await copies.areThere(wanted)).toBe(false);
    const staged: string[] = [];
    kubernetes.onChange(resources.pods, ({ type, object }) => {
      if (type === "ADDED") staged.push(object.metadata.name);
    });
    await make();
    expect(staged).toEqual(["holdfast-staging-sonarr-config"]);
    expect(await kubernetes.get(resources.backups, backupName)).toMatchObject({
      metadata: { labels },
      spec: { includedNamespaces: ["media"], labelSelector: { matchLabels: { "holdfast.dev/staging": "p1" } } },
    });
    expect(agents.tasks).toMatchObject([{ job: { kind: "check", filesPercent: 100 } }]);
    expect((await kubernetes.list(resources.pods)).items).toEqual([]);
    expect(await copies.areThere(wanted)).toBe(true);
  });

  it("is gone on with where an earlier process had begun it: no second backup is made", async () => {
    const { kubernetes, make } = open();
    await make();
    const first = await kubernetes.get(resources.backups, backupName);
    await make();
    expect((await kubernetes.get(resources.backups, backupName))?.metadata.uid).toBe(first?.metadata.uid);
  });

  it.each([
    [{ verdict: "failed", problems: ["a blob is missing"] }, {}, "VERIFICATION_FAILED", `${name}: a blob is missing`],
    [
      {},
      { podVolumeBackups: [], volumeInfos: [] },
      "BACKUP_PARTIAL",
      `${name}: Velero made no copy of it and gave no reason`,
    ],
  ])("is none when %o, %o", async (seen, stored, code, why) => {
    const { kubernetes, copies, make } = open(seen, stored);
    await expect(make()).rejects.toMatchObject({
      code,
      why,
      todo: expect.stringContaining("Nothing was deleted.") as string,
    });
    expect((await kubernetes.list(resources.pods)).items).toEqual([]);
    expect(await copies.areThere(wanted)).toBe(false);
  });
});
