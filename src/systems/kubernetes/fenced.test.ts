import { beforeEach, describe, expect, it } from "vitest";
import { Failure } from "../../model/failure.ts";
import { fenced, fencedCreation } from "./fenced.ts";
import { MemoryKubernetes } from "./memory.ts";
import { resources } from "./resources.ts";
import { jumpingClock } from "./testing/world.ts";

const namespace = "media";
const aMap = (name: string) => ({ metadata: { name, namespace }, data: { by: "us" } });
const present = { name: "present", namespace };

let cluster: MemoryKubernetes;
let isHeld: boolean;
const demand = (): void => {
  if (!isHeld) throw new Failure("LOCK_LOST", { what: "The lock is lost." });
};

beforeEach(async () => {
  cluster = new MemoryKubernetes({ clock: jumpingClock(), randomId: (length) => "a".repeat(length) });
  cluster.put(resources.namespaces, { metadata: { name: namespace } });
  await cluster.create(resources.configMaps, aMap("present"));
  isHeld = true;
});

describe("a cluster under a lock", () => {
  it("is written to while the lock is held", async () => {
    const kubernetes = fenced(cluster, demand);
    await kubernetes.create(resources.configMaps, aMap("new"));
    await kubernetes.mergePatch(resources.configMaps, present, { data: { by: "them" } });
    await kubernetes.remove(resources.configMaps, { name: "new", namespace });
    expect((await kubernetes.list(resources.configMaps, { namespace })).items).toMatchObject([
      { metadata: { name: "present" }, data: { by: "them" } },
    ]);
  });

  it("is read, and never written to, when the lock is lost", async () => {
    const kubernetes = fenced(cluster, demand);
    isHeld = false;
    const lost = { code: "LOCK_LOST" };
    await expect(kubernetes.create(resources.configMaps, aMap("new"))).rejects.toMatchObject(lost);
    await expect(kubernetes.apply(resources.configMaps, aMap("new"))).rejects.toMatchObject(lost);
    await expect(kubernetes.mergePatch(resources.configMaps, present, { data: {} })).rejects.toMatchObject(lost);
    await expect(kubernetes.remove(resources.configMaps, present)).rejects.toMatchObject(lost);
    await expect(kubernetes.exec(present, { container: "a", command: [] })).rejects.toMatchObject(lost);
    expect((await kubernetes.list(resources.configMaps, { namespace })).items).toMatchObject([aMap("present")]);
  });
});

describe("a cluster in which nothing is made without the lock", () => {
  it("lets go of what was made before it was lost", async () => {
    const kubernetes = fencedCreation(cluster, demand);
    isHeld = false;
    await expect(kubernetes.create(resources.configMaps, aMap("new"))).rejects.toMatchObject({ code: "LOCK_LOST" });
    await kubernetes.remove(resources.configMaps, present);
    expect((await kubernetes.list(resources.configMaps, { namespace })).items).toEqual([]);
  });
});
