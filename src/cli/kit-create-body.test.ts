import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { kitText, parseKit } from "../kit/kit.ts";
import { sealedFor, unseal } from "../kit/seal.ts";
import { ageIdentity, agePassphrase, ageRecipient, otherIdentity } from "../kit/testing/by-age.ts";
import { createKit } from "./kit-create-body.ts";
import { writeKitFile } from "./kit-files.ts";
import { fakeContext } from "./testing/fake-context.ts";
import { kitWorld } from "./testing/kit-world.ts";

const world = kitWorld();
const base = { out: "home.kit", yes: false } as const;
const toMe = { ...base, recipient: [ageRecipient] } as const;

const opened = async (name = "home.kit") =>
  parseKit(await unseal(readFileSync(world.path(name)), { kind: "identities", identities: [ageIdentity] }));

const secrets = ["open sesame", "s3-secret", agePassphrase];

describe("kit create", () => {
  it("seals what holdfast.yaml refers to, for its owner's eyes only, and says what comes next", async () => {
    const { status, out, err } = await world.run(createKit, toMe, []);
    expect({ status, err }).toEqual({ status: 0, err: "" });
    expect(await opened()).toMatchObject({
      cluster: { name: "home" },
      bucket: { endpoint: "http://127.0.0.1:9", accessKeyId: "s3-id", secretAccessKey: "s3-secret" },
      repository: { password: "open sesame" },
    });
    expect(statSync(world.path("home.kit")).mode & 0o777).toBe(0o600);
    expect(out).toContain("outside the cluster and outside the NAS");
    expect(out).toContain("`holdfast kit check home.kit`");
    for (const secret of secrets) expect(out).not.toContain(secret);
    expect(readdirSync(world.path(".")).filter((name) => name.startsWith("home.kit"))).toEqual(["home.kit"]);
  });

  it("works while the cluster is down, and says what the kit lacks then", async () => {
    const { out } = await world.run(createKit, toMe, []);
    expect(out).toContain("The cluster did not answer");
    expect((await opened()).cluster).toEqual({ name: "home" });
  });

  it("takes the recipients of holdfast.yaml when none is given", async () => {
    const text = readFileSync(world.path("holdfast.yaml"), "utf8");
    world.write("holdfast.yaml", `${text}kit: { recipients: [${ageRecipient}] }\n`);
    expect((await world.run(createKit, base, [])).status).toBe(0);
    expect((await opened()).repository.password).toBe("open sesame");
  });

  it(
    "asks for a passphrase twice when there are no recipients, and does not show it",
    { timeout: 120_000 },
    async () => {
      const terminal = { isTTY: true, typed: [agePassphrase, agePassphrase] };
      const { status, out, err, echoed } = await world.run(createKit, base, [], terminal);
      expect({ status, echoed }).toEqual({ status: 0, echoed: "" });
      expect(err).toBe("Passphrase for the kit (not shown): The same again: ");
      for (const secret of secrets) expect(out + err).not.toContain(secret);
      const file = readFileSync(world.path("home.kit"));
      expect(sealedFor(file)).toBe("passphrase");
      const text = await unseal(file, { kind: "passphrase", passphrase: agePassphrase });
      expect(text).toBe(kitText(parseKit(text)));
    },
  );
});

describe("kit create refuses", () => {
  const refused = async (
    flags: Parameters<typeof createKit>[0],
    terminal = {},
  ): Promise<{ readonly status: number; readonly err: string }> => {
    const { status, out, err } = await world.run(createKit, flags, [], terminal);
    expect(out).toBe("");
    expect(existsSync(world.path("home.kit"))).toBe(false);
    return { status, err };
  };

  it("without recipients, file and terminal", async () => {
    expect(await refused(base)).toMatchObject({
      status: 2,
      err: expect.stringContaining("(NOT_INTERACTIVE)") as string,
    });
  });

  it.each([
    ["two that differ", [agePassphrase, `${agePassphrase} `], /differ.*\(NOT_CONFIRMED\)/s],
    ["none", [""], /No passphrase.*\(NOT_CONFIRMED\)/s],
    ["the end of the input", [], /No passphrase.*\(NOT_CONFIRMED\)/s],
    ["a short one", ["hunter2", "hunter2"], /too short.*\(USAGE\)/s],
  ])("for a passphrase: %s", async (_, typed, expected) => {
    const { status, err } = await refused(base, { isTTY: true, typed });
    expect(status).toBe(2);
    expect(err).toMatch(expected);
    for (const secret of [...secrets, "hunter2"]) expect(err).not.toContain(secret);
  });

  it.each([
    ["", /is empty/],
    ["\n", /is empty/],
    ["short\n", /too short/],
  ])("a passphrase file with %j in it", async (text, expected) => {
    world.write("passphrase", text);
    expect((await refused({ ...base, passphraseFile: "passphrase" })).err).toMatch(expected);
  });

  it("a passphrase file that is not there", async () => {
    const { status, err } = await refused({ ...base, passphraseFile: "nowhere" });
    expect(status).toBe(2);
    expect(err).toMatch(/nowhere: ENOENT.*\(SECRET_UNREADABLE\)/s);
  });

  it("recipients that are none, by their number, without repeating them", async () => {
    const { status, err } = await refused({ ...base, recipient: [ageRecipient, otherIdentity] });
    expect(status).toBe(2);
    expect(err).toMatch(/--recipient number 2 is no recipient of age\.\n {2}why: that is an identity.*\(USAGE\)/s);
    expect(err).not.toContain(otherIdentity);
  });

  it("a recipient of holdfast.yaml with a wrong letter", async () => {
    const text = readFileSync(world.path("holdfast.yaml"), "utf8");
    world.write("holdfast.yaml", `${text}kit: { recipients: [${ageRecipient.slice(0, -1)}6] }\n`);
    const { status, err } = await refused(base);
    expect(status).toBe(2);
    expect(err).toMatch(/kit\.recipients\.0 is no recipient.*\(CONFIG_INVALID\)/s);
  });

  it("recipients and a passphrase at the same time: age does not mix them", async () => {
    expect((await refused({ ...toMe, passphraseFile: "password" })).err).toContain("exclude each other");
  });

  it("when a secret cannot be read", async () => {
    world.write("keys", "[default]\n");
    expect(await refused(toMe)).toMatchObject({
      status: 2,
      err: expect.stringContaining("(SECRET_UNREADABLE)") as string,
    });
  });
});

describe("the file of kit create", () => {
  it("is not replaced without --yes, and is with it", async () => {
    world.write("home.kit", "the only one");
    const { status, err } = await world.run(createKit, toMe, []);
    expect(status).toBe(1);
    expect(err).toMatch(/is there already.*--yes.*\(KIT_NOT_WRITTEN\)/s);
    expect(readFileSync(world.path("home.kit"), "utf8")).toBe("the only one");
    chmodSync(world.path("home.kit"), 0o644);
    expect((await world.run(createKit, { ...toMe, yes: true }, [])).status).toBe(0);
    expect((await opened()).cluster.name).toBe("home");
    expect(statSync(world.path("home.kit")).mode & 0o777).toBe(0o600);
  });

  it.each([
    ["a folder", "folder", /it is a directory/],
    ["in a folder that is not there", "nowhere/home.kit", /ENOENT/],
    ["below a file", "keys/home.kit", /ENOTDIR/],
  ])("is refused: %s", async (_, out, expected) => {
    mkdirSync(world.path("folder"));
    const before = readdirSync(world.path("."));
    const { status, err } = await world.run(createKit, { ...toMe, out, yes: true }, []);
    expect(status).toBe(1);
    expect(err).toMatch(expected);
    expect(err).toContain("(KIT_NOT_WRITTEN)");
    expect(readdirSync(world.path("."))).toEqual(before);
  });

  it("leaves no draft behind when it cannot take its place, and no draft of others removed", async () => {
    mkdirSync(world.path("full/kit"), { recursive: true });
    const context = fakeContext({ cwd: world.path("full") });
    await expect(writeKitFile(context, "kit", "text")).rejects.toMatchObject({ code: "KIT_NOT_WRITTEN" });
    expect(readdirSync(world.path("full"))).toEqual(["kit"]);
    world.write("home.kit.aaaaaaaa", "somebody's");
    expect((await world.run(createKit, toMe, [])).err).toContain("EEXIST");
    expect(readFileSync(world.path("home.kit.aaaaaaaa"), "utf8")).toBe("somebody's");
  });
});
