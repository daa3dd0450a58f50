/** How a kit is sealed and opened from the command line: recipients, identities, and passphrases in files or typed. */
import type { Config } from "../config/schema.ts";
import type { Context } from "../context.ts";
import { type Kit, parseKit } from "../kit/kit.ts";
import { readIdentities, recipientProblem } from "../kit/recipients.ts";
import { type Key, type Lock, sealedFor, unseal } from "../kit/seal.ts";
import { Failure } from "../model/failure.ts";
import { readSecretFile } from "./kit-files.ts";

export interface OpeningFlags {
  readonly identity?: string;
  readonly passphraseFile?: string;
}

export interface SealingFlags {
  readonly recipient?: readonly string[];
  readonly passphraseFile?: string;
}

/** Letters. The file lies where anybody may find it, and can then be guessed at for years. */
const shortest = 12;

const passphraseIn = async (context: Context, name: string): Promise<string> => {
  const flag = "--passphrase-file";
  const passphrase = (await readSecretFile(context, flag, name)).replace(/\r?\n$/, "");
  if (passphrase.trim() !== "") return passphrase;
  throw new Failure("SECRET_UNREADABLE", { what: `The file that ${flag} names is empty.`, why: name });
};

const typed = async (context: Context, prompt: string, instead: string): Promise<string> => {
  if (!context.stdin.isTTY)
    throw new Failure("NOT_INTERACTIVE", {
      what: "A passphrase is needed, and there is no terminal to type it on.",
      todo: instead,
    });
  const answer = await context.stdin.readLine(prompt, { hidden: true });
  if (answer === undefined || answer === "")
    throw new Failure("NOT_CONFIRMED", { what: "No passphrase was typed; nothing was done.", todo: instead });
  return answer;
};

/** Throws USAGE, CONFIG_INVALID for recipients that are none, SECRET_UNREADABLE, NOT_INTERACTIVE, NOT_CONFIRMED. */
export const lockOf = async (context: Context, flags: SealingFlags, { kit }: Config): Promise<Lock> => {
  const { recipient: given = [], passphraseFile } = flags;
  if (given.length > 0 && passphraseFile !== undefined)
    throw new Failure("USAGE", { what: "--recipient and --passphrase-file exclude each other." });
  if (passphraseFile !== undefined) return passphraseLock(await passphraseIn(context, passphraseFile));
  for (const [index, text] of given.entries()) {
    const problem = recipientProblem(text, kit.recipients);
    if (problem !== undefined)
      throw new Failure("USAGE", { what: `--recipient number ${index + 1} is no recipient of age.`, why: problem });
  }
  if (given.length > 0) return { kind: "recipients", recipients: given };
  for (const [index, text] of kit.recipients.entries()) {
    const problem = recipientProblem(text);
    if (problem !== undefined)
      throw new Failure("CONFIG_INVALID", { what: `kit.recipients.${index} is no recipient of age.`, why: problem });
  }
  if (kit.recipients.length > 0) return { kind: "recipients", recipients: kit.recipients };
  return typedLock(context);
};

const typedLock = async (context: Context): Promise<Lock> => {
  const instead = "Give --recipient age1… or --passphrase-file FILE, or set kit.recipients in holdfast.yaml.";
  const lock = passphraseLock(await typed(context, "Passphrase for the kit (not shown): ", instead));
  const again = await typed(context, "The same again: ", instead);
  if (lock.passphrase === again) return lock;
  throw new Failure("NOT_CONFIRMED", {
    what: "The two passphrases differ; nothing was written.",
    todo: "Run it again.",
  });
};

const passphraseLock = (passphrase: string): Extract<Lock, { kind: "passphrase" }> => {
  if (passphrase.length >= shortest) return { kind: "passphrase", passphrase };
  throw new Failure("USAGE", {
    what: `The passphrase is too short: it needs ${shortest} characters.`,
    why: "who finds the file can try passphrases for as long as they like",
    todo: "Take five or six random words, and write them down where the kit is not.",
  });
};

/** Opens a kit with what the flags name, or asks for its passphrase. Throws KIT_UNREADABLE, KIT_TOO_NEW and those of `lockOf`. */
export const openKit = async (context: Context, file: Uint8Array, flags: OpeningFlags): Promise<Kit> =>
  parseKit(await unseal(file, await keyOf(context, file, flags)));

const keyOf = async (context: Context, file: Uint8Array, flags: OpeningFlags): Promise<Key> => {
  const { identity, passphraseFile } = flags;
  if (identity !== undefined && passphraseFile !== undefined)
    throw new Failure("USAGE", { what: "--identity and --passphrase-file exclude each other." });
  const made = sealedFor(file);
  if (identity !== undefined) return identityKey(context, identity);
  if (passphraseFile !== undefined)
    return { kind: "passphrase", passphrase: await passphraseIn(context, passphraseFile) };
  if (made === "passphrase") {
    const instead = "Give --passphrase-file FILE.";
    return { kind: "passphrase", passphrase: await typed(context, "Passphrase of the kit (not shown): ", instead) };
  }
  throw new Failure("USAGE", {
    what: "The kit was sealed for the holder of an age identity.",
    todo: "Give --identity FILE: the file that age-keygen made.",
  });
};

const identityKey = async (context: Context, name: string): Promise<Key> => {
  const read = readIdentities(await readSecretFile(context, "--identity", name));
  if ("identities" in read) return { kind: "identities", identities: read.identities };
  throw new Failure("SECRET_UNREADABLE", {
    what: `${name} holds no age identity that can be used.`,
    why: read.problem,
    todo: read.todo ?? "Give the file that age-keygen made with --identity.",
  });
};
