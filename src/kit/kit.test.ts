import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { parseConfig } from "../config/read.ts";
import { Failure } from "../model/failure.ts";
import { kitText, parseKit, withoutSecrets } from "./kit.ts";
import { aConfig, aKit, kitSecrets } from "./testing/kits.ts";

const refusal = (text: string): Failure => {
  try {
    parseKit(text);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error("it was taken");
};

describe("a kit", () => {
  it("comes back as it went in, with and without a NAS", () => {
    for (const kit of [aKit(), aKit({ nas: false })]) expect(parseKit(kitText(kit))).toEqual(kit);
  });

  it("holds what opens the backups and what the cluster was", () => {
    expect(aKit()).toMatchObject({
      kind: "holdfast-kit",
      version: 1,
      made: "2026-11-23T12:00:00.000Z",
      cluster: { name: "home", uid: "uid-of-kube-system" },
      bucket: {
        endpoint: "https://nas.lab:9000",
        prefix: "velero",
        accessKeyId: "s3-id",
        secretAccessKey: "s3-secret",
      },
      repository: { password: "open sesame" },
      nas: {
        key: "nas-secret",
        remover: { user: "holdfast-remover", key: "remover-secret" },
        parents: ["tank/k8s/nfs/v"],
      },
    });
  });

  it("brings a holdfast.yaml that works where it is opened: no secret in it, and everything else as it was", () => {
    const { holdfastYaml } = aKit();
    for (const secret of kitSecrets) expect(holdfastYaml).not.toContain(secret);
    const config = parseConfig(holdfastYaml, "holdfast.yaml");
    expect(config.bucket).toMatchObject({ name: "homelab", prefix: "velero", region: "home", caFile: "bucket-ca.pem" });
    expect(config.bucket.credentials.env).toEqual({
      accessKeyId: "AWS_ACCESS_KEY_ID",
      secretAccessKey: "AWS_SECRET_ACCESS_KEY",
    });
    expect(config.nas).toMatchObject({ caFile: "nas-ca.pem", key: { env: "NAS_KEY" } });
    expect(config.policy).toEqual(aConfig().policy);
    expect(parse(holdfastYaml) as object).not.toHaveProperty("cluster");
  });

  it("is shown without any of its secrets", () => {
    const shown = kitText(withoutSecrets(aKit()));
    for (const secret of kitSecrets) {
      expect(kitText(aKit())).toContain(secret);
      expect(shown).not.toContain(secret);
    }
    expect(shown).toContain("s3-id");
  });
});

describe("what is no kit", () => {
  it.each(["", "dear diary", "{}", "[]", "null", '{"kind":"other","version":1}'])("is refused: %j", (text) => {
    expect(refusal(text)).toMatchObject({ code: "KIT_UNREADABLE" });
  });

  it("is not shown in the refusal", () => {
    const { bucket: _, ...rest } = aKit();
    const failure = refusal(JSON.stringify({ ...rest, repository: { password: 7 } }));
    expect(failure).toMatchObject({
      code: "KIT_UNREADABLE",
      why: "missing or not usable in it: bucket, repository.password",
    });
    const broken = refusal(kitText(aKit()).slice(0, -10));
    for (const secret of kitSecrets) expect(JSON.stringify([failure, broken, broken.cause])).not.toContain(secret);
  });

  it("is told apart from one of a newer Holdfast, whatever that has in it", () => {
    const failure = refusal(JSON.stringify({ kind: "holdfast-kit", version: 2, everything: "new" }));
    expect(failure).toMatchObject({ code: "KIT_TOO_NEW", what: "The kit has the form 2; this Holdfast knows form 1." });
  });
});
