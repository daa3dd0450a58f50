/** A small certificate authority over the openssl command line. Keys are EC P-256, which are made in milliseconds. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "../shell/run.ts";

export interface KeyPair {
  /** Paths of the PEM files. */
  readonly crt: string;
  readonly key: string;
}

export type Authority = KeyPair;

interface Subject {
  readonly CN: string;
  readonly O?: string;
}

export interface CertificateRequest {
  /** The files become NAME.crt and NAME.key. */
  readonly name: string;
  readonly subject: Subject;
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
  readonly usages: "client" | "server" | "both";
}

const validDays = "3650";

const extendedUsages = { client: "clientAuth", server: "serverAuth", both: "serverAuth,clientAuth" } as const;

const distinguishedName = ({ CN, O }: Subject): string[] => [
  "[name]",
  ...(O === undefined ? [] : [`O = ${O}`]),
  `CN = ${CN}`,
];

const configuration = (subject: Subject, extensions: readonly string[]): string =>
  [
    "[req]",
    "prompt = no",
    "distinguished_name = name",
    "x509_extensions = extensions",
    ...distinguishedName(subject),
    "[extensions]",
    ...extensions,
    "",
  ].join("\n");

/** The openssl configuration of an authority's own certificate. */
const authorityConfiguration = (cn: string): string =>
  configuration({ CN: cn }, [
    "basicConstraints = critical,CA:TRUE",
    "keyUsage = critical,keyCertSign,cRLSign,digitalSignature",
    "subjectKeyIdentifier = hash",
  ]);

/** The openssl configuration of a certificate for a client or server. */
export const leafConfiguration = (request: CertificateRequest): string => {
  const names = [...(request.dns ?? []).map((name) => `DNS:${name}`), ...(request.ips ?? []).map((ip) => `IP:${ip}`)];
  return configuration(request.subject, [
    "basicConstraints = critical,CA:FALSE",
    "keyUsage = critical,digitalSignature",
    `extendedKeyUsage = ${extendedUsages[request.usages]}`,
    "authorityKeyIdentifier = keyid",
    ...(names.length === 0 ? [] : [`subjectAltName = ${names.join(",")}`]),
  ]);
};

const makePair = async (dir: string, name: string, config: string, signer: readonly string[]): Promise<KeyPair> => {
  mkdirSync(dir, { recursive: true });
  const pair = { crt: join(dir, `${name}.crt`), key: join(dir, `${name}.key`) };
  const configFile = join(dir, `${name}.cnf`);
  writeFileSync(configFile, config);
  const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc", "-keyout", pair.key];
  await run("openssl", [
    "req",
    "-x509",
    "-config",
    configFile,
    "-days",
    validDays,
    ...newKey,
    ...signer,
    "-out",
    pair.crt,
  ]);
  rmSync(configFile);
  for (const file of [pair.crt, pair.key]) chmodSync(file, 0o600);
  return pair;
};

/** Makes a new authority: NAME.crt and NAME.key in `dir`, which is created when missing. */
export const createAuthority = (dir: string, cn: string, name = "ca"): Promise<Authority> =>
  makePair(dir, name, authorityConfiguration(cn), []);

/** Makes a key and a certificate signed by `authority` in `dir`. Safe to call many times at once. */
export const issue = (authority: Authority, dir: string, request: CertificateRequest): Promise<KeyPair> =>
  makePair(dir, request.name, leafConfiguration(request), ["-CA", authority.crt, "-CAkey", authority.key]);

/** The API server's keys for service account tokens: sa.key and sa.pub (RSA 2048, as kubeadm makes them). */
export const serviceAccountKeys = async (dir: string): Promise<{ readonly key: string; readonly pub: string }> => {
  mkdirSync(dir, { recursive: true });
  const pair = { key: join(dir, "sa.key"), pub: join(dir, "sa.pub") };
  await run("openssl", ["genrsa", "-out", pair.key, "2048"]);
  await run("openssl", ["rsa", "-in", pair.key, "-pubout", "-out", pair.pub]);
  for (const file of [pair.key, pair.pub]) chmodSync(file, 0o600);
  return pair;
};
