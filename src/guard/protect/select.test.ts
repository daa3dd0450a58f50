import { describe, expect, it } from "vitest";
import { isFailure } from "../../model/failure.ts";
import { volumeName } from "../../model/volume.ts";
import { selectVolumes } from "./select.ts";

const volume = (path: string, ...apps: readonly string[]) => {
  const [namespace = "", claim = ""] = path.split("/");
  return { namespace, claim, workloads: apps.map((name) => ({ kind: "Deployment", name })) };
};
const volumes = [
  volume("home/plex", "plex"),
  volume("media/config", "sonarr"),
  volume("media/history", "sonarr"),
  volume("media/sonarr-cache", "warmer"),
  volume("test/web-data", "web"),
  volume("work/web-data", "web"),
];
const chosen = (selector?: string) => selectVolumes(selector, volumes).map(volumeName);

describe("a selector", () => {
  it.each([
    [undefined, volumes.map(volumeName)],
    ["*", volumes.map(volumeName)],
    ["media/", ["media/config", "media/history", "media/sonarr-cache"]],
    ["media/*", ["media/config", "media/history", "media/sonarr-cache"]],
    ["media/config", ["media/config"]],
    ["history", ["media/history"]],
    ["sonarr", ["media/config", "media/history"]],
    ["plex", ["home/plex"]],
    ["work/web-data", ["work/web-data"]],
  ])("%s means %j", (selector, wanted) => {
    expect(chosen(selector)).toEqual(wanted);
  });

  it.each([
    ["web", "VOLUME_AMBIGUOUS", /test\/web-data, work\/web-data/],
    ["sonar", "VOLUME_UNKNOWN", /media\/sonarr-cache/],
    ["media/confg", "VOLUME_UNKNOWN", /media\/config/],
    ["medai/", "NAMESPACE_UNKNOWN", /media/],
    ["nothing-of-the-kind/*", "NAMESPACE_UNKNOWN", /home, media, test, work/],
  ] as const)("%s is %s, and says what is near", (selector, code, text) => {
    let thrown: unknown;
    try {
      chosen(selector);
    } catch (error) {
      thrown = error;
    }
    expect(isFailure(thrown, code) && `${thrown.why ?? ""} ${thrown.todo}`).toMatch(text);
  });
});
