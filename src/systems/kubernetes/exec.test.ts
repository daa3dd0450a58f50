import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { isFailure } from "../../model/failure.ts";
import { KubernetesClient } from "./client.ts";
import { accessTo, startScriptedServer } from "./testing/scripted-server.ts";
import { realWorld } from "./testing/world.ts";

const stdout = 1;
const stderr = 2;
const statusChannel = 3;

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** One binary WebSocket message from the server on one of Kubernetes' channels. */
const message = (channel: number, text: string): Buffer => {
  const payload = Buffer.concat([Buffer.from([channel]), Buffer.from(text)]);
  const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 0xff];
  return Buffer.concat([Buffer.from([0x82, ...length]), payload]);
};

const ended = (status: object): Buffer => message(statusChannel, JSON.stringify({ kind: "Status", ...status }));

interface Handshake {
  readonly url: URL;
  readonly authorization: string | undefined;
}

/** A kubelet that takes the upgrade and then does as told. */
const start = async (talk: (socket: Socket) => void, deadlines: object = {}) => {
  const server = await startScriptedServer((_seen, response) => response.writeHead(403).end());
  const handshakes: Handshake[] = [];
  server.on("upgrade", (request, socket) => {
    handshakes.push({ url: new URL(request.url ?? "", server.address), authorization: request.headers.authorization });
    const key = `${request.headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
    const accept = createHash("sha1").update(key).digest("base64");
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: v5.channel.k8s.io\r\n\r\n`,
    );
    socket.on("end", () => socket.end()).resume();
    talk(socket);
  });
  const credentials = { tls: { rejectUnauthorized: true }, headers: { Authorization: "Bearer t" } };
  const client = new KubernetesClient(
    accessTo(server.address, () => credentials),
    realWorld,
    { deadlines },
  );
  ends.push(
    () => client.close(),
    () => server.close(),
  );
  const exec = (signal?: AbortSignal) =>
    client.exec(
      { name: "a", namespace: "media" },
      { container: "main", command: ["sh", "-c", "echo 'a b'"], ...(signal === undefined ? {} : { signal }) },
    );
  return { server, handshakes, exec };
};

const codeOf = async (call: Promise<unknown>): Promise<unknown> => {
  const error: unknown = await call.then(
    () => "succeeded",
    (thrown: unknown) => thrown,
  );
  return isFailure(error) ? error.code : error;
};

describe("exec", () => {
  it("gives what the command wrote and its exit status", async () => {
    const { exec, handshakes } = await start((socket) => {
      socket.write(message(stdout, "out "));
      socket.write(message(stderr, "err"));
      socket.write(message(stdout, "more"));
      socket.write(ended({ status: "Success" }));
    });
    expect(await exec()).toEqual({ exitCode: 0, stdout: "out more", stderr: "err" });
    const [handshake] = handshakes;
    expect(handshake?.authorization).toBe("Bearer t");
    expect(handshake?.url.pathname).toBe("/api/v1/namespaces/media/pods/a/exec");
    expect(handshake?.url.searchParams.getAll("command")).toEqual(["sh", "-c", "echo 'a b'"]);
    expect(handshake?.url.searchParams.get("container")).toBe("main");
  });

  it("gives the exit status of a command that failed", async () => {
    const causes = [{ reason: "ExitCode", message: "7" }];
    const { exec } = await start((socket) => {
      socket.write(
        ended({ status: "Failure", reason: "NonZeroExitCode", message: "exit code 7", details: { causes } }),
      );
    });
    expect(await exec()).toEqual({ exitCode: 7, stdout: "", stderr: "" });
  });

  it("is refused when the command could not be started", async () => {
    const { exec } = await start((socket) => {
      socket.write(ended({ status: "Failure", reason: "InternalError", code: 500, message: "no such file" }));
    });
    await expect(exec()).rejects.toMatchObject({ code: "KUBERNETES_REFUSED", why: "no such file (HTTP 500)" });
  });

  it("is unreachable when the connection ends before the status, whatever was written", async () => {
    const { exec } = await start((socket) => {
      socket.write(message(stdout, "half"));
      socket.end();
    });
    await expect(exec()).rejects.toMatchObject({ code: "KUBERNETES_UNREACHABLE" });
  });

  it("is unreachable when the command does not end in time", async () => {
    const { exec, server } = await start(() => undefined, { exec: 200 });
    expect(await codeOf(exec())).toBe("KUBERNETES_UNREACHABLE");
    await expect.poll(() => server.openSockets()).toBe(0);
  });

  it("names the missing rule when the handshake is refused with 403", async () => {
    const server = await startScriptedServer((_seen, response) => response.writeHead(403).end());
    ends.push(() => server.close());
    const access = accessTo(server.address, () => ({ tls: { rejectUnauthorized: true }, headers: {} }));
    const exec = new KubernetesClient(access, realWorld).exec(
      { name: "a", namespace: "media" },
      { container: "main", command: ["true"] },
    );
    await expect(exec).rejects.toMatchObject({
      code: "KUBERNETES_FORBIDDEN",
      why: expect.stringContaining('resources: ["pods/exec"], verbs: ["create"]') as string,
    });
  });

  it("is unreachable when nobody listens", async () => {
    const access = accessTo("http://127.0.0.1:1", () => ({ tls: { rejectUnauthorized: true }, headers: {} }));
    const client = new KubernetesClient(access, realWorld);
    const exec = client.exec({ name: "a", namespace: "media" }, { container: "main", command: ["true"] });
    expect(await codeOf(exec)).toBe("KUBERNETES_UNREACHABLE");
  });

  it("throws the signal's reason and hangs up", async () => {
    const controller = new AbortController();
    const { exec, server } = await start(() => controller.abort(new Error("enough")));
    await expect(exec(controller.signal)).rejects.toThrow("enough");
    await expect.poll(() => server.openSockets()).toBe(0);
    await expect(exec(AbortSignal.abort(new Error("before")))).rejects.toThrow("before");
  });
});
