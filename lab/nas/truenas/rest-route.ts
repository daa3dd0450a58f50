/** From a REST v2.0 request to the call that it means. Pure. */
import { CallError } from "./call-error.ts";
import { findMethod } from "./dispatch.ts";
import type { Method } from "./method.ts";
import type { Release } from "./release.ts";

export interface RestRequest {
  readonly verb: string;
  /** Below /api/v2.0, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Undefined when there is none. */
  readonly body: unknown;
}

export interface RestRoute {
  readonly method: Method;
  readonly params: readonly unknown[];
  /** What an allow-list of a key is about: "/pool/dataset/id/{id_}". */
  readonly resource: string;
}

const scalar = (text: string): unknown => {
  if (/^\d+$/.test(text)) return Number(text);
  const word = text.toLowerCase();
  if (word === "null") return null;
  return word === "true" ? true : word === "false" ? false : text;
};

const operators: Readonly<Record<string, string>> = {
  eq: "=",
  neq: "!=",
  gt: ">",
  lt: "<",
  gte: ">=",
  lte: "<=",
  regex: "~",
};

/** What stands behind `extra.` is JSON; TrueNAS fails over anything else, text is kept here. */
const extraValue = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

const extraOf = (query: URLSearchParams): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    [...query].flatMap(([key, value]) => (key.startsWith("extra.") ? [[key.slice(6), extraValue(value)]] : [])),
  );

/** Filters and options out of `?field=value&field__op=value&limit=&offset=&count=&sort=&extra.x=`. */
const queryArguments = (query: URLSearchParams): readonly unknown[] => {
  const filters: unknown[] = [];
  const options: Record<string, unknown> = { extra: extraOf(query) };
  for (const [key, value] of query) {
    if (key.startsWith("extra.")) continue;
    if (["limit", "offset", "count"].includes(key)) options[key] = key === "count" ? scalar(value) : Number(value);
    else if (key === "sort") options.order_by = value.split(",");
    else {
      const [field = key, operator = "eq"] = key.split("__");
      filters.push([field, operators[operator] ?? operator, scalar(value)]);
    }
  }
  return [filters, options];
};

/** A method with several arguments takes them by name; one with a single argument takes it as it is. */
const bodyArguments = (names: readonly string[], body: unknown): readonly unknown[] => {
  if (body === undefined) return [];
  if (names.length <= 1) return names.length === 0 ? [] : [body];
  if (typeof body !== "object" || body === null || Array.isArray(body))
    throw new CallError("Endpoint accepts multiple params, object/dict expected.", "EINVAL");
  const given = body as Readonly<Record<string, unknown>>;
  const unknown = Object.keys(given).filter((name) => !names.includes(name));
  if (unknown.length > 0)
    throw new CallError(`The following attributes are not expected: ${unknown.join(", ")}`, "EINVAL");
  return names.map((name) => given[name]);
};

const itemVerbs: Readonly<Record<string, string>> = { PUT: "update", DELETE: "delete" };

const idOf = (text: string): string | number => (/^\d+$/.test(text) ? Number(text) : text);

const publicMethod = (name: string, release: Release): Method | undefined => {
  const method = findMethod(name, release);
  return method?.private === true ? undefined : method;
};

/** GET gives the item by a query, so what is not there is 404 and not an error of the method. */
const itemRoute = ({ verb, query, body }: RestRequest, service: string, rest: readonly string[], release: Release) => {
  const [encoded = "", action] = rest;
  const id = idOf(decodeURIComponent(encoded));
  const resource = `/${service.replaceAll(".", "/")}/id/{id_}${action === undefined ? "" : `/${action}`}`;
  if (verb === "GET" && action === undefined) {
    const method = publicMethod(`${service}.query`, release);
    const params = [[["id", "=", id]], { get: true, extra: extraOf(query) }];
    return method === undefined ? undefined : { method, params, resource };
  }
  const name = action ?? itemVerbs[verb];
  const method = name === undefined ? undefined : publicMethod(`${service}.${name}`, release);
  if (method === undefined) return undefined;
  const names = Object.keys(method.parameters).slice(1);
  return { method, params: [id, ...bodyArguments(names, body)], resource };
};

/** A service's own address: GET is its query or its configuration, POST makes something. */
const collectionRoute = ({ verb, query, body }: RestRequest, service: string, release: Release) => {
  const resource = `/${service.replaceAll(".", "/")}`;
  if (verb === "GET") {
    const list = publicMethod(`${service}.query`, release);
    if (list !== undefined) return { method: list, params: queryArguments(query), resource };
    const config = publicMethod(`${service}.config`, release);
    if (config !== undefined) return { method: config, params: [], resource };
  }
  const create = verb === "POST" ? publicMethod(`${service}.create`, release) : undefined;
  if (create === undefined) return undefined;
  return { method: create, params: bodyArguments(Object.keys(create.parameters), body), resource };
};

const takesFilters = ({ parameters }: Method): boolean => "filters" in parameters || "query_filters" in parameters;

/** Everything else: GET for what takes nothing or filters, POST for the rest. */
const actionRoute = ({ verb, query, body }: RestRequest, name: string, release: Release) => {
  const method = publicMethod(name, release);
  if (method === undefined) return undefined;
  const names = Object.keys(method.parameters);
  const resource = `/${name.replaceAll(".", "/")}`;
  const reads = names.length === 0 || takesFilters(method);
  if (verb !== (reads ? "GET" : "POST")) return undefined;
  const params = takesFilters(method) ? queryArguments(query) : bodyArguments(names, body);
  return { method, params, resource };
};

/** The call that a request means; undefined where the release has nothing at this address. */
export const routeOf = (request: RestRequest, release: Release): RestRoute | undefined => {
  const parts = request.path.split("/").filter((part) => part !== "");
  const at = parts.indexOf("id");
  if (at > 0) return itemRoute(request, parts.slice(0, at).join("."), parts.slice(at + 1), release);
  const name = parts.join(".");
  return collectionRoute(request, name, release) ?? actionRoute(request, name, release);
};
