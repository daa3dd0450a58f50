/** The program age of Debian against what is sealed here: whoever has only that on the bad night must get in. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { kitText } from "./kit.ts";
import { seal, unseal } from "./seal.ts";
import { ageIdentity, ageKeyFile, agePassphrase, ageRecipient } from "./testing/by-age.ts";
import { aKit } from "./testing/kits.ts";

let directory: string;
const path = (name: string): string => join(directory, name);
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "holdfast-age-"));
  writeFileSync(path("key.txt"), ageKeyFile);
});
afterEach(() => rmSync(directory, { recursive: true }));

const age = (...words: readonly string[]): string => execFileSync("age", words, { encoding: "utf8", cwd: directory });

/** age asks for passphrases on the terminal and nowhere else: `script` makes one and types into it. */
const ageWithTerminal = (command: string, typed: readonly string[]): void => {
  const input = typed.map((line) => `${line}\n`).join("");
  execFileSync("script", ["-qec", command, "/dev/null"], { cwd: directory, input });
};

const kit = kitText(aKit());

describe("Debian's age", () => {
  it("opens with its identity what was sealed for its recipient", async () => {
    writeFileSync(path("home.kit"), await seal(kit, { kind: "recipients", recipients: [ageRecipient] }));
    expect(age("-d", "-i", "key.txt", "home.kit")).toBe(kit);
  });

  it("opens with the passphrase what was sealed with one", async () => {
    writeFileSync(path("home.kit"), await seal(kit, { kind: "passphrase", passphrase: agePassphrase }));
    ageWithTerminal("age -d -o kit.json home.kit", [agePassphrase]);
    expect(readFileSync(path("kit.json"), "utf8")).toBe(kit);
  });

  it("seals what opens here", async () => {
    writeFileSync(path("kit.json"), kit);
    age("-a", "-r", ageRecipient, "-o", "home.kit", "kit.json");
    const sealed = readFileSync(path("home.kit"));
    expect(await unseal(sealed, { kind: "identities", identities: [ageIdentity] })).toBe(kit);
    ageWithTerminal("age -a -p -o phrase.kit kit.json", [agePassphrase, agePassphrase]);
    expect(await unseal(readFileSync(path("phrase.kit")), { kind: "passphrase", passphrase: agePassphrase })).toBe(kit);
  });
});
