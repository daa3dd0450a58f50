/** gRPC over unix sockets: services out of the .proto files, handlers that are plain async functions, and clients for tests. */
import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  credentials,
  type handleUnaryCall,
  makeGenericClientConstructor,
  Server,
  ServerCredentials,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

export { status } from "@grpc/grpc-js";

/** An answer other than OK. Sidecars and the kubelet decide by the code whether to try again. */
export class RpcError extends Error {
  readonly code: status;

  constructor(code: status, message: string) {
    super(message);
    this.name = "RpcError";
    this.code = code;
  }
}

// A method's request is known only to its own handler; the wire form is checked by the .proto.
// oxlint-disable-next-line typescript/no-explicit-any
export type Handlers = Readonly<Record<string, (request: any) => Promise<object>>>;

export type Log = (line: string) => void;

const protoFile = (name: string): string => join(dirname(fileURLToPath(import.meta.url)), name);

const serviceOf = (file: string, name: string): ServiceDefinition => {
  const definitions = loadSync(protoFile(file), {
    keepCase: true,
    longs: String,
    enums: String,
    defaults: true,
    oneofs: true,
  });
  // A service's definition is the entry without a message format.
  return definitions[name] as ServiceDefinition;
};

export const services = {
  identity: serviceOf("csi.proto", "csi.v1.Identity"),
  controller: serviceOf("csi.proto", "csi.v1.Controller"),
  node: serviceOf("csi.proto", "csi.v1.Node"),
  registration: serviceOf("pluginregistration.proto", "pluginregistration.Registration"),
} as const;

/** What a log line says a call was about. */
const subject = (request: Readonly<Record<string, unknown>>): string => {
  const { volume_id: id, name, target_path: target } = request;
  return [id ?? name, target].filter((word) => typeof word === "string" && word !== "").join(" ");
};

type Answer = { readonly response: object } | { readonly error: { readonly code: status; readonly details: string } };

const answer = async (handler: Handlers[string], request: object): Promise<Answer> => {
  try {
    return { response: await handler(request) };
  } catch (error) {
    const details = error instanceof Error ? error.message : String(error);
    return { error: { code: error instanceof RpcError ? error.code : status.INTERNAL, details } };
  }
};

/** The kubelet asks these every few seconds; only a refusal is worth a line. */
const quiet = /Get|Probe/;

const implementation = (handlers: Handlers, log: Log): UntypedServiceImplementation => {
  const methodOf =
    (method: string, handler: Handlers[string]): handleUnaryCall<Readonly<Record<string, unknown>>, object> =>
    async ({ request }, callback) => {
      const start = performance.now();
      const given = await answer(handler, request);
      const outcome =
        "error" in given ? `${status[given.error.code]} ${given.error.details.replaceAll("\n", " | ")}` : "OK";
      if (outcome !== "OK" || !quiet.test(method))
        log(`${method} ${subject(request)} ${Math.round(performance.now() - start)}ms ${outcome}`);
      if ("error" in given) callback(given.error);
      else callback(null, given.response);
    };
  return Object.fromEntries(Object.entries(handlers).map(([method, handler]) => [method, methodOf(method, handler)]));
};

/** The kernel's limit for the path of a unix socket, without its closing zero byte. */
const longestSocketPath = 107;

export interface Endpoint {
  readonly socket: string;
  readonly services: readonly { readonly definition: ServiceDefinition; readonly handlers: Handlers }[];
  readonly log: Log;
}

export interface Served {
  /** Lets calls that run come to their end, then removes the socket. */
  close(): Promise<void>;
}

/** Serves on a socket, taking the place of a socket that an earlier process left there. */
export const serve = async ({ socket, services, log }: Endpoint): Promise<Served> => {
  if (Buffer.byteLength(socket) > longestSocketPath)
    throw new Error(`the socket's path is longer than ${longestSocketPath} bytes: ${socket}`);
  mkdirSync(dirname(socket), { recursive: true });
  rmSync(socket, { force: true });
  const server = new Server();
  for (const { definition, handlers } of services) server.addService(definition, implementation(handlers, log));
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix://${socket}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  return {
    close: async () => {
      await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
      rmSync(socket, { force: true });
    },
  };
};

export interface RpcClient {
  /** Calls a method by its name. Rejects with grpc-js's ServiceError (`code`, `details`). */
  call(method: string, request: object): Promise<unknown>;
  close(): void;
}

/** A client of one service behind a socket. */
export const connect = (socket: string, definition: ServiceDefinition): RpcClient => {
  const Client = makeGenericClientConstructor(definition, "Client");
  const client = new Client(`unix://${socket}`, credentials.createInsecure());
  return {
    call: (method, request) =>
      new Promise((resolve, reject) => {
        const send = client[method] as (
          request: object,
          callback: (error: Error | null, response: unknown) => void,
        ) => void;
        send.call(client, request, (error, response) => (error === null ? resolve(response) : reject(error)));
      }),
    close: () => client.close(),
  };
};
