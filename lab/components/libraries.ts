/** Puts programs of this machine into images: a dynamic program with its libraries and loader, and busybox. */
import { realpathSync } from "node:fs";
import { run, RunError } from "../shell/run.ts";
import type { ImageFile, ImageSymlink } from "./image.ts";

/** The paths in ldd's answer, the loader included; what the kernel provides has none. Throws when one is not found. */
export const libraryPaths = (lddOutput: string): string[] => {
  const missing = /^\s*(\S+) => not found/m.exec(lddOutput)?.[1];
  if (missing !== undefined) throw new Error(`the shared library ${missing} is not installed`);
  return [...lddOutput.matchAll(/(?:^\s*|=> )(\/\S+)/gm)].map(([, path = ""]) => path);
};

const ldd = async (program: string): Promise<string> => {
  try {
    return (await run("ldd", [program], { env: { LC_ALL: "C" } })).stdout;
  } catch (error) {
    if (error instanceof RunError && error.stderr.includes("not a dynamic executable")) return "";
    throw error;
  }
};

/** A program of this machine at `path` in the image, with all its shared libraries where its loader looks for them. */
export const dynamicProgram = async (source: string, path: string): Promise<ImageFile[]> => {
  const real = realpathSync(source);
  const libraries = libraryPaths(await ldd(real));
  return [
    { source: real, path, mode: 0o755 },
    ...libraries.map((library) => ({ source: realpathSync(library), path: library, mode: 0o755 })),
  ];
};

/** Debian's statically linked one; a busybox elsewhere on PATH may need libraries. */
const busyboxSource = "/bin/busybox";

interface Busybox {
  readonly files: readonly ImageFile[];
  readonly symlinks: readonly ImageSymlink[];
}

/** busybox at /bin with a link for each of its commands, but not for the names in `except`. */
export const busybox = async (except: readonly string[] = []): Promise<Busybox> => {
  const { stdout } = await run(busyboxSource, ["--list"]);
  const applets = stdout.split("\n").filter((name) => name !== "" && name !== "busybox" && !except.includes(name));
  return {
    files: [{ source: realpathSync(busyboxSource), path: "/bin/busybox", mode: 0o755 }],
    symlinks: applets.map((name) => ({ path: `/bin/${name}`, target: "busybox" })),
  };
};
