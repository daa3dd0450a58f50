import { describe, expect, it } from "vitest";
import { confirmByName } from "./confirm.ts";
import { fakeContext } from "./testing/fake-context.ts";

const question = "This replaces the files of media/sonarr.";
const ask = (typed: readonly string[], isTTY = true) => {
  const context = fakeContext({ isTTY, typed });
  return { context, done: confirmByName(context, question, "media/sonarr") };
};

describe("asking before a change", () => {
  it.each(["media/sonarr", " media/sonarr "])("goes on when %j is typed", async (line) => {
    const { context, done } = ask([line]);
    await expect(done).resolves.toBeUndefined();
    expect(context.err()).toBe(`${question}\nType media/sonarr to go on: `);
    expect(context.out()).toBe("");
  });

  it.each(["", "y", "yes", "sonarr", "media/sonarr2", "Media/Sonarr"])(
    "changes nothing when %j is typed",
    async (line) => {
      await expect(ask([line]).done).rejects.toMatchObject({ code: "NOT_CONFIRMED", exitCode: 2 });
    },
  );

  it("changes nothing when the input ends, and does not ask twice", async () => {
    await expect(ask([]).done).rejects.toMatchObject({ code: "NOT_CONFIRMED" });
    await expect(ask(["no", "media/sonarr"]).done).rejects.toMatchObject({ code: "NOT_CONFIRMED" });
  });

  it("does not ask without a terminal, even if the right name could be read", async () => {
    const { context, done } = ask(["media/sonarr"], false);
    await expect(done).rejects.toMatchObject({
      code: "NOT_INTERACTIVE",
      todo: expect.stringContaining("--yes") as string,
    });
    expect(context.err()).toBe("");
  });
});
