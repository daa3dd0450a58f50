/** REST v2.0. From 25.04 on only somebody with FULL_ADMIN may use it; before, a key may be for some resources. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Identity, LoginOutcome } from "./accounts.ts";
import { dispatch } from "./dispatch.ts";
import { Dropped } from "./faults.ts";
import { type RestRoute, routeOf } from "./rest-route.ts";
import { Session } from "./session.ts";
import { encode, restError } from "./wire.ts";
import type { World } from "./world.ts";

export const restPrefix = "/api/v2.0";

/** Who asks, by `Authorization: Bearer KEY` or `Basic`. REST takes a key in clear and does not revoke it. */
const authenticate = async ({ accounts }: World, request: IncomingMessage): Promise<LoginOutcome> => {
  const [scheme, credential = ""] = (request.headers.authorization ?? "").split(" ");
  if (scheme === "Bearer") return accounts.withKey(credential, undefined, true);
  if (scheme !== "Basic") return "wrong";
  const [username = "", ...password] = Buffer.from(credential, "base64").toString("utf8").split(":");
  return accounts.withPassword(username, password.join(":"));
};

const glob = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .split("*")
      .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`))
      .join(".*")}$`,
  );

const mayUse = (world: World, { user, key }: Identity, verb: string, { resource }: RestRoute): boolean => {
  if (world.release === "24.10" && key?.allow !== undefined)
    return key.allow.some(
      ({ method, resource: allowed }) => [verb, "*"].includes(method) && glob(allowed).test(resource),
    );
  return user.roles.includes("FULL_ADMIN");
};

const bodyOf = async (request: IncomingMessage): Promise<unknown> => {
  let text = "";
  for await (const piece of request) text += String(piece);
  return text.trim() === "" ? undefined : (JSON.parse(text) as unknown);
};

/** Runs what a route means. Throws what the method throws. */
const call = async (world: World, identity: Identity, { method, params }: RestRoute): Promise<unknown> => {
  const session = new Session({ secure: true, notify: () => undefined });
  // What the key may do here was decided by its resource.
  session.identity = { ...identity, user: { ...identity.user, roles: ["FULL_ADMIN"] } };
  const outcome = await dispatch({ world, session }, { method, params });
  return "job" in outcome ? outcome.job.id : outcome.result;
};

/** Answers one request. */
export const serveRest = async (world: World, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const answer = (status: number, body?: unknown): void => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(body === undefined ? "" : encode(body));
  };
  const url = new URL(request.url ?? "/", "http://nas");
  const verb = request.method ?? "GET";
  const identity = await authenticate(world, request);
  if (typeof identity === "string") return answer(401, "Invalid API key");
  try {
    const path = url.pathname.slice(restPrefix.length);
    const route = routeOf({ verb, path, query: url.searchParams, body: await bodyOf(request) }, world.release);
    if (route === undefined) return answer(404, { message: "Not found" });
    if (!mayUse(world, identity, verb, route)) return answer(403);
    return answer(200, (await call(world, identity, route)) ?? null);
  } catch (error) {
    if (error instanceof Dropped) return void request.socket.destroy();
    if (error instanceof SyntaxError) return answer(400, { message: `JSON parse error: ${error.message}` });
    const { status, body } = restError(error);
    return answer(status, body);
  }
};
