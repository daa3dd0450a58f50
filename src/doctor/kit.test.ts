import { describe, expect, it } from "vitest";
import { Failure } from "../model/failure.ts";
import { kitEvidenceKey } from "../kit/evidence.ts";
import { freshFor } from "../kit/standing.ts";
import { someKitEvidence } from "../kit/testing/kits.ts";
import { HealthyWorld } from "./testing/healthy.ts";

const key = kitEvidenceKey("cluster");

describe("kit", () => {
  it("is ok when a kit from outside the cluster has opened the repositories", async () => {
    const world = new HealthyWorld();
    expect(await world.result("kit")).toMatchObject({
      verdict: "ok",
      found: expect.stringContaining("opened") as string,
    });
  });

  it("is failed when none was ever checked, or only inside the cluster", async () => {
    const world = new HealthyWorld();
    await world.store.remove(key);
    expect(await world.result("kit")).toMatchObject({
      verdict: "failed",
      code: "KIT_MISSING",
      todo: "`holdfast kit create`, then `holdfast kit check FILE`.",
    });
    world.store.seed(key, JSON.stringify(someKitEvidence({ outside: false })));
    expect(await world.result("kit")).toMatchObject({ verdict: "failed", code: "KIT_MISSING" });
  });

  it("is failed when the password is another one than the kit's", async () => {
    const world = new HealthyWorld();
    const { password } = someKitEvidence();
    world.store.seed(key, JSON.stringify(someKitEvidence({ password: { ...password, salt: "pepper" } })));
    expect(await world.result("kit")).toMatchObject({ verdict: "failed", code: "KIT_OUTDATED" });
  });

  it("is a warning when the check is older than 90 days", async () => {
    const world = new HealthyWorld();
    const time = world.context.clock.now() - freshFor - 1;
    world.store.seed(key, JSON.stringify(someKitEvidence({ time })));
    expect(await world.result("kit")).toMatchObject({
      verdict: "warning",
      found: expect.stringContaining("90d ago") as string,
    });
  });

  it("is unknown while the password or the bucket is", async () => {
    const world = new HealthyWorld();
    world.secret = new Failure("SECRET_UNREADABLE", { what: "no such file" });
    expect(await world.result("kit")).toMatchObject({ verdict: "unknown", found: "needs password" });
  });
});
