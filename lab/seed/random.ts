/** Random bytes and numbers that follow from a key: the keystream of AES-128 in counter mode, which processors make at gigabytes a second. */
import { type Cipher, createCipheriv, createHash } from "node:crypto";

const zeros = Buffer.alloc(1 << 18);
/** Numbers are cut from blocks of this size: a call into the cipher for each would be slow. */
const blockBytes = 1 << 12;

export class Random {
  readonly #cipher: Cipher;
  #block: Buffer = zeros.subarray(0, 0);
  #used = 0;

  constructor(key: string) {
    const digest = createHash("sha256").update(key).digest();
    this.#cipher = createCipheriv("aes-128-ctr", digest.subarray(0, 16), digest.subarray(16));
  }

  /** The next bytes of the stream, in memory of their own. At most 256 KiB at a time. */
  bytes(count: number): Buffer {
    if (count > zeros.length) throw new RangeError(`${count} bytes are too many at once`);
    return this.#cipher.update(zeros.subarray(0, count));
  }

  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + (this.#word() % (most - least + 1));
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.between(0, choices.length - 1)] ?? choices[0];
  }

  hex(digits: number): string {
    return this.bytes(Math.ceil(digits / 2))
      .toString("hex")
      .slice(0, digits);
  }

  /** A version 4 UUID. */
  uuid(): string {
    const digits = this.hex(32);
    const variant = "89ab"[this.between(0, 3)] ?? "8";
    return [
      digits.slice(0, 8),
      digits.slice(8, 12),
      `4${digits.slice(13, 16)}`,
      `${variant}${digits.slice(17, 20)}`,
      digits.slice(20),
    ].join("-");
  }

  #word(): number {
    if (this.#used === this.#block.length) {
      this.#block = this.bytes(blockBytes);
      this.#used = 0;
    }
    const word = this.#block.readUInt32LE(this.#used);
    this.#used += 4;
    return word;
  }
}
