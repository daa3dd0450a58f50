import { describe, expect, it } from "vitest";
import { Failure } from "../model/failure.ts";
import { HealthyWorld } from "./testing/healthy.ts";

const nas = (more = "") => `
nas:
  kind: truenas
  url: wss://nas.lab
  user: holdfast
  key: { env: KEY }
  parents: [tank/k8s/v]
${more}`;
const withRemover = nas("  remover: { user: remover, key: { env: OTHER } }");

const world = (config = withRemover): HealthyWorld => new HealthyWorld({ config });

const task = (part: object) => ({
  id: 1,
  dataset: "tank/k8s",
  recursive: true,
  exclude: [],
  namingSchema: "holdfast_%Y%m%dT%H%M%SZ_%b",
  enabled: true,
  ...part,
});

describe("the NAS", () => {
  it("is not looked at where holdfast.yaml names none", async () => {
    const results = await new HealthyWorld().examine();
    expect(results.filter(({ id }) => id.startsWith("nas"))).toEqual([]);
  });

  it("is all right when everything is", async () => {
    const results = (await world().examine()).filter(({ id }) => id.startsWith("nas"));
    expect(results.map(({ id, verdict }) => [id, verdict])).toEqual(
      ["nas", "nas-parents", "nas-rights", "nas-remover", "nas-pool", "nas-snapshot-tasks", "nas-replication"].map(
        (id) => [id, "ok"],
      ),
    );
    expect(results[0]?.found).toBe("TrueNAS 25.10.1, over JSON-RPC");
  });

  it("that does not answer leaves everything about it unknown, and says why once", async () => {
    const off = world();
    off.nas = async () => {
      throw new Failure("NAS_UNREACHABLE", { what: "The NAS is off." });
    };
    expect(await off.result("nas")).toMatchObject({ verdict: "failed", code: "NAS_UNREACHABLE" });
    expect(await off.result("nas-pool")).toMatchObject({ verdict: "unknown", found: "needs nas" });
  });

  it("without a parent dataset that holdfast.yaml names is failed", async () => {
    const other = world(withRemover.replace("tank/k8s/v", "tank/k8s/w"));
    expect(await other.result("nas-parents")).toMatchObject({
      verdict: "failed",
      code: "DATASET_UNKNOWN",
      found: "The NAS has no dataset tank/k8s/w.",
    });
  });

  it("is told by what the user lacks, and what it could do beyond its needs", async () => {
    const poor = world();
    poor.nasOptions = { rights: { missing: ["SNAPSHOT_WRITE"] } };
    expect(await poor.result("nas-rights")).toMatchObject({ verdict: "failed", code: "NAS_FORBIDDEN" });
    const rich = world();
    rich.nasOptions = { rights: { excessive: ["DATASET_DELETE"] } };
    expect(await rich.result("nas-rights")).toMatchObject({
      verdict: "warning",
      found: expect.stringContaining("DATASET_DELETE") as string,
    });
    const silent = world();
    silent.nasOptions = { rights: { granted: ["unknown"] } };
    expect(await silent.result("nas-rights")).toMatchObject({ verdict: "unknown" });
  });

  it("without anybody who removes is a warning; with one that may not is failed", async () => {
    expect(await world(nas()).result("nas-remover")).toMatchObject({ verdict: "warning" });
    const weak = world();
    weak.removerRights = { missing: ["SNAPSHOT_DELETE"] };
    expect(await weak.result("nas-remover")).toMatchObject({ verdict: "failed", code: "NAS_FORBIDDEN" });
  });

  it.each([
    [{ readOnly: true }, "failed", "read-only"],
    [{ health: "SUSPENDED" }, "failed", "SUSPENDED"],
    [{ health: "DEGRADED" }, "warning", "DEGRADED"],
    [{ otherBytes: 950 * 2 ** 30 }, "warning", "free"],
  ] as const)("with a pool that is %o is %s", async (state, verdict, text) => {
    const sick = world();
    sick.zfs.setPool("tank", state);
    expect(await sick.result("nas-pool")).toMatchObject({ verdict, found: expect.stringContaining(text) as string });
  });

  it.each([
    [{}, "warning"],
    [{ namingSchema: "auto-%Y-%m-%d_%H-%M" }, "ok"],
    [{ dataset: "tank/other" }, "ok"],
    [{ dataset: "tank", recursive: false }, "ok"],
    [{ dataset: "tank/k8s/v", recursive: false }, "warning"],
    [{ exclude: ["tank/k8s/v"] }, "ok"],
  ])("with a periodic task of %o is %s", async (part, verdict) => {
    const busy = world();
    busy.zfs.snapshotTasks.push(task(part));
    expect(await busy.result("nas-snapshot-tasks")).toMatchObject({ verdict });
  });

  it.each([
    [{ sources: ["tank/k8s/v/pvc-1"] }, "warning"],
    [{ sources: ["tank"] }, "warning"],
    [{ sources: ["tank"], recursive: false }, "ok"],
    [{ sources: ["tank/films"] }, "ok"],
    [{ sources: ["tank/k8s/v"], enabled: false }, "ok"],
  ])("with a replication of %o is %s", async (part, verdict) => {
    const busy = world();
    busy.zfs.replicationTasks.push({
      id: 1,
      name: "to the attic",
      target: "attic/tank",
      recursive: true,
      enabled: true,
      ...part,
    });
    expect(await busy.result("nas-replication")).toMatchObject({ verdict });
  });
});
