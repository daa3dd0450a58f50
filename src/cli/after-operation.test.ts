import { describe, expect, it } from "vitest";
import { listInventories } from "../inventory/record/store.ts";
import { Failure } from "../model/failure.ts";
import type { OperationState } from "../operation/state.ts";
import { recordChange } from "./after-operation.ts";
import { fakeWorld, type FakeWorld } from "./testing/fake-world.ts";

const stateWith = (kind: string): OperationState =>
  ({ steps: [{ step: { kind }, standing: "ended", memo: null }] }) as unknown as OperationState;

const inventories = async ({ store }: FakeWorld): Promise<number> => (await listInventories(store, "home")).length;

describe("the inventory", () => {
  it.each(["clone-dataset", "export-dataset", "create-volume", "rebind-claim"])(
    "is written after an operation with a step %s",
    async (kind) => {
      const place = fakeWorld();
      await recordChange(place.world, stateWith(kind));
      expect(await inventories(place)).toBe(1);
    },
  );

  it("is not read and written for an operation that changes files alone", async () => {
    const place = fakeWorld();
    await recordChange(place.world, stateWith("replace-files"));
    expect(await inventories(place)).toBe(0);
  });

  it("that cannot be written is told, and is no failure of what was done", async () => {
    const bucket = async (): Promise<never> => {
      throw new Failure("BUCKET_UNREACHABLE", { what: "The bucket does not answer." });
    };
    const place = fakeWorld({}, { part: { bucket } });
    await recordChange(place.world, stateWith("rebind-claim"));
    expect(place.context.err()).toBe(
      "note: the inventory in the bucket is not up to date: The bucket does not answer.\n",
    );
  });
});
