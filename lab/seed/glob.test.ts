import { describe, expect, it } from "vitest";
import { pathMatcher } from "./glob.ts";

describe("pathMatcher", () => {
  it("covers a named path and what lies below it", () => {
    const { covers } = pathMatcher(["logs", "a/b"]);
    expect(["logs", "logs/x/y", "a/b", "a/b/c"].map(covers)).toEqual([true, true, true, true]);
    expect(["logs2", "x/logs", "a", "a/bc"].map(covers)).toEqual([false, false, false, false]);
  });

  it("lets one star stand for anything within a name", () => {
    const { covers } = pathMatcher(["sonarr.db*", "logs/*.txt"]);
    expect(["sonarr.db", "sonarr.db-wal", "logs/a\nb.txt"].map(covers)).toEqual([true, true, true]);
    expect(["sonarrxdb", "x/sonarr.db", "logs/a/b.txt"].map(covers)).toEqual([false, false, false]);
  });

  it("lets two stars cross folders", () => {
    const { covers } = pathMatcher(["**/*.fastresume", "x/**/y"]);
    expect(["a.fastresume", "a/b/c.fastresume", "x/y", "x/1/2/y"].map(covers)).toEqual([true, true, true, true]);
  });

  it("takes signs of regular expressions as they are", () => {
    expect(pathMatcher(["a+(b)[c]"]).covers("a+(b)[c]")).toBe(true);
  });

  it("covers nothing without patterns", () => {
    expect(pathMatcher([]).covers("")).toBe(false);
  });

  it("knows the folders in which things may come and go", () => {
    const { mayChange } = pathMatcher(["app.db*", "logs/app.txt", "data/*/x"]);
    expect([".", "logs", "data/1"].map(mayChange)).toEqual([true, true, true]);
    expect(["data", "logs/old", "other"].map(mayChange)).toEqual([false, false, false]);
  });

  it("takes any folder to be changing under a pattern for all folders", () => {
    const { mayChange } = pathMatcher(["**/.nfs*"]);
    expect([".", "a", "a/b"].map(mayChange)).toEqual([true, true, true]);
  });
});
