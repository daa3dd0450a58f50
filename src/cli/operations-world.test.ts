import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { EntryBody } from "../operation/entry.ts";
import { Failure } from "../model/failure.ts";
import { BucketJournal } from "../systems/journal/bucket.ts";
import { resources } from "../systems/kubernetes/resources.ts";
import { kindsOf, openOperations, viewOperations } from "./operations-world.ts";
import { fakeWorld } from "./testing/fake-world.ts";

describe("the kinds of steps", () => {
  it("were all killed in some plan (docs/design/kill-matrix.md)", () => {
    const { world, kubernetes } = fakeWorld();
    const report = readFileSync(new URL("../../docs/design/kill-matrix.md", import.meta.url), "utf8");
    const kinds = [...kindsOf(world, kubernetes, () => undefined, { timeout: 1 }).keys()];
    expect(kinds.length).toBeGreaterThan(5);
    expect(kinds.filter((kind) => !report.includes(`(${kind})`))).toEqual([]);
  });
});

const planned: EntryBody = {
  type: "planned",
  plan: {
    version: 1,
    verb: "undelete",
    title: "bring media/sonarr back",
    locks: ["media/sonarr"],
    steps: [],
    undo: { kind: "kept", text: "" },
    warnings: [],
  },
};

describe("looking at operations", () => {
  it("sees what another machine has begun, and writes nothing, neither to cluster nor bucket nor disk", async () => {
    const place = fakeWorld({ env: { XDG_STATE_HOME: "/nowhere" } });
    const { kubernetes, store, world } = place;
    const entry = JSON.stringify({ ...planned, time: 0, run: "r" });
    await new BucketJournal(store, "holdfast/home/operations/").append("op-1", 1, entry);
    const writes = (calls: readonly { readonly verb: string }[]): number =>
      calls.filter(({ verb }) => verb === "write" || verb === "remove").length;
    const before = writes(store.calls);
    kubernetes.fail(
      ({ verb }) => verb !== "get" && verb !== "list",
      new Failure("KUBERNETES_REFUSED", { what: "this one only looks" }),
    );
    const view = await viewOperations(world);
    expect((await view.list()).operations.map(({ id, status }) => [id, status])).toEqual([["op-1", "forward"]]);
    expect((await view.read("op-1")).plan.title).toBe("bring media/sonarr back");
    expect(writes(store.calls)).toBe(before);
    expect(await kubernetes.get(resources.namespaces, { name: "holdfast" })).toBeUndefined();
    // Whoever changes something makes it: that is where the locks are.
    await expect(openOperations(world, { timeout: 0 }, () => undefined)).rejects.toThrow("only looks");
  });

  it("goes on without the bucket, and says what that means", async () => {
    const bucket = async (): Promise<never> => {
      throw new Failure("BUCKET_UNREACHABLE", { what: "The bucket does not answer." });
    };
    const { world, context } = fakeWorld({ env: { XDG_STATE_HOME: "/nowhere" } }, { part: { bucket } });
    expect(await (await viewOperations(world)).list()).toEqual({ operations: [], unreadable: [] });
    expect(context.err()).toBe(
      "note: only operations that this machine knows of are seen, for now: The bucket does not answer.\n",
    );
  });
});
