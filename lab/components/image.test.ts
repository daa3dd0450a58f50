import { createHash } from "node:crypto";
import { createReadStream, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { extract, type Header } from "tar-stream";
import { buildImage, imageKey, type ImageSpec, layerEntries } from "./image.ts";
import { libraryPaths } from "./libraries.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "image-"));
  writeFileSync(join(dir, "program"), "#!/bin/sh\n");
});
afterEach(() => rmSync(dir, { recursive: true }));

const spec = (): ImageSpec => ({
  name: "docker.io/lab/test:1",
  entrypoint: ["/bin/program"],
  files: [
    { path: "/bin/program", source: join(dir, "program"), mode: 0o755 },
    { path: "/etc/passwd", content: "root\n" },
  ],
  directories: [{ path: "/home/cnb", mode: 0o777, uid: 1002, gid: 1000 }],
  symlinks: [{ path: "/bin/sh", target: "program" }],
  env: { LANG: "C.UTF-8" },
  user: "1002:1000",
});

const unpack = async (tar: NodeJS.ReadableStream): Promise<Map<string, { header: Header; content: Buffer }>> => {
  const entries = new Map<string, { header: Header; content: Buffer }>();
  const unpacked = extract();
  tar.pipe(unpacked);
  for await (const entry of unpacked)
    entries.set(entry.header.name, { header: entry.header, content: await buffer(entry) });
  return entries;
};

const sha256 = (data: Buffer): string => createHash("sha256").update(data).digest("hex");

describe("an image", () => {
  it("is a docker-archive whose parts name each other by checksum", async () => {
    const file = join(dir, "image.tar");
    await buildImage(spec(), file);
    const parts = await unpack(createReadStream(file));
    const [manifest] = JSON.parse(parts.get("manifest.json")!.content.toString()) as [
      { Config: string; RepoTags: string[]; Layers: [string] },
    ];
    const config = parts.get(manifest.Config)!.content;
    const layer = parts.get(manifest.Layers[0])!.content;
    expect(manifest.RepoTags).toEqual(["docker.io/lab/test:1"]);
    expect(manifest.Config).toBe(`${sha256(config)}.json`);
    expect(JSON.parse(config.toString())).toMatchObject({
      os: "linux",
      config: { Entrypoint: ["/bin/program"], Env: ["PATH=/bin:/", "LANG=C.UTF-8"], User: "1002:1000" },
      rootfs: { diff_ids: [`sha256:${sha256(layer)}`] },
    });
    const content = await unpack(Readable.from([layer]));
    expect([...content.keys()]).toEqual(["bin", "bin/program", "bin/sh", "etc", "etc/passwd", "home", "home/cnb"]);
    expect(content.get("bin/program")).toMatchObject({
      header: { mode: 0o755, uid: 0 },
      content: Buffer.from("#!/bin/sh\n"),
    });
    expect(content.get("bin/sh")!.header).toMatchObject({ type: "symlink", linkname: "program" });
    expect(content.get("home/cnb")!.header).toMatchObject({ mode: 0o777, uid: 1002, gid: 1000 });
  });

  it("is the same, byte for byte, for the same content", async () => {
    const files = [join(dir, "1.tar"), join(dir, "2.tar")] as const;
    await buildImage(spec(), files[0]);
    utimesSync(join(dir, "program"), 1, 1);
    await buildImage({ ...spec(), files: spec().files.toReversed() }, files[1]);
    expect(readFileSync(files[0]).equals(readFileSync(files[1]))).toBe(true);
    expect(() => statSync(`${files[0]}.layer`)).toThrow("ENOENT");
  });

  it("refuses two things at one path, and takes the same thing twice", () => {
    const twice = (content: string): ImageSpec => ({
      ...spec(),
      files: [...spec().files, { path: "/etc/passwd", content }],
    });
    expect(() => layerEntries(twice("other"))).toThrow("/etc/passwd is there twice");
    expect(layerEntries(twice("root\n"))).toEqual(layerEntries(spec()));
  });

  it("leaves no half file when a source is missing", async () => {
    const file = join(dir, "image.tar");
    await expect(
      buildImage({ ...spec(), files: [{ path: "/x", source: join(dir, "nothing") }] }, file),
    ).rejects.toThrow("ENOENT");
    expect(() => statSync(file)).toThrow("ENOENT");
  });

  it("has a key that follows content, names and settings but not times", () => {
    const key = imageKey(spec());
    utimesSync(join(dir, "program"), 1, 1);
    expect(imageKey(spec())).toBe(key);
    expect(imageKey({ ...spec(), user: "0:0" })).not.toBe(key);
    expect(imageKey({ ...spec(), name: "docker.io/lab/test:2" })).not.toBe(key);
    writeFileSync(join(dir, "program"), "other");
    expect(imageKey(spec())).not.toBe(key);
  });
});

describe("the libraries of a program", () => {
  it("are read from ldd, with the loader and without what the kernel brings", () => {
    const answer =
      "\tlinux-vdso.so.1 (0x00007f)\n\tlibz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x00007f)\n\t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n";
    expect(libraryPaths(answer)).toEqual(["/lib/x86_64-linux-gnu/libz.so.1", "/lib64/ld-linux-x86-64.so.2"]);
  });

  it("are named when one is not installed", () => {
    expect(() => libraryPaths("\tlibqt.so.5 => not found\n")).toThrow("libqt.so.5 is not installed");
  });
});
