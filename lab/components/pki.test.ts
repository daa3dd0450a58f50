import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createAuthority, issue, leafConfiguration, serviceAccountKeys } from "./pki.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "pki-"));
});
afterEach(() => rmSync(dir, { recursive: true }));

const certificate = (file: string): X509Certificate => new X509Certificate(readFileSync(file));

describe("the lab's certificates", () => {
  it("are signed by their authority and carry names, addresses and usages", async () => {
    const authority = await createAuthority(dir, "Home CA");
    const pair = await issue(authority, join(dir, "new"), {
      name: "nas",
      subject: { CN: "nas.lab", O: "home: lab" },
      dns: ["nas.lab"],
      ips: ["10.0.0.1"],
      usages: "both",
    });
    const leaf = certificate(pair.crt);
    expect(leaf.verify(certificate(authority.crt).publicKey)).toBe(true);
    expect(certificate(authority.crt).ca).toBe(true);
    expect(leaf.ca).toBe(false);
    expect(leaf.subject).toBe("O=home: lab\nCN=nas.lab");
    expect(leaf.subjectAltName).toBe("DNS:nas.lab, IP Address:10.0.0.1");
    expect(leaf.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"]);
  });

  it("have different serial numbers when made at the same time, and are readable by nobody else", async () => {
    const authority = await createAuthority(dir, "ca");
    const pairs = await Promise.all(
      ["a", "b", "c"].map((name) => issue(authority, dir, { name, subject: { CN: name }, usages: "client" })),
    );
    expect(new Set(pairs.map((pair) => certificate(pair.crt).serialNumber)).size).toBe(3);
    for (const file of pairs.flatMap((pair) => [pair.crt, pair.key])) expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("leave the alternative names out when there are none", () => {
    expect(leafConfiguration({ name: "x", subject: { CN: "x" }, usages: "client" })).not.toContain("subjectAltName");
  });

  it("come with a key pair for service accounts", async () => {
    const pair = await serviceAccountKeys(dir);
    expect(readFileSync(pair.pub, "utf8")).toContain("BEGIN PUBLIC KEY");
  });
});
