import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import type { Failure } from "../../model/failure.ts";
import { ApiError } from "./api-error.ts";
import type { Call } from "./call.ts";
import type { Credentials } from "./credentials.ts";
import { failureOfApiError, failureOfConnection } from "./failures.ts";
import { loadClientNode, type ClusterAccess } from "./kubeconfig.ts";
import type { ExecResult, ObjectName } from "./port.ts";

interface ExecOptions {
  readonly container: string;
  readonly command: readonly string[];
  readonly signal?: AbortSignal;
  readonly access: ClusterAccess;
  readonly credentials: Credentials;
  readonly host: string;
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
  options.signal?.throwIfAborted();
  const { Exec } = await loadClientNode();
  const exec = new Exec(await kubeConfigOf(options.access, options.credentials));
  const out = new PassThrough();
  const err = new PassThrough();
  const outText = text(out);
  const errText = text(err);
  const status = await new Promise<ExecStatus>((resolve, reject) => {
    const socket = exec.exec(
      pod.namespace ?? "",
      pod.name,
      options.container,
      [...options.command],
      out,
      err,
      null,
      false,
      (status) => resolve(status as ExecStatus),
    );
    socket.then(
      (opened) =>
        guard(opened, {
          signal: options.signal,
          reject,
          closedEarly: () => failureOfConnection(call, options.host, new ClosedEarly()),
        }),
      (error: unknown) => reject(connectionError(call, options.host, error)),
    );
  }).finally(() => {
    out.end();
    err.end();
  });
  return { exitCode: exitCodeOf(call, status), stdout: await outText, stderr: await errText };
};

/** Whether or not the command ran to its end is not known. */
class ClosedEarly extends Error {
  constructor() {
    super("The connection closed before the command's exit status came.");
  }
}

/** Rejects when the connection ends early or the signal aborts. After the status, rejecting changes nothing. */
const guard = (
  socket: Socket,
  options: { readonly signal: AbortSignal | undefined; reject(reason: unknown): void; closedEarly(): unknown },
): void => {
  const { signal, reject, closedEarly } = options;
  const abort = (): void => {
    reject(signal?.reason);
    socket.close();
  };
  socket.addEventListener("close", () => {
    signal?.removeEventListener("abort", abort);
    reject(closedEarly());
  });
  if (signal?.aborted === true) abort();
  else signal?.addEventListener("abort", abort, { once: true });
};

const handshakeRefusal = /Unexpected server response: (\d{3})/;

/** client-node gives an ErrorEvent, whose message is all that is left of a refused handshake. */
const connectionError = (call: Call, host: string, thrown: unknown): Failure => {
  const event = thrown as { message?: unknown; error?: unknown };
  const message = typeof event.message === "string" ? event.message : "";
  const status = handshakeRefusal.exec(message)?.[1];
  if (status !== undefined) {
    return failureOfApiError(call, new ApiError({ status: Number(status), reason: "", message: `HTTP ${status}` }));
  }
  return failureOfConnection(call, host, event.error ?? thrown);
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

const kubeConfigOf = async (access: ClusterAccess, credentials: Credentials) => {
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
  config.applyToHTTPSOptions = ((original) => async (options) => {
    await original.call(config, options);
    options.headers = { ...options.headers, ...headers };
  })(config.applyToHTTPSOptions);
  return config;
};
