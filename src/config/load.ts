/** Finds and reads holdfast.yaml, and the secrets it refers to. */
import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Context } from "../context.ts";
import { Failure } from "../model/failure.ts";
import { parseConfig } from "./read.ts";
import type { Config } from "./schema.ts";

export interface LoadedConfig {
  readonly config: Config;
  readonly file: string;
  /** Makes a path of the file absolute. */
  path(name: string): string;
}

/** Where a holdfast.yaml is looked for, in this order. A place that was named must exist. */
const places = (
  context: Context,
  flag: string | undefined,
): readonly { readonly file: string; readonly named: boolean }[] => {
  const { env, cwd } = context;
  if (flag !== undefined) return [{ file: resolve(cwd, flag), named: true }];
  if (env.HOLDFAST_CONFIG !== undefined && env.HOLDFAST_CONFIG !== "")
    return [{ file: resolve(cwd, env.HOLDFAST_CONFIG), named: true }];
  const home = env.XDG_CONFIG_HOME ?? (env.HOME === undefined ? undefined : join(env.HOME, ".config"));
  return [
    { file: join(cwd, "holdfast.yaml"), named: false },
    ...(home === undefined ? [] : [{ file: join(home, "holdfast", "holdfast.yaml"), named: false }]),
  ];
};

const readIfThere = async (file: string): Promise<string | undefined> => {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new Failure("CONFIG_MISSING", {
      what: `${file} cannot be read.`,
      why: (error as Error).message,
      cause: error,
    });
  }
};

/** Throws CONFIG_MISSING or CONFIG_INVALID. */
export const loadConfig = async (context: Context, flag: string | undefined): Promise<LoadedConfig> => {
  const looked = places(context, flag);
  for (const { file } of looked) {
    const text = await readIfThere(file);
    if (text !== undefined)
      return { config: parseConfig(text, file), file, path: (name) => resolve(dirname(file), name) };
  }
  throw new Failure("CONFIG_MISSING", {
    what: looked[0]?.named === true ? `${looked[0].file} does not exist.` : "No holdfast.yaml was found.",
    why: `looked for ${looked.map(({ file }) => file).join(", ")}`,
  });
};
