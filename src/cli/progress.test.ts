import { describe, expect, it } from "vitest";
import { openProgress } from "./progress.ts";
import { fakeContext } from "./testing/fake-context.ts";

const clear = "\r\u001B[2K";

describe("progress on a terminal", () => {
  const open = (columns?: number) => {
    let now = 1000;
    const context = fakeContext({ isTTY: true, now: () => now, ...(columns === undefined ? {} : { columns }) });
    const progress = openProgress(context, false);
    return { context, progress, wait: (milliseconds: number) => (now += milliseconds) };
  };

  it("is one line that is redrawn, and stays as the title when the stage is over", () => {
    const { context, progress, wait } = open();
    progress.step("Stopping sonarr");
    progress.detail("1 pod");
    wait(100);
    progress.step("Restoring");
    progress.end();
    expect(context.err()).toBe(
      `${clear}Stopping sonarr …${clear}Stopping sonarr: 1 pod${clear}Stopping sonarr\n${clear}Restoring …${clear}Restoring\n`,
    );
    expect(context.out()).toBe("");
  });

  it("is not redrawn more than ten times a second", () => {
    const { context, progress, wait } = open();
    progress.step("Copying");
    for (let index = 0; index < 1000; index += 1) {
      progress.detail(`${index} files`);
      wait(1);
    }
    expect(context.err().split(clear).length - 1).toBe(1 + 10);
  });

  it("never is longer than the terminal is wide, so that it can be redrawn", () => {
    const { context, progress } = open(20);
    progress.step("Copying");
    progress.detail("a file with a name that is far too long");
    const drawn = context.err().split(clear).at(-1) ?? "";
    expect(drawn).toBe("Copying: a file wi…");
    expect(drawn.length).toBeLessThan(20);
  });

  it("ends once, and says nothing when nothing began", () => {
    const { context, progress } = open();
    progress.end();
    expect(context.err()).toBe("");
    progress.step("One");
    progress.end();
    progress.end();
    expect(context.err()).toBe(`${clear}One …${clear}One\n`);
  });

  it("cannot be steered by what a file is called", () => {
    const { context, progress } = open();
    progress.step("Copying");
    progress.detail("a\nb\u001B[2Jc");
    expect(context.err().split(clear).at(-1)).toBe("Copying: a b [2Jc");
  });
});

describe("progress without a terminal", () => {
  it("is one line a stage on standard error", () => {
    const context = fakeContext();
    const progress = openProgress(context, false);
    progress.step("Stopping sonarr");
    progress.detail("1 pod");
    progress.step("Restoring");
    progress.end();
    expect(context.err()).toBe("Stopping sonarr\nRestoring\n");
    expect(context.out()).toBe("");
  });
});

describe("progress as JSON", () => {
  it("is one object a line on standard output, on a terminal too", () => {
    const context = fakeContext({ isTTY: true });
    const progress = openProgress(context, true);
    progress.step("Copying");
    progress.detail("a\nb", { bytes: 5 });
    progress.end();
    const lines = context.out().trimEnd().split("\n");
    const time = "2026-11-23T12:00:00.000Z";
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { time, type: "step", title: "Copying" },
      { time, type: "progress", text: "a\nb", bytes: 5 },
    ]);
    expect(context.err()).toBe("");
  });
});
