/** The files of the kit commands: the sealed kit, identities, passphrases. No text here shows what is in them. */
import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { resolve } from "node:path";
import type { Context } from "../context.ts";
import { Failure, type FailureDetails, isFailure } from "../model/failure.ts";

const reasonOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? "unknown reason";

/** Bytes. A kit has a few thousand; whatever is larger than this is something else. */
const largest = 4 * 1024 * 1024;

const readSmall = async (file: string): Promise<Buffer> => {
  const { size } = await stat(file);
  if (size > largest) throw Object.assign(new Error("too large"), { code: `it has ${size} bytes` });
  return readFile(file);
};

/** Throws KIT_UNREADABLE when it cannot be read. */
export const readKitFile = async (context: Context, name: string): Promise<Uint8Array> => {
  const file = resolve(context.cwd, name);
  try {
    return await readSmall(file);
  } catch (error) {
    throw new Failure("KIT_UNREADABLE", { what: `${file} cannot be read.`, why: reasonOf(error), cause: error });
  }
};

/** Text of a file that is named on the command line. Throws SECRET_UNREADABLE. */
export const readSecretFile = async (context: Context, flag: string, name: string): Promise<string> => {
  const file = resolve(context.cwd, name);
  try {
    return (await readSmall(file)).toString("utf8");
  } catch (error) {
    throw new Failure("SECRET_UNREADABLE", {
      what: `The file that ${flag} names cannot be read.`,
      why: `${file}: ${reasonOf(error)}`,
      todo: `Give the right file with ${flag}.`,
      cause: error,
    });
  }
};

const notWritten = (file: string, details: Omit<FailureDetails, "what">): Failure =>
  new Failure("KIT_NOT_WRITTEN", { what: `${file} was not written.`, ...details });

/** Throws KIT_NOT_WRITTEN when the file is there and must not be replaced, or is no file. */
export const refuseToReplace = async (context: Context, name: string, replace: boolean): Promise<void> => {
  const file = resolve(context.cwd, name);
  try {
    const present = await stat(file);
    if (present.isDirectory())
      throw notWritten(file, { why: "it is a directory", todo: "Give the name of a file with --out." });
    if (replace) return;
  } catch (error) {
    if (isFailure(error)) throw error;
    if (reasonOf(error) === "ENOENT") return;
    throw notWritten(file, { why: reasonOf(error), cause: error });
  }
  throw notWritten(file, {
    why: "it is there already, and may be the only kit that opens older backups",
    todo: "Give another name with --out, or replace it with --yes.",
  });
};

/** Whole or not at all, and readable for its owner only. Gives its path. Throws KIT_NOT_WRITTEN. */
export const writeKitFile = async (context: Context, name: string, text: string): Promise<string> => {
  const file = resolve(context.cwd, name);
  try {
    await replace(file, `${file}.${context.randomId(8)}`, text);
  } catch (error) {
    throw notWritten(file, { why: reasonOf(error), cause: error });
  }
  return file;
};

const replace = async (file: string, draft: string, text: string): Promise<void> => {
  const handle = await open(draft, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
    await handle.close();
    await rename(draft, file);
  } catch (error) {
    await handle.close();
    await rm(draft);
    throw error;
  }
};
