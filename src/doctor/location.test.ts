import { describe, expect, it } from "vitest";
import type { KubeObject } from "../systems/kubernetes/port.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { HealthyWorld, location, namespace } from "./testing/healthy.ts";

const worldWith = (spec: object, status: object = location.status): HealthyWorld => {
  const world = new HealthyWorld();
  const changed = { ...location, spec: { ...location.spec, ...spec }, status };
  world.cluster.put(resources.backupStorageLocations, changed);
  return world;
};

const backup = (name: string, phase = "Completed", storageLocation = "default"): KubeObject =>
  ({ metadata: { name, namespace }, spec: { storageLocation }, status: { phase } }) as KubeObject;

describe("location", () => {
  it("is failed when it does not exist", async () => {
    const world = new HealthyWorld({ config: "velero: { storageLocation: other }" });
    expect(await world.result("location")).toMatchObject({
      verdict: "failed",
      code: "VELERO_UNHEALTHY",
      found: "There is no BackupStorageLocation velero/other.",
    });
    expect(await world.result("location-bucket")).toMatchObject({ verdict: "unknown", found: "needs location" });
  });

  it("is failed, in Velero's words, when Velero cannot use it or has not tried yet", async () => {
    const { found } = await worldWith({}, { phase: "Unavailable", message: "x509: unknown authority" }).result(
      "location",
    );
    expect(found).toBe("The BackupStorageLocation velero/default is Unavailable: x509: unknown authority");
    expect((await worldWith({}, {}).result("location")).found).toContain("not checked by Velero yet");
  });

  it("is failed when it is read-only", async () => {
    expect(await worldWith({ accessMode: "ReadOnly" }).result("location")).toMatchObject({
      verdict: "failed",
      code: "VELERO_UNHEALTHY",
    });
  });
});

describe("location-bucket", () => {
  it("is failed when holdfast.yaml names another bucket or prefix", async () => {
    for (const objectStorage of [
      { bucket: "other", prefix: "velero" },
      { bucket: "backups", prefix: "elsewhere" },
      { bucket: "backups" },
    ]) {
      expect(await worldWith({ objectStorage }).result("location-bucket")).toMatchObject({
        verdict: "failed",
        code: "CONFIG_INVALID",
      });
    }
  });

  it("does not mind slashes around the prefix", async () => {
    expect(
      await worldWith({ objectStorage: { bucket: "backups", prefix: "/velero/" } }).result("location-bucket"),
    ).toMatchObject({ verdict: "ok" });
  });
});

describe("location-store", () => {
  const elsewhere = { config: { s3Url: "http://minio.storage.svc:9000" } };

  it("is ok for two addresses when Velero's backups are found behind ours", async () => {
    const world = worldWith(elsewhere);
    world.cluster.put(resources.backups, backup("daily-1"));
    world.cluster.put(resources.backups, backup("running", "InProgress"));
    world.cluster.put(resources.backups, backup("of-another", "Completed", "offsite"));
    world.store.seed("velero/backups/daily-1/velero-backup.json", "{}");
    const { verdict, found } = await world.result("location-store");
    expect(verdict).toBe("ok");
    expect(found).toContain("1 of Velero's 1 backups are there");
  });

  it("is failed when none of them is there", async () => {
    const world = worldWith(elsewhere);
    world.cluster.put(resources.backups, backup("daily-1"));
    expect(await world.result("location-store")).toMatchObject({ verdict: "failed", code: "CONFIG_INVALID" });
  });

  it("cannot tell before the first backup, nor for Amazon's own address", async () => {
    expect(await worldWith(elsewhere).result("location-store")).toMatchObject({ verdict: "warning" });
    expect((await worldWith({ config: { region: "eu-west-1" } }).result("location-store")).found).toContain(
      "s3.eu-west-1.amazonaws.com",
    );
  });
});

describe("volume-policy", () => {
  it("is looked at only when holdfast.yaml names one, and has to exist", async () => {
    expect((await new HealthyWorld().examine()).map(({ id }) => id)).not.toContain("volume-policy");
    const world = new HealthyWorld({ config: "velero: { policyConfigMap: policy }" });
    expect(await world.result("volume-policy")).toMatchObject({ verdict: "failed", code: "VELERO_UNHEALTHY" });
    world.cluster.put(resources.configMaps, { metadata: { namespace, name: "policy" } });
    expect(await world.result("volume-policy")).toMatchObject({ verdict: "ok" });
  });
});
