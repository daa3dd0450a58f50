/** Seals text with age and opens it again. Debian's `age` opens what is sealed here, and seals what is opened here. */
import { armor, Decrypter, Encrypter } from "age-encryption";
import { Failure, messageOf } from "../model/failure.ts";

/** For whom something is sealed: holders of identities, or whoever knows a passphrase. age does not mix the two. */
export type Lock =
  | { readonly kind: "recipients"; readonly recipients: readonly string[] }
  | { readonly kind: "passphrase"; readonly passphrase: string };

/** What opens it. */
export type Key =
  | { readonly kind: "identities"; readonly identities: readonly string[] }
  | { readonly kind: "passphrase"; readonly passphrase: string };

/** What a sealed file was made for. */
export type SealedFor = Lock["kind"];

/** age's text form, which survives copy and paste. A passphrase costs 256 MiB and a second or two, by intention. */
export const seal = async (text: string, lock: Lock): Promise<string> => {
  const encrypter = new Encrypter();
  if (lock.kind === "passphrase") encrypter.setPassphrase(lock.passphrase);
  else for (const recipient of lock.recipients) encrypter.addRecipient(recipient);
  return armor.encode(await encrypter.encrypt(text));
};

const begin = "-----BEGIN AGE ENCRYPTED FILE-----";
const end = "-----END AGE ENCRYPTED FILE-----";
/** First line of what is inside the text form. */
const magic = "age-encryption.org/v1\n";

/**
 * The bytes that were sealed, from age's text form or its binary one. Of the text form only the letters between the two
 * marks count, so that what was pasted into a mail or typed off paper still opens. Throws KIT_UNREADABLE.
 */
const sealedBytes = (file: Uint8Array): Uint8Array => {
  const binary = Buffer.from(file);
  if (binary.subarray(0, magic.length).toString("latin1") === magic) return file;
  const text = binary.toString("latin1");
  const from = text.indexOf(begin);
  if (from < 0) throw unreadable("it is no file that age has sealed");
  const to = text.indexOf(end, from);
  if (to < 0) throw unreadable(`it is cut short: its last line, ${end}, is missing`);
  const letters = text.slice(from + begin.length, to).replaceAll(/\s+/g, "");
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(letters) || letters.length % 4 !== 0)
    throw unreadable("letters between its first and its last line are missing, or wrong");
  const bytes = Buffer.from(letters, "base64");
  if (bytes.subarray(0, magic.length).toString("latin1") !== magic)
    throw unreadable("it is damaged, or made by a version of age that is not known");
  return bytes;
};

const unreadable = (why: string, cause?: unknown): Failure =>
  new Failure("KIT_UNREADABLE", {
    what: "The kit cannot be opened.",
    why,
    todo: "Take another copy of the kit, or make a new one: `holdfast kit create`.",
    cause,
  });

/** Whether a passphrase or an identity opens a file. Throws KIT_UNREADABLE for what age has not sealed, or only a part of it. */
export const sealedFor = (file: Uint8Array): SealedFor => {
  const header = Buffer.from(sealedBytes(file)).toString("latin1").split("\n---")[0] ?? "";
  return /\n-> scrypt /.test(header) ? "passphrase" : "recipients";
};

/** What the library says when no key fits; anything else that it throws means a damaged file. */
const noKeyFits = "no identity matched any of the file's recipients";

/** Opens a sealed file. Throws KIT_UNREADABLE saying which: a wrong key, or a damaged file. */
export const unseal = async (file: Uint8Array, key: Key): Promise<string> => {
  const bytes = sealedBytes(file);
  const decrypter = new Decrypter();
  if (key.kind === "passphrase") decrypter.addPassphrase(key.passphrase);
  else for (const identity of key.identities) decrypter.addIdentity(identity);
  try {
    return await decrypter.decrypt(bytes, "text");
  } catch (error) {
    if (messageOf(error) !== noKeyFits)
      throw unreadable("it is damaged: what is left of it does not fit its seal", error);
    throw wrongKey(key, sealedFor(file));
  }
};

const wrongKey = (key: Key, made: SealedFor): Failure => {
  const what = "The kit does not open.";
  if (key.kind === "identities" && made === "passphrase")
    return new Failure("KIT_UNREADABLE", {
      what,
      why: "it was sealed with a passphrase, and an identity was given",
      todo: "Leave --identity out and type the passphrase.",
    });
  if (key.kind === "passphrase" && made === "recipients")
    return new Failure("KIT_UNREADABLE", {
      what,
      why: "it was sealed for the holder of an age identity, and a passphrase was given",
      todo: "Give --identity FILE: the file that age-keygen made.",
    });
  return new Failure("KIT_UNREADABLE", {
    what,
    why: key.kind === "passphrase" ? "the passphrase is not the one" : "it was sealed for another identity",
    todo:
      key.kind === "passphrase"
        ? "Type it again. When it is lost, make a new kit: `holdfast kit create`."
        : "Give the identity whose recipient it was sealed for. When it is lost, make a new kit: `holdfast kit create`.",
  });
};
