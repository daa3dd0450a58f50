import { describe, expect, it } from "vitest";
import { Failure } from "../model/failure.ts";
import { formatBlobPassword, scryptFormatBlob } from "../systems/kopia/testing/format-blobs.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { HealthyWorld, namespace, passwordSecret } from "./testing/healthy.ts";

const blobKey = (of: string): string => `velero/kopia/${of}/kopia.repository`;

describe("password", () => {
  it("is failed when it cannot be read, and the others need it", async () => {
    const world = new HealthyWorld();
    world.secret = new Failure("SECRET_UNREADABLE", { what: "no such file" });
    expect(await world.result("password")).toMatchObject({ verdict: "failed", code: "SECRET_UNREADABLE" });
    expect(await world.result("repositories")).toMatchObject({ verdict: "unknown", found: "needs password" });
  });

  it("is a warning when it is Velero's public default", async () => {
    const world = new HealthyWorld();
    world.secret = "static-passw0rd";
    world.cluster.put(resources.secrets, passwordSecret("static-passw0rd"));
    expect(await world.result("password")).toMatchObject({ verdict: "warning" });
    expect(await world.result("password-velero")).toMatchObject({ verdict: "ok" });
  });
});

describe("password-velero", () => {
  it("is failed when Velero's Secret holds another one, or is not there, and shows neither password", async () => {
    const other = new HealthyWorld();
    other.cluster.put(resources.secrets, passwordSecret("something else"));
    const result = await other.result("password-velero");
    expect(result).toMatchObject({ verdict: "failed", code: "REPOSITORY_PASSWORD" });
    expect(JSON.stringify(result)).not.toMatch(/something else|open sesame/);
    const absent = new HealthyWorld();
    await absent.cluster.remove(resources.secrets, { namespace, name: "velero-repo-credentials" });
    expect(await absent.result("password-velero")).toMatchObject({ verdict: "failed", code: "REPOSITORY_PASSWORD" });
  });

  it("does not mind white space around it, as Velero does not", async () => {
    const world = new HealthyWorld();
    world.cluster.put(resources.secrets, passwordSecret(`${formatBlobPassword}\n`));
    expect(await world.result("password-velero")).toMatchObject({ verdict: "ok" });
  });
});

describe("repositories", () => {
  it("are opened, all of them, and those that do not open are named", async () => {
    const world = new HealthyWorld();
    world.store.seed(blobKey("books"), scryptFormatBlob);
    expect((await world.result("repositories")).found).toBe("opens all 2: books, media");
    const format = JSON.parse(scryptFormatBlob.toString("utf8")) as object;
    world.store.seed(blobKey("films"), JSON.stringify({ ...format, uniqueID: "AAAAAAAAAAAAAAAAAAAAAA==" }));
    const { verdict, code, found } = await world.result("repositories");
    expect({ verdict, code }).toEqual({ verdict: "failed", code: "REPOSITORY_PASSWORD" });
    expect(found).toContain("1 of 3 repositories: films:");
  });

  it("are failed with a wrong password", async () => {
    const world = new HealthyWorld();
    world.secret = "wrong";
    expect(await world.result("repositories")).toMatchObject({ verdict: "failed", code: "REPOSITORY_PASSWORD" });
  });

  it("are failed when one lacks the object that opens it, or has it damaged", async () => {
    const damaged = new HealthyWorld();
    damaged.store.seed(blobKey("media"), "{");
    expect(await damaged.result("repositories")).toMatchObject({ verdict: "failed", code: "REPOSITORY_FAILED" });
    const lacking = new HealthyWorld();
    lacking.store.seed("velero/kopia/books/kopia.blobcfg", "x");
    expect(await lacking.result("repositories")).toMatchObject({ verdict: "failed", code: "REPOSITORY_FAILED" });
  });

  it("are unknown before the first backup, which is not ok", async () => {
    const world = new HealthyWorld();
    await world.store.remove(blobKey("media"));
    expect(await world.result("repositories")).toMatchObject({ verdict: "unknown" });
  });
});
