/**
 * Does a password open a kopia repository? Answered from the repository's first object alone, without kopia.
 * Source: repo/format/format_blob.go and internal/crypto of kopia 0.22 (the fork that Velero 1.18 builds with).
 */
import { createDecipheriv, hkdf, pbkdf2, scrypt } from "node:crypto";
import { promisify } from "node:util";
import { z } from "zod";
import { Failure, messageOf } from "../../model/failure.ts";

/** Name of that object, below the repository's prefix. */
export const formatBlobName = "kopia.repository";

const bytes = z.base64().transform((text) => Buffer.from(text, "base64"));

const formatBlobSchema = z.looseObject({
  uniqueID: bytes,
  keyAlgo: z.string(),
  encryption: z.literal("AES256_GCM"),
  encryptedBlockFormat: bytes,
});

type FormatBlob = z.output<typeof formatBlobSchema>;

const keyLength = 32;
const nonceLength = 12;
const tagLength = 16;

const scryptKey = (password: string, salt: Uint8Array): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    // 128·N·r bytes are needed; node refuses exactly that much.
    const cost = { N: 65_536, r: 8, p: 1, maxmem: 2 * 128 * 65_536 * 8 };
    scrypt(password, salt, keyLength, cost, (error, key) => (error === null ? resolve(key) : reject(error)));
  });

const pbkdf2Key = promisify(pbkdf2);
const expand = promisify(hkdf);

const passwordKeys: Readonly<Record<string, (password: string, salt: Uint8Array) => Promise<Buffer>>> = {
  "scrypt-65536-8-1": scryptKey,
  "pbkdf2-sha256-600000": (password, salt) => pbkdf2Key(password, salt, 600_000, keyLength, "sha256"),
};

const unreadable = (why: string, cause?: unknown): Failure =>
  new Failure("REPOSITORY_FAILED", {
    what: `The repository's object ${formatBlobName} cannot be read.`,
    why,
    todo: "Without it nothing in this repository can be opened. `kopia repository repair` can bring it back from the repository's other objects.",
    cause,
  });

const parse = (content: Uint8Array): FormatBlob => {
  try {
    return formatBlobSchema.parse(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content)));
  } catch (error) {
    throw unreadable(error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error), error);
  }
};

/**
 * True when the password decrypts the repository's format; false when it does not, or when the encrypted part itself
 * was changed: its seal does not tell the two apart. Throws REPOSITORY_FAILED when the object is not kopia's.
 * Cost: 64 MiB and a fifth of a second, for whoever guesses too.
 */
export const opensRepository = async (formatBlob: Uint8Array, password: string): Promise<boolean> => {
  const format = parse(formatBlob);
  const { uniqueID: salt, encryptedBlockFormat: sealed } = format;
  const derive = passwordKeys[format.keyAlgo];
  if (derive === undefined) throw unreadable(`its key derivation "${format.keyAlgo}" is not known`);
  if (sealed.length < nonceLength + tagLength) throw unreadable("its encrypted part is cut short");
  const master = await derive(password, salt);
  const [key, authenticated] = await Promise.all(
    ["AES", "CHECKSUM"].map(async (purpose) => Buffer.from(await expand("sha256", master, salt, purpose, keyLength))),
  );
  return unseals(sealed, key ?? master, authenticated ?? master);
};

const unseals = (sealed: Buffer, key: Buffer, authenticated: Buffer): boolean => {
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, nonceLength), { authTagLength: tagLength });
  decipher.setAAD(authenticated);
  decipher.setAuthTag(sealed.subarray(-tagLength));
  decipher.update(sealed.subarray(nonceLength, -tagLength));
  try {
    decipher.final();
    return true;
  } catch {
    // The only thing that `final` throws for is a seal that does not fit.
    return false;
  }
};
