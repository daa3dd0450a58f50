/** Recipients and identities of age as people write them, and what may have been meant when they are none. */
import { Encrypter, Decrypter } from "age-encryption";
import { nearest } from "../model/nearest.ts";

interface Lookalike {
  readonly looks: RegExp;
  readonly hint: string;
}

const lookalikes: readonly Lookalike[] = [
  {
    looks: /^AGE-SECRET-KEY-/i,
    hint: "that is an identity, the secret half: keep it to yourself. Its recipient begins with age1; `age-keygen -y FILE` prints it",
  },
  {
    looks: /^(ssh-|ecdsa-|sk-)/,
    hint: "that is an ssh key, which Holdfast cannot use; `age-keygen -o FILE` makes an identity and prints its recipient",
  },
  {
    looks: /^age1[a-z]+1/,
    hint: "that is the recipient of a plugin or a hardware key, with which Holdfast cannot open the kit again; use one of age-keygen's",
  },
  { looks: /@/, hint: "that looks like an address; a recipient begins with age1" },
];

/**
 * Why a text is no recipient that a kit can be sealed for, with the nearest hint; undefined when it is one. `known` are
 * recipients that may have been meant. Secrets in the text are not repeated.
 */
export const recipientProblem = (text: string, known: readonly string[] = []): string | undefined => {
  if (/^age1(pq1)?[02-9ac-hj-np-z]+$/.test(text) && accepts(() => new Encrypter().addRecipient(text))) return undefined;
  const alike = lookalikes.find(({ looks }) => looks.test(text));
  if (alike !== undefined) return alike.hint;
  const [near] = nearest(text, known, 1);
  if (near !== undefined) return `did you mean ${near}?`;
  return text.startsWith("age1")
    ? "a letter of it is wrong or missing: copy it again from the line `# public key:` of the identity's file"
    : "a recipient begins with age1; `age-keygen -o FILE` makes an identity and prints its recipient";
};

/** The library's only word for a key that it does not take is an error. */
const accepts = (use: () => void): boolean => {
  try {
    use();
    return true;
  } catch {
    return false;
  }
};

/** What an identity file holds, or why none of it can be used. */
export type Identities =
  | { readonly identities: readonly string[] }
  | { readonly problem: string; readonly todo?: string };

/** Reads what age-keygen writes: identities one a line, comments after "#". The texts never show a line of it. */
export const readIdentities = (text: string): Identities => {
  if (/^(age-encryption\.org|-----BEGIN AGE)/.test(text))
    return { problem: "it is sealed itself", todo: "Open it first: age -d -o key.txt FILE" };
  if (text.includes("PRIVATE KEY-----")) return { problem: "it is an ssh key, which Holdfast cannot use" };
  const lines = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  if (lines.some((line) => line.startsWith("AGE-PLUGIN-")))
    return {
      problem: "it is the identity of a plugin or a hardware key",
      todo: "Open the kit with age itself: age -d -i FILE KIT",
    };
  const wrong = lines.findIndex((line) => !accepts(() => new Decrypter().addIdentity(line)));
  if (wrong >= 0) return { problem: `its identity ${wrong + 1} is none: a letter of it is wrong or missing` };
  return lines.length === 0 ? { problem: "there is no line AGE-SECRET-KEY-… in it" } : { identities: lines };
};
