import { generateHybridIdentity, identityToRecipient } from "age-encryption";
import { describe, expect, it } from "vitest";
import { readIdentities, recipientProblem } from "./recipients.ts";
import { ageIdentity, ageKeyFile, ageRecipient, otherIdentity } from "./testing/by-age.ts";

describe("a recipient", () => {
  it("is what age-keygen prints, one that resists quantum computers too", async () => {
    expect(recipientProblem(ageRecipient)).toBeUndefined();
    expect(recipientProblem(await identityToRecipient(await generateHybridIdentity()))).toBeUndefined();
  });

  it.each([
    [ageIdentity, /the secret half/],
    [ageIdentity.toLowerCase(), /the secret half/],
    ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIO0xmNCcUzNaWN4Lh7FX", /an ssh key/],
    ["age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t", /hardware key/],
    ["me@example.org", /an address/],
    [`${ageRecipient.slice(0, -1)}6`, /a letter of it is wrong or missing/],
    [ageRecipient.slice(0, -3), /a letter of it is wrong or missing/],
    [ageRecipient.toUpperCase(), /a recipient begins with age1/],
    ["", /a recipient begins with age1/],
    ["bob", /a recipient begins with age1/],
  ])("is not %j", (text, hint) => {
    const problem = recipientProblem(text);
    expect(problem).toMatch(hint);
    expect(problem).not.toContain(ageIdentity.slice(20));
  });

  it("with a wrong letter is compared with those that are known", () => {
    expect(recipientProblem(`${ageRecipient.slice(0, 30)}q${ageRecipient.slice(31)}`, [ageRecipient])).toBe(
      `did you mean ${ageRecipient}?`,
    );
  });
});

describe("an identity file", () => {
  it("is what age-keygen writes, with comments, empty lines and several identities", () => {
    expect(readIdentities(ageKeyFile)).toEqual({ identities: [ageIdentity] });
    const text = `\r\n# mine\r\n ${ageIdentity} \r\n\r\n${otherIdentity}`;
    expect(readIdentities(text)).toEqual({ identities: [ageIdentity, otherIdentity] });
  });

  it.each([
    ["", /no line AGE-SECRET-KEY/],
    [ageRecipient, /identity 1 is none/],
    [`${ageIdentity}\n${ageIdentity.slice(0, -1)}`, /identity 2 is none/],
    ["-----BEGIN AGE ENCRYPTED FILE-----\nYWdl", /sealed itself/],
    ["age-encryption.org/v1\n-> scrypt", /sealed itself/],
    ["-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl", /an ssh key/],
    ["AGE-PLUGIN-YUBIKEY-1QQPQQ", /a plugin or a hardware key/],
  ])("is not %j, and is not repeated", (text, problem) => {
    const read = readIdentities(text);
    expect("problem" in read ? read.problem : "").toMatch(problem);
    expect(JSON.stringify(read)).not.toContain(ageIdentity.slice(20, -5));
  });
});
