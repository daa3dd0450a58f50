import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import type { Clock } from "../../context.ts";
import { abortLater, follow, orAborted } from "./aborting.ts";
import { ApiError } from "./api-error.ts";
import type { Call } from "./call.ts";
import type { Credentials } from "./credentials.ts";
import { failureOfApiError, failureOfConnection } from "./failures.ts";
import { loadClientNode, type ClusterAccess } from "./kubeconfig.ts";
import type { ExecResult, ObjectName } from "./port.ts";
import type { Deadlines } from "./transport.ts";

interface ExecOptions {
  readonly container: string;
  readonly command: readonly string[];
  readonly signal?: AbortSignal;
  readonly access: ClusterAccess;
  readonly credentials: Credentials;
  readonly clock: Clock;
  readonly deadlines: Pick<Deadlines, "call" | "exec">;
}

/** What the status channel carries when the command has ended (V1Status). */
interface ExecStatus {
  readonly status?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: { readonly causes?: readonly { readonly reason?: string; readonly message?: string }[] };
}

type Socket = Awaited<ReturnType<InstanceType<Awaited<ReturnType<typeof loadClientNode>>["Exec"]>["exec"]>>;

/**
 * Runs a command over client-node's WebSocket. The end is the status channel's word, never the end of a stream: a
 * connection that closes without it is KUBERNETES_UNREACHABLE.
 */
export const execInPod = async (call: Call, pod: ObjectName, options: ExecOptions): Promise<ExecResult> => {
  const { host } = new URL(options.access.server);
  const controller = new AbortController();
  const unlink = options.signal === undefined ? () => undefined : follow(options.signal, controller);
  const stop = abortLater(options.clock, controller, options.deadlines.exec);
  try {
    const { status, stdout, stderr } = await orAborted(
      conversation(pod, options, controller.signal),
      controller.signal,
    );
    return { exitCode: exitCodeOf(call, status), stdout, stderr };
  } catch (error) {
    if (options.signal?.aborted === true) throw options.signal.reason;
    throw failureOfSocket(call, host, error);
  } finally {
    stop();
    unlink();
  }
};

/** What the command wrote, and what became of it. */
interface Conversation {
  readonly status: ExecStatus;
  readonly stdout: string;
  readonly stderr: string;
}

const conversation = async (pod: ObjectName, options: ExecOptions, signal: AbortSignal): Promise<Conversation> => {
  const { Exec } = await loadClientNode();
  const exec = new Exec(await kubeConfigOf(options));
  const out = new PassThrough();
  const err = new PassThrough();
  const texts = Promise.all([text(out), text(err)]);
  const status = await new Promise<ExecStatus>((resolve, reject) => {
    const ended = (status: unknown): void => resolve(status as ExecStatus);
    const { container, command } = options;
    exec
      .exec(pod.namespace ?? "", pod.name, container, [...command], out, err, null, false, ended)
      .then((socket) => untilClosed(socket, signal, reject), reject);
  });
  // client-node ends both streams with the status.
  const [stdout, stderr] = await texts;
  return { status, stdout, stderr };
};

/** After the status has come, neither the close nor the hanging up changes anything. */
const untilClosed = (socket: Socket, signal: AbortSignal, reject: (reason: unknown) => void): void => {
  socket.addEventListener("close", () => reject(new ClosedEarly()));
  if (signal.aborted) hangUp(socket);
  else signal.addEventListener("abort", () => hangUp(socket), { once: true });
};

/** Without waiting for the other side to say goodbye, which may be what it fails to do. */
const hangUp = (socket: Socket): void => {
  if ("terminate" in socket && typeof socket.terminate === "function") socket.terminate();
  else socket.close();
};

/** Whether or not the command ran to its end is not known. */
class ClosedEarly extends Error {
  readonly code = "CLOSED_EARLY";
  constructor() {
    super("The connection closed before the command's exit status came.");
  }
}

const handshakeRefusal = /Unexpected server response: (\d{3})/;

/** client-node throws an ErrorEvent, whose message is all that is left of a refused handshake. */
const failureOfSocket = (call: Call, host: string, thrown: unknown): unknown => {
  const event = thrown as { message?: unknown; error?: unknown };
  const status = handshakeRefusal.exec(typeof event.message === "string" ? event.message : "")?.[1];
  if (status === undefined) return failureOfConnection(call, host, event.error ?? thrown);
  return failureOfApiError(call, new ApiError({ status: Number(status), reason: "", message: `HTTP ${status}` }));
};

const exitCodeOf = (call: Call, status: ExecStatus): number => {
  if (status.status === "Success") return 0;
  const code = status.details?.causes?.find((cause) => cause.reason === "ExitCode")?.message;
  if (code !== undefined) return Number(code);
  throw failureOfApiError(
    call,
    new ApiError({
      status: status.code ?? 500,
      reason: status.reason ?? "",
      message: status.message ?? "the command could not be started",
    }),
  );
};

/** client-node's view of credentials that are ready to use. */
const kubeConfigOf = async ({ access, credentials, deadlines }: ExecOptions) => {
  const { KubeConfig } = await loadClientNode();
  const config = new KubeConfig();
  const base64 = (pem: string | undefined) => (pem === undefined ? undefined : Buffer.from(pem).toString("base64"));
  const { tls, headers } = credentials;
  const proxyUrl = access.proxyUrl === undefined ? {} : { proxyUrl: access.proxyUrl };
  config.loadFromOptions({
    clusters: [
      {
        name: "cluster",
        server: access.server,
        caData: base64(tls.ca),
        skipTLSVerify: !tls.rejectUnauthorized || access.server.startsWith("http:"),
        tlsServerName: tls.servername,
        ...proxyUrl,
      },
    ],
    users: [{ name: "user", certData: base64(tls.cert), keyData: base64(tls.key) }],
    contexts: [{ name: "context", cluster: "cluster", user: "user" }],
    currentContext: "context",
  });
  // The headers are ready-made; client-node would only know some of them.
  const original = config.applyToHTTPSOptions.bind(config);
  config.applyToHTTPSOptions = async (options) => {
    await original(options);
    options.headers = Object.assign({}, options.headers, headers);
    // These are the WebSocket's options too, and it has no deadline of its own for its beginning.
    Object.assign(options, { handshakeTimeout: deadlines.call });
  };
  return config;
};
