import { armor, identityToRecipient } from "age-encryption";
import { describe, expect, it } from "vitest";
import { Failure } from "../model/failure.ts";
import { type Key, seal, sealedFor, unseal } from "./seal.ts";
import {
  ageIdentity,
  agePassphrase,
  ageRecipient,
  ageText,
  byPassphrase,
  byRecipient,
  byRecipientBinary,
  otherIdentity,
} from "./testing/by-age.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const identity: Key = { kind: "identities", identities: [ageIdentity] };
const passphrase: Key = { kind: "passphrase", passphrase: agePassphrase };

/** ms. Each try of a passphrase costs a second or two on an idle machine. */
const passphraseTime = 120_000;

const refusal = async (file: Uint8Array, key: Key): Promise<Failure> => {
  try {
    await unseal(file, key);
  } catch (error) {
    if (error instanceof Failure && error.code === "KIT_UNREADABLE") return error;
    throw error;
  }
  throw new Error("it opened");
};

describe("what Debian's age has sealed", () => {
  it("opens with the identity that it was sealed for, in text and in binary form", async () => {
    expect(await unseal(bytes(byRecipient), identity)).toBe(ageText);
    expect(await unseal(byRecipientBinary, identity)).toBe(ageText);
  });

  it("opens with one of several identities", async () => {
    expect(await unseal(bytes(byRecipient), { kind: "identities", identities: [otherIdentity, ageIdentity] })).toBe(
      ageText,
    );
  });

  it("opens with its passphrase, and says so when it is another", { timeout: passphraseTime }, async () => {
    expect(await unseal(bytes(byPassphrase), passphrase)).toBe(ageText);
    const wrong = await refusal(bytes(byPassphrase), {
      kind: "passphrase",
      passphrase: "correct horse battery stable",
    });
    expect(wrong.why).toBe("the passphrase is not the one");
    expect(JSON.stringify(wrong)).not.toContain("stable");
  });

  it("says what opens it", () => {
    expect(sealedFor(bytes(byRecipient))).toBe("recipients");
    expect(sealedFor(byRecipientBinary)).toBe("recipients");
    expect(sealedFor(bytes(byPassphrase))).toBe("passphrase");
  });

  it("opens after a mail program, an editor or a tired typist had it", async () => {
    const [first = "", ...rest] = byRecipient.trim().split("\n");
    const letters = rest.slice(0, -1).join("");
    const variants = [
      byRecipient.replaceAll("\n", "\r\n"),
      `Dear me,\n\n${byRecipient}\nkeep this\n`,
      byRecipient.replaceAll("\n", "  \n\n"),
      [first, ...letters.match(/.{1,20}/g)!, rest.at(-1)].join("\n"),
      `\uFEFF${byRecipient}`,
    ];
    for (const variant of variants) expect(await unseal(bytes(variant), identity)).toBe(ageText);
  });
});

describe("sealing", () => {
  it("gives age's text form, which every one of the recipients opens, and nobody else", async () => {
    const recipients = [ageRecipient, await identityToRecipient(otherIdentity)];
    const sealed = await seal("für später\n", { kind: "recipients", recipients });
    expect(sealed).toMatch(
      /^-----BEGIN AGE ENCRYPTED FILE-----\n([A-Za-z0-9+/=]{1,64}\n)+-----END AGE ENCRYPTED FILE-----\n$/,
    );
    for (const one of [ageIdentity, otherIdentity])
      expect(await unseal(bytes(sealed), { kind: "identities", identities: [one] })).toBe("für später\n");
    const forOne = await seal("x", { kind: "recipients", recipients: [ageRecipient] });
    expect((await refusal(bytes(forOne), { kind: "identities", identities: [otherIdentity] })).why).toBe(
      "it was sealed for another identity",
    );
  });
});

describe("what does not open", () => {
  it("says when a passphrase was given for an identity's file, or an identity for a passphrase's", async () => {
    expect((await refusal(bytes(byPassphrase), identity)).todo).toContain("type the passphrase");
    expect((await refusal(bytes(byRecipient), passphrase)).todo).toContain("--identity FILE");
  });

  it.each([
    ["an empty file", "", "no file that age has sealed"],
    ["a text", "dear diary", "no file that age has sealed"],
    ["a kit that nobody sealed", '{"kind":"holdfast-kit"}', "no file that age has sealed"],
    ["a file without its end", byRecipient.slice(0, 200), "cut short"],
    ["a file without a line of it", byRecipient.replace(/\n.*\n/, "\n"), "damaged"],
    ["a file with a letter too few", byRecipient.replace("YWdl", "YWd"), "missing, or wrong"],
    ["a file with a letter that is none", byRecipient.replace("YWdl", "YW!l"), "missing, or wrong"],
  ])("%s is called what it is", async (_, text, why) => {
    expect((await refusal(bytes(text), identity)).why).toContain(why);
  });

  it("is damaged when any one bit of it was changed", async () => {
    const whole = armor.decode(byRecipient);
    for (let at = 0; at < whole.length; at += 7) {
      const changed = Uint8Array.from(whole);
      changed[at] = (changed[at] ?? 0) ^ 4;
      expect((await refusal(bytes(armor.encode(changed)), identity)).code).toBe("KIT_UNREADABLE");
    }
  });

  it("is damaged when its last bytes are missing, whatever their number", async () => {
    for (let missing = 1; missing < byRecipientBinary.length; missing += 11)
      expect((await refusal(byRecipientBinary.subarray(0, -missing), identity)).code).toBe("KIT_UNREADABLE");
  });
});
