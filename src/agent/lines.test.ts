import { describe, expect, it } from "vitest";
import { type AgentLine, parseLine } from "./lines.ts";

describe("parseLine", () => {
  it.each<AgentLine>([
    { type: "step", title: "checking" },
    { type: "touching" },
    { type: "as-before" },
    { type: "decided" },
    { type: "discarded", volume: "media/a", operation: "op1", bytes: 4096 },
    {
      type: "seen",
      seen: { volume: "media/a", totalBytes: 9, freeBytes: 5, present: { entries: 1, bytes: 2 }, ours: [] },
    },
    { type: "progress", volume: "media/a", files: 1, bytes: 2 },
    { type: "result" },
    { type: "failure", code: "COPY_CORRUPT", what: "bad" },
  ])("reads back what the agent has said: %o", (line) => {
    expect(parseLine(JSON.stringify(line))).toEqual(line);
  });

  it.each([
    "",
    "Segmentation fault",
    '"result"',
    "[]",
    "{",
    '{"type":"result"',
    '{"type":"other"}',
    "{}",
    "null",
    '{"type":"failure","code":"NO_SUCH","what":"x"}',
    '{"type":"failure","code":"toString"}',
    '{"type":"failure","what":"x"}',
  ])("takes no other line for the agent's: %s", (text) => {
    expect(parseLine(text)).toBeUndefined();
  });
});
