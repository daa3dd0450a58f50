/** What a user is told when the S3 store refuses, lies, hangs or is something else. Real sockets on the loopback. */
import type { ServerResponse } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Failure } from "../../model/failure.ts";
import { failureOf } from "../../model/testing/failure-of.ts";
import { type Authority, makeAuthority } from "../kubernetes/testing/certificates.ts";
import { type Script, type ScriptedServer, startScriptedServer } from "../kubernetes/testing/scripted-server.ts";
import { AwsBucket, type BucketAccess } from "./aws.ts";
import { bucketFailure } from "./failures.ts";
import type { Bucket } from "./port.ts";

const secret = "s3cr3t-access-key";
const accessTo = (endpoint: string): BucketAccess => ({
  endpoint,
  bucket: "homelab",
  region: "home",
  accessKeyId: "key-id",
  secretAccessKey: secret,
});

const limits = { connect: 1000, answer: 200, attempts: 1 };
const body = new TextEncoder().encode("body");

const calls: readonly (readonly [string, (bucket: Bucket) => Promise<unknown>])[] = [
  ["list", (bucket) => bucket.list("a/")[Symbol.asyncIterator]().next()],
  ["folders", (bucket) => bucket.folders("a/")[Symbol.asyncIterator]().next()],
  ["get", (bucket) => bucket.get("a/b")],
  ["put", (bucket) => bucket.put("a/b", body)],
  ["remove", (bucket) => bucket.remove("a/b")],
];

/** All that a user may see of it, with HOLDFAST_DEBUG too. */
const textOf = ({ message, what, why, todo, stack }: Failure): string => [message, what, why, todo, stack].join("\n");

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

const startServer = async (
  script: Script,
  tls?: Parameters<typeof startScriptedServer>[1],
): Promise<ScriptedServer> => {
  const server = await startScriptedServer(script, tls);
  ends.push(() => server.close());
  return server;
};

const openBucket = async (script: Script, attempts = 1): Promise<AwsBucket> =>
  new AwsBucket(accessTo((await startServer(script)).address), { ...limits, attempts });

const sendXml = (response: ServerResponse, status: number, xml: string, headers: object = {}): void => {
  response.writeHead(status, { "content-type": "application/xml", ...headers });
  response.end(`<?xml version="1.0" encoding="UTF-8"?>\n${xml}`);
};

const refusing =
  (status: number, code: string): Script =>
  (_seen, response) =>
    // Real stores repeat what they were sent; a broken one might repeat the key.
    sendXml(
      response,
      status,
      `<Error><Code>${code}</Code><Message>the store's own words</Message><StringToSign>${secret}</StringToSign><BucketName>homelab</BucketName></Error>`,
      { "x-secret-header": secret },
    );

const answering =
  (status: number, text: string, type: string): Script =>
  (_seen, response) => {
    response.writeHead(status, { "content-type": type });
    response.end(text);
  };

describe.each(calls)("AwsBucket, asked to %s", (_, call) => {
  it.each([
    [403, "AccessDenied", "BUCKET_DENIED"],
    [403, "InvalidAccessKeyId", "BUCKET_DENIED"],
    [403, "SignatureDoesNotMatch", "BUCKET_DENIED"],
    [403, "SomethingNew", "BUCKET_DENIED"],
    [401, "Unauthorized", "BUCKET_DENIED"],
    [400, "AuthorizationHeaderMalformed", "BUCKET_DENIED"],
    [404, "NoSuchBucket", "BUCKET_MISSING"],
    [409, "OperationAborted", "BUCKET_CONFLICT"],
    [412, "PreconditionFailed", "BUCKET_CONFLICT"],
    [400, "InvalidBucketName", "BUCKET_REFUSED"],
    [500, "InternalError", "BUCKET_REFUSED"],
    [503, "SlowDown", "BUCKET_REFUSED"],
    [507, "XMinioStorageFull", "BUCKET_REFUSED"],
  ])("maps %i %s to %s, with the store's words and not the secret", async (status, code, expected) => {
    const failure = await failureOf(call(await openBucket(refusing(status, code))));
    expect(failure.code).toBe(expected);
    expect(failure.what).toContain("homelab");
    expect(failure.why).toContain("the store's own words");
    expect(failure.why).toContain(code);
    expect(textOf(failure)).not.toContain(secret);
  });

  it("says which right is wanted when it is denied", async () => {
    const failure = await failureOf(call(await openBucket(refusing(403, "AccessDenied"))));
    expect(failure.todo).toMatch(/bucket\.credentials.*s3:(ListBucket|GetObject|PutObject|DeleteObject)/);
  });

  it.each([
    ["a page that says 404", answering(404, "<html><body>Not Found</body></html>", "text/html")],
    ["an empty 404", answering(404, "", "text/plain")],
    ["a gateway's 502", answering(502, "<html>Bad Gateway</html>", "text/html")],
  ])("is refused by %s", async (_, script) => {
    const failure = await failureOf(call(await openBucket(script)));
    expect(failure.code).toBe("BUCKET_REFUSED");
    expect(failure.why).toMatch(/\S/);
  });

  it("is unreachable when nobody listens, by address and by name", async () => {
    const server = await startScriptedServer(() => undefined);
    await server.close();
    for (const host of ["127.0.0.1", "localhost"]) {
      const endpoint = `http://${host}:${server.port}`;
      const failure = await failureOf(call(new AwsBucket(accessTo(endpoint), limits)));
      expect(failure.code).toBe("BUCKET_UNREACHABLE");
      expect(failure.what).toContain(endpoint);
      expect(failure.why).toMatch(/ECONNREFUSED/);
    }
  });

  it("is unreachable when the name does not exist", async () => {
    const failure = await failureOf(call(new AwsBucket(accessTo("http://absent.invalid:9000"), limits)));
    expect(failure).toMatchObject({ code: "BUCKET_UNREACHABLE", what: "http://absent.invalid:9000 does not answer." });
  });

  it("is unreachable when the store says nothing within the time", async () => {
    const failure = await failureOf(call(await openBucket(() => undefined)));
    expect(failure.code).toBe("BUCKET_UNREACHABLE");
    expect(failure.why).toMatch(/\S/);
  });

  it("is unreachable when the store hangs up", async () => {
    const failure = await failureOf(call(await openBucket((_seen, response) => response.destroy())));
    expect(failure.code).toBe("BUCKET_UNREACHABLE");
  });
});

// A removal is answered by nothing but a status, so success cannot be told from a web page there.
describe.each(calls.slice(0, 4))("AwsBucket, asked to %s something that is no S3 store", (_, call) => {
  it.each([
    ["a web page", "<!doctype html><html><body>NAS login</body></html>", "text/html"],
    ["a page that is no XML either", "hello & goodbye", "text/plain"],
    ["nothing", "", "text/plain"],
  ])("is refused by %s", async (_, text, type) => {
    const failure = await failureOf(call(await openBucket(answering(200, text, type))));
    expect(failure.code).toBe("BUCKET_REFUSED");
    expect(failure.why).toMatch(/\S/);
  });
});

describe("a failure to connect", () => {
  it("is told by its code when node says nothing more, as for a name with several addresses", () => {
    const error = Object.assign(new AggregateError([], ""), { code: "ECONNREFUSED" });
    const operation = { verb: "list", action: "s3:ListBucket", bucket: "homelab", endpoint: "http://nas" } as const;
    expect(bucketFailure(error, operation)).toMatchObject({ code: "BUCKET_UNREACHABLE", why: "ECONNREFUSED" });
  });
});

describe("AwsBucket reading a body", () => {
  it("is unreachable when the body ends too early, and never gives half of it", async () => {
    const half: Script = (_seen, response) => {
      response.writeHead(200, { "content-length": "100", etag: '"x"' });
      response.write("half", () => response.destroy());
    };
    expect((await failureOf((await openBucket(half)).get("a"))).code).toBe("BUCKET_UNREACHABLE");
  });

  it("is unreachable when the body stalls", async () => {
    const stalling: Script = (_seen, response) => {
      response.writeHead(200, { "content-length": "100", etag: '"x"' });
      response.write("half");
    };
    expect((await failureOf((await openBucket(stalling)).get("a"))).code).toBe("BUCKET_UNREACHABLE");
  });

  it("takes only the store's own NoSuchKey for an absent object", async () => {
    expect(await (await openBucket(refusing(404, "NoSuchKey"))).get("a")).toBeUndefined();
  });
});

describe("AwsBucket writing on a condition", () => {
  it("sends it, and takes a vanished object for a conflict", async () => {
    const server = await startServer(refusing(404, "NoSuchKey"));
    const bucket = new AwsBucket(accessTo(server.address), limits);
    expect((await failureOf(bucket.put("a", body, { etag: '"x"' }))).code).toBe("BUCKET_CONFLICT");
    expect((await failureOf(bucket.put("a", body, "absent"))).code).toBe("BUCKET_CONFLICT");
    expect(server.seen.map(({ headers }) => [headers["if-match"], headers["if-none-match"]])).toEqual([
      ['"x"', undefined],
      [undefined, "*"],
    ]);
  });
});

describe("AwsBucket's retries", () => {
  it("survive one refusal that passes by", async () => {
    const page = "<ListBucketResult><Name>homelab</Name><IsTruncated>false</IsTruncated></ListBucketResult>";
    const bucket = await openBucket(
      (seen, response, index) =>
        index === 0 ? refusing(503, "SlowDown")(seen, response, index) : sendXml(response, 200, page),
      3,
    );
    expect(await bucket.list("")[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined });
  });

  it("list the second page from where the first ended, and fail when it cannot be had", async () => {
    const contents = (key: string): string => `<Contents><Key>${key}</Key><Size>1</Size><ETag>"x"</ETag></Contents>`;
    const first = `<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>more/+=</NextContinuationToken>${contents("a")}</ListBucketResult>`;
    const seenTokens: (string | null)[] = [];
    const bucket = await openBucket((seen, response, index) => {
      seenTokens.push(seen.query.get("continuation-token"));
      return index === 0 ? sendXml(response, 200, first) : refusing(403, "AccessDenied")(seen, response, index);
    });
    const items = bucket.list("")[Symbol.asyncIterator]();
    expect(await items.next()).toMatchObject({ value: { key: "a" } });
    expect((await failureOf(items.next())).code).toBe("BUCKET_DENIED");
    expect(seenTokens).toEqual([null, "more/+="]);
  });
});

describe("AwsBucket over TLS", () => {
  let authority: Authority;
  beforeAll(async () => {
    authority = await makeAuthority();
  });
  afterAll(() => authority.close());

  const page = "<ListBucketResult><Name>homelab</Name><IsTruncated>false</IsTruncated></ListBucketResult>";
  const startTls = async (names: string): Promise<ScriptedServer> =>
    startServer((_seen, response) => sendXml(response, 200, page), await authority.sign("nas", names));

  it("trusts the CA that it was given", async () => {
    const { address } = await startTls("IP:127.0.0.1");
    const bucket = new AwsBucket({ ...accessTo(address), ca: authority.ca }, limits);
    expect(await bucket.list("")[Symbol.asyncIterator]().next()).toEqual({ done: true, value: undefined });
  });

  it.each(calls)("is untrusted without it, asked to %s", async (_, call) => {
    const { address, seen } = await startTls("IP:127.0.0.1");
    const failure = await failureOf(call(new AwsBucket(accessTo(address), limits)));
    expect(failure).toMatchObject({ code: "BUCKET_UNTRUSTED", what: `The certificate of ${address} is not trusted.` });
    expect(failure.todo).toContain("bucket.caFile");
    expect(seen).toEqual([]);
  });

  it("is untrusted when the certificate is another server's", async () => {
    const { address } = await startTls("DNS:other.example");
    const failure = await failureOf(calls[0]![1](new AwsBucket({ ...accessTo(address), ca: authority.ca }, limits)));
    expect(failure.code).toBe("BUCKET_UNTRUSTED");
    expect(failure.why).toContain("127.0.0.1");
  });

  it("is unreachable when a TLS endpoint speaks plain HTTP", async () => {
    const { address } = await startServer((_seen, response) => sendXml(response, 200, page));
    const bucket = new AwsBucket(accessTo(address.replace("http:", "https:")), limits);
    expect((await failureOf(calls[0]![1](bucket))).code).toBe("BUCKET_UNREACHABLE");
  });

  it("does not mistake the word certificate in a store's refusal for an untrusted one", async () => {
    const bucket = await openBucket((_seen, response) =>
      sendXml(response, 500, "<Error><Code>InternalError</Code><Message>the KMS certificate expired</Message></Error>"),
    );
    expect((await failureOf(bucket.get("a"))).code).toBe("BUCKET_REFUSED");
  });
});
