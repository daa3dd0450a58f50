import { describe, expect, it, beforeEach } from "vitest";
import { kitEvidenceKey, readKitEvidence } from "../kit/evidence.ts";
import { type Kit, kitText } from "../kit/kit.ts";
import { seal } from "../kit/seal.ts";
import {
  ageIdentity,
  ageKeyFile,
  ageRecipient,
  byPassphrase,
  byRecipient,
  otherIdentity,
} from "../kit/testing/by-age.ts";
import { aKit, aKitsBucket, kitSecrets } from "../kit/testing/kits.ts";
import { Failure } from "../model/failure.ts";
import type { MemoryBucket } from "../systems/s3/memory.ts";
import { checkWith, type CheckFlags, type Openers } from "./kit-check-body.ts";
import { showKit } from "./kit-show-body.ts";
import type { FakeTerminal } from "./testing/fake-context.ts";
import { kitWorld, type Ran } from "./testing/kit-world.ts";

const world = kitWorld();
let bucket: MemoryBucket;
let asked: unknown[];
beforeEach(async () => {
  bucket = await aKitsBucket();
  asked = [];
  world.write("key.txt", ageKeyFile);
});

const store = async (kit: Kit | object = aKit()): Promise<string> =>
  world.write("home.kit", await seal(kitText(kit as Kit), { kind: "recipients", recipients: [ageRecipient] }));

const openers = (more: Partial<Openers> = {}): Openers => ({
  bucket: async (access) => {
    asked.push(access);
    return bucket;
  },
  ...more,
});

const check = (
  flags: Partial<CheckFlags> = {},
  terminal: FakeTerminal & { readonly openers?: Openers } = {},
): Promise<Ran> =>
  world.run(
    checkWith(terminal.openers ?? openers()),
    { identity: "key.txt", output: "table", ...flags },
    ["home.kit"],
    terminal,
  );

const noSecretIn = (...texts: readonly string[]): void => {
  for (const secret of [...kitSecrets, ageIdentity]) expect(texts.join("\n")).not.toContain(secret);
};

describe("kit check", () => {
  it("opens the bucket with the kit's own keys, says what it opened, and records it", async () => {
    await store();
    const { status, out, err } = await check();
    expect({ status, err }).toEqual({ status: 0, err: "" });
    expect(asked).toEqual([aKit().bucket]);
    expect(out).toMatch(/^repositories +1 opened: media$/m);
    expect(out).toMatch(/^backup +holdfast-1, .* old, 1 copies$/m);
    expect(out).toMatch(/^nas +NOT CHECKED/m);
    expect((await readKitEvidence(bucket, "home"))?.evidence).toMatchObject({ outside: true, nas: "not checked" });
    noSecretIn(out, new TextDecoder().decode((await bucket.get(kitEvidenceKey("home")))?.body));
  });

  it("gives the same as data", async () => {
    await store(aKit({ nas: false }));
    const { out } = await check({ output: "json" });
    expect(JSON.parse(out)).toMatchObject({
      cluster: { name: "home", uid: "uid-of-kube-system" },
      repositories: ["media"],
      backup: "holdfast-1",
      nas: "none",
      outside: true,
      recorded: true,
    });
  });

  it("needs no holdfast.yaml", async () => {
    await store();
    const { status } = await world.run(
      checkWith(openers()),
      { identity: world.path("key.txt"), output: "table" as const },
      [world.path("home.kit")],
      { cwd: "/nowhere" },
    );
    expect(status).toBe(0);
  });

  it("logs in to the NAS where something can", async () => {
    await store();
    const seen: unknown[] = [];
    const { out } = await check({}, { openers: openers({ nas: () => async (access) => void seen.push(access) }) });
    expect(out).toMatch(/^nas +logged in$/m);
    expect(seen).toEqual([aKit().nas]);
  });

  it("in a pod of a cluster ends with 4: status stays red", async () => {
    await store();
    const { status, out } = await check({}, { env: { KUBERNETES_SERVICE_HOST: "10.0.0.1" } });
    expect(status).toBe(4);
    expect(out).toContain("stays red");
    expect((await readKitEvidence(bucket, "home"))?.evidence.outside).toBe(false);
  });
});

describe("kit check refuses", () => {
  const outcome = async (ran: Promise<Ran>) => {
    const { status, out, err } = await ran;
    noSecretIn(out, err);
    return { status, out, err, recorded: await readKitEvidence(bucket, "home") };
  };
  const refused = (status: number, expected: RegExp) => ({
    status,
    out: "",
    err: expect.stringMatching(expected) as string,
    recorded: undefined,
  });

  it("the kit of another cluster, and names both", async () => {
    await store({ ...aKit(), cluster: { name: "cabin" } });
    expect(await outcome(check())).toEqual(
      refused(5, /cluster "cabin", and .*holdfast\.yaml to "home".*\(KIT_OTHER_CLUSTER\)/s),
    );
  });

  it("the kit of another bucket than today's", async () => {
    await store({ ...aKit(), bucket: { ...aKit().bucket, name: "old" } });
    expect(await outcome(check())).toEqual(
      refused(4, /old\/velero\/, and .* names homelab\/velero\/.*\(KIT_OUTDATED\)/s),
    );
  });

  it("the kit of a newer Holdfast", async () => {
    await store({ kind: "holdfast-kit", version: 2 });
    expect(await outcome(check())).toEqual(refused(1, /\(KIT_TOO_NEW\)/));
  });

  it("a kit that lacks something", async () => {
    await store({ ...aKit(), repository: {} });
    expect(await outcome(check())).toEqual(refused(1, /repository\.password.*\(KIT_UNREADABLE\)/s));
  });

  it("another identity", async () => {
    await store();
    world.write("key.txt", `${otherIdentity}\n`);
    expect(await outcome(check())).toEqual(refused(1, /sealed for another identity.*\(KIT_UNREADABLE\)/s));
  });

  it("an identity file that is none, or not there", async () => {
    await store();
    world.write("key.txt", ageRecipient);
    expect(await outcome(check())).toEqual(refused(2, /key\.txt holds no age identity.*\(SECRET_UNREADABLE\)/s));
    expect(await outcome(check({ identity: "nowhere" }))).toEqual(
      refused(2, /nowhere: ENOENT.*\(SECRET_UNREADABLE\)/s),
    );
  });

  it("to guess what opens it", async () => {
    await store();
    const run = (flags: object) =>
      world.run(checkWith(openers()), { output: "table" as const, ...flags }, ["home.kit"]);
    expect(await outcome(run({}))).toEqual(
      refused(2, /sealed for the holder of an age identity.*--identity FILE.*\(USAGE\)/s),
    );
    expect(await outcome(run({ identity: "key.txt", passphraseFile: "x" }))).toEqual(
      refused(2, /exclude each other.*\(USAGE\)/s),
    );
    world.write("home.kit", byPassphrase);
    expect(await outcome(run({}))).toEqual(refused(2, /no terminal.*--passphrase-file FILE.*\(NOT_INTERACTIVE\)/s));
  });

  it.each([
    ["that is not there", undefined, /home\.kit cannot be read\.\n {2}why: ENOENT/],
    ["that is empty", "", /no file that age has sealed/],
    ["that age has not sealed", "dear diary", /no file that age has sealed/],
    ["that is cut short", byRecipient.slice(0, 150), /cut short/],
    ["that holds something else", byRecipient, /no kit of Holdfast/],
  ])("a file %s", async (_, text, expected) => {
    if (text !== undefined) world.write("home.kit", text);
    expect(await outcome(check())).toEqual(refused(1, expected));
    expect(await outcome(check())).toEqual(refused(1, /\(KIT_UNREADABLE\)/));
  });

  it("to record anything when the store does not take the kit's keys", async () => {
    await store();
    bucket.fail("list", new Failure("BUCKET_DENIED", { what: "The store says no." }));
    const { status, err } = await check();
    expect(status).toBe(1);
    expect(err).toMatch(/The kit's S3 access does not work.*\(BUCKET_DENIED\)/s);
    expect(bucket.calls.filter(({ verb }) => verb === "write")).toEqual([]);
  });
});

describe("kit show", () => {
  const show = (
    flags: { readonly secrets?: boolean; readonly output?: "table" | "json" | "name" } = {},
  ): Promise<Ran> =>
    world.run(showKit, { identity: "key.txt", secrets: false, output: "table", ...flags }, ["home.kit"]);

  it("shows what is in it and the runbook, and no secret", async () => {
    await store();
    for (const output of ["table", "json", "name"] as const) {
      const { status, out, err } = await show({ output });
      expect({ status, err }).toEqual({ status: 0, err: "" });
      noSecretIn(out);
    }
    const { out } = await show();
    expect(out).toMatch(/^bucket\.endpoint +https:\/\/nas\.lab:9000$/m);
    expect(out).toMatch(/^bucket\.secretAccessKey +\(hidden\)$/m);
    expect(out).toMatch(/^nas\.parents +tank\/k8s\/nfs\/v$/m);
    expect(out).toContain("  kopia repository connect s3 ");
  });

  it("with --secrets -o json gives the document itself, as age -d does", async () => {
    await store();
    expect((await show({ secrets: true, output: "json" })).out).toBe(kitText(aKit()));
    expect((await show({ secrets: true })).out).toMatch(/^repository\.password +open sesame$/m);
  });

  it("needs no holdfast.yaml, cluster or bucket", async () => {
    await store();
    world.write("holdfast.yaml", "broken: [");
    expect((await show()).status).toBe(0);
    expect(asked).toEqual([]);
  });

  it("says as data what is wrong, when data was asked for", async () => {
    const { status, err } = await show({ output: "json" });
    expect(status).toBe(1);
    expect(JSON.parse(err)).toMatchObject({ error: { code: "KIT_UNREADABLE" } });
  });
});
