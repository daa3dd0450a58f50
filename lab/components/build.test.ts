import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { goBuild, goProblem } from "./build.ts";
import { readCatalogue } from "./catalogue.ts";
import { publishedSha256 } from "./download.ts";

const fakeGo = (script: string): string => {
  const dir = mkdtempSync(join(tmpdir(), "go-"));
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(dir, { recursive: true });
  });
  writeFileSync(join(dir, "go"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(dir, "go"), 0o755);
  return dir;
};

describe("a build", () => {
  it("runs in the pins with the flags that Go caches by, and counts packages", async () => {
    const dir = fakeGo('pwd >&2; echo "$CGO_ENABLED $*" >&2');
    vi.stubEnv("PATH", `${dir}:${process.env.PATH}`);
    const notes: string[] = [];
    const logFile = join(dir, "log", "cp-plugin.log");
    const component = readCatalogue().get("cp-plugin")!;
    await goBuild(component, { target: "/out", logFile, note: (text) => notes.push(text) });
    const flags =
      "-v -trimpath -buildvcs=false -ldflags -s -w -X github.com/vmware-tanzu/velero/pkg/buildinfo.Version=v1.18.3";
    expect(readFileSync(logFile, "utf8")).toBe(`${component.pins}\n0 build ${flags} -o /out ${component.package}\n`);
    expect(notes.at(-1)).toBe("building, 2 packages");
  });

  it("that fails shows the end of its log, where the rest is, and what to do", async () => {
    const dir = fakeGo("echo 'write a.o: no space left on device' >&2; exit 1");
    vi.stubEnv("PATH", `${dir}:${process.env.PATH}`);
    const building = goBuild(readCatalogue().get("etcd")!, {
      target: "/out",
      logFile: join(dir, "etcd.log"),
      note: () => undefined,
    });
    await expect(building).rejects.toThrow(
      /etcd v3\.6\.16 could not be built.*no space left.*The disk is full.*etcd\.log/s,
    );
  });
});

describe("Go", () => {
  it("must be there and be new enough to fetch the toolchain that the pins ask for", () => {
    expect(goProblem("go1.26.8")).toBeUndefined();
    expect(goProblem("go1.21.0")).toBeUndefined();
    expect(goProblem("go1.19.8")).toContain("too old (go1.19.8)");
    expect(goProblem(undefined)).toContain("not installed");
  });
});

describe("a published checksum", () => {
  const one = "a".repeat(64);
  const other = "B".repeat(64);
  it("is found alone, and by file name in a list", () => {
    expect(publishedSha256(`${one}\n`, "kubectl")).toBe(one);
    expect(publishedSha256(`${one}  release/coredns.tgz`, "coredns.tgz")).toBe(one);
    expect(publishedSha256(`${one}  x.tar.gz\n${other} *./y.tar.gz\n`, "y.tar.gz")).toBe(other.toLowerCase());
  });

  it("is nothing when the list has no such file or is not a list", () => {
    expect(publishedSha256(`${one}  x\n${one}  y\n`, "z")).toBeUndefined();
    expect(publishedSha256("<html>", "z")).toBeUndefined();
  });
});
