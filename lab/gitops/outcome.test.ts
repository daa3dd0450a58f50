import { describe, expect, it } from "vitest";
import { outcomeOf } from "./outcome.ts";
import type { Application, ResourceResult } from "./state.ts";

const claim = { namespace: "media", claim: "sonarr" };
const bound = { metadata: { name: "sonarr", namespace: "media" } };

const application = (status: Application["status"]): Application => ({
  metadata: { name: "sonarr" },
  ...(status === undefined ? {} : { status }),
});

const synced = (phase: string, result: Partial<ResourceResult> = {}, message = ""): Application =>
  application({
    sync: { status: "OutOfSync", revision: "new" },
    operationState: {
      phase,
      message,
      syncResult: {
        revision: "new",
        resources: [{ kind: "PersistentVolumeClaim", name: "sonarr", namespace: "media", ...result }],
      },
    },
  });

const outcome = (of: Application, object: object | undefined = bound) =>
  outcomeOf({ claim, application: of, object, revision: "new" });

describe("the outcome of a commit that removes a claim", () => {
  it("is what the claim itself says, where it is gone or being deleted", () => {
    expect(outcomeOf({ claim, application: synced("Running"), object: undefined, revision: "new" })).toBe("gone");
    expect(outcome(synced("Running"), { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } })).toBe(
      "being deleted",
    );
  });

  it("is open while Argo CD has not come to that commit", () => {
    expect(outcome(application(undefined))).toBeUndefined();
    expect(outcome(application({ sync: { status: "Synced", revision: "old" } }))).toBeUndefined();
    expect(outcome(application({ sync: { status: "OutOfSync", revision: "new" } }))).toBeUndefined();
    const earlier = { phase: "Succeeded", syncResult: { revision: "old" } };
    expect(
      outcome(application({ sync: { status: "OutOfSync", revision: "new" }, operationState: earlier })),
    ).toBeUndefined();
    expect(outcome(synced("Running"))).toBeUndefined();
  });

  it("tells what kept the claim: an annotation, a refusal, a question", () => {
    expect(outcome(synced("Succeeded", { status: "PruneSkipped" }))).toBe("not pruned, as its annotation says");
    expect(outcome(synced("Running", { status: "SyncFailed" }, "Retrying attempt #1"))).toBe("pruning it was refused");
    expect(outcome(synced("Running", {}, "Waiting for pruning confirmation of v1/PersistentVolumeClaim/sonarr"))).toBe(
      "waiting for confirmation",
    );
    expect(outcome(synced("Failed", { name: "radarr", status: "SyncFailed" }))).toBe("left alone by the sync");
  });

  it("is that there was nothing to do, where Argo CD calls the app Synced with that commit", () => {
    expect(outcome(application({ sync: { status: "Synced", revision: "new" } }))).toBe("ignored");
  });
});
