/** A fingerprint of the repository password: tells whether it is still the same one, and hardly helps to guess it. */
import { scrypt } from "node:crypto";
import { z } from "zod";

/** Each guess costs as much as one at kopia's own repository, which lies in the same bucket: 64 MiB, a fifth of a second. */
const cost = { N: 65_536, r: 8, p: 1, maxmem: 2 * 128 * 65_536 * 8 } as const;
const length = 32;

export const fingerprintSchema = z.object({
  algorithm: z.literal("scrypt-65536-8-1"),
  salt: z.string(),
  hash: z.string(),
});

export type Fingerprint = z.output<typeof fingerprintSchema>;

/** `salt` must be a new random text for each fingerprint. */
export const fingerprintOf = async (password: string, salt: string): Promise<Fingerprint> => {
  const hash = await new Promise<Buffer>((resolve, reject) =>
    scrypt(password, salt, length, cost, (error, key) => (error === null ? resolve(key) : reject(error))),
  );
  return { algorithm: "scrypt-65536-8-1", salt, hash: hash.toString("hex") };
};

/** True when the fingerprint is that of this password. */
export const isFingerprintOf = async (fingerprint: Fingerprint, password: string): Promise<boolean> =>
  (await fingerprintOf(password, fingerprint.salt)).hash === fingerprint.hash;
