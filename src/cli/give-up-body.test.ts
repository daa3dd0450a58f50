import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type EntryBody, entryText } from "../operation/entry.ts";
import { aPlan, aStep } from "../operation/testing/switches.ts";
import { BucketJournal } from "../systems/journal/bucket.ts";
import { realWorld } from "../systems/kubernetes/testing/world.ts";
import { endWhereItStands } from "./give-up-body.ts";
import { viewOperations } from "./operations-world.ts";
import type { FakeTerminal } from "./testing/fake-context.ts";
import { fakeWorld } from "./testing/fake-world.ts";

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const flags = { yes: false, dryRun: false, json: false, timeout: 1000 };

/** Another machine has begun it, and will never go on. */
const stopped = async (terminal: FakeTerminal = {}, ...last: readonly EntryBody[]) => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-give-up-"));
  folders.push(folder);
  const place = fakeWorld({ ...terminal, env: { XDG_STATE_HOME: folder } });
  const journal = new BucketJournal(place.store, "holdfast/home/operations/");
  const entries: readonly EntryBody[] = [
    { type: "planned", plan: aPlan([aStep("a"), aStep("b")]) },
    { type: "begun", step: "turn-a", back: false },
    ...last,
  ];
  for (const [index, entry] of entries.entries())
    await journal.append("op-1", index + 1, entryText({ ...entry, time: 0, run: "r" }));
  // Locks are renewed as time goes by.
  const world = { ...place.world, context: { ...place.context, clock: realWorld.clock } };
  const statusNow = async () => (await (await viewOperations(world)).read("op-1")).status;
  return { ...place, world, statusNow };
};

describe("holdfast operations give-up", () => {
  it("names what is left, and with --dry-run does nothing else", async () => {
    const { cli, world, context, statusNow } = await stopped();
    await endWhereItStands(cli, world, { ...flags, dryRun: true }, "op-1");
    expect(context.out()).toContain("leaves this as it is:\n  begun    turn a on\n           by hand: turn a off\n");
    expect(context.out()).not.toContain("turn b on");
    expect(await statusNow()).toBe("forward");
  });

  it("wants the id typed, and changes nothing for another word", async () => {
    const typed = await stopped({ isTTY: true, typed: ["yes"] });
    await expect(endWhereItStands(typed.cli, typed.world, flags, "op-1")).rejects.toMatchObject({
      code: "NOT_CONFIRMED",
    });
    expect(await typed.statusNow()).toBe("forward");
    const meant = await stopped({ isTTY: true, typed: ["op-1"] });
    await endWhereItStands(meant.cli, meant.world, flags, "op-1");
    expect(await meant.statusNow()).toBe("given-up");
  });

  it("is refused for one that has ended", async () => {
    const { cli, world } = await stopped({}, { type: "finished", outcome: "done", setAside: [] });
    await expect(endWhereItStands(cli, world, { ...flags, yes: true }, "op-1")).rejects.toMatchObject({
      code: "OPERATION_NOT_UNDOABLE",
    });
  });
});
