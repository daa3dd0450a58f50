import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A key and its certificate, PEM. */
export interface Pair {
  readonly key: string;
  readonly cert: string;
}

/** A CA of a test's own. */
export interface Authority {
  readonly ca: string;
  /** Signs a certificate for a name; `names` as in subjectAltName: "IP:127.0.0.1,DNS:kubernetes". */
  sign(commonName: string, names: string): Promise<Pair>;
  close(): Promise<void>;
}

const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** Makes a CA with openssl in a temporary folder. */
export const makeAuthority = async (): Promise<Authority> => {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-ca-"));
  const openssl = async (...words: string[]) => void (await run("openssl", words, { cwd: folder }));
  const pem = (name: string) => readFile(join(folder, name), "utf8");
  await openssl("req", "-x509", ...newKey, "-keyout", "ca.key", "-out", "ca.crt", "-days", "2", "-subj", "/CN=test-ca");
  let count = 0;
  return {
    ca: await pem("ca.crt"),
    sign: async (commonName, names) => {
      const name = `cert-${(count += 1)}`;
      await writeFile(join(folder, `${name}.ext`), `subjectAltName=${names}\n`);
      await openssl("req", ...newKey, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${commonName}`);
      const signing = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", `${name}.ext`];
      await openssl("x509", "-req", "-in", `${name}.csr`, "-out", `${name}.crt`, ...signing);
      return { key: await pem(`${name}.key`), cert: await pem(`${name}.crt`) };
    },
    close: () => rm(folder, { recursive: true }),
  };
};
