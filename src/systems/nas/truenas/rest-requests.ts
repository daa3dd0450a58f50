/** How TrueNAS' methods are spelled in REST v2.0: the method `a.b.create` is POST /a/b, and so on. */
import type { Params } from "./api.ts";

export interface RestRequest {
  readonly verb: "GET" | "POST" | "PUT" | "DELETE";
  /** Below /api/v2.0, with its query. */
  readonly path: string;
  readonly body?: unknown;
}

type Filter = readonly [field: string, operator: string, value: unknown];

interface QueryOptions {
  readonly extra?: Readonly<Record<string, unknown>>;
}

/**
 * The requests for a call; only a query with an OR needs more than one, and their answers belong behind each other.
 * Throws TypeError for what REST cannot say.
 */
export const restRequests = (method: string, params: Params): readonly RestRequest[] => {
  const verb = method.slice(method.lastIndexOf(".") + 1);
  const collection = `/${method.slice(0, -verb.length - 1).replaceAll(".", "/")}`;
  const item = (): string => `${collection}/id/${encodeURIComponent(String(params[0]))}`;
  switch (verb) {
    case "query":
      return queries(collection, params);
    case "create":
      return [{ verb: "POST", path: collection, body: params[0] }];
    case "update":
      return [{ verb: "PUT", path: item(), body: params[1] }];
    case "delete":
      return [{ verb: "DELETE", path: item(), ...(params[1] === undefined ? {} : { body: params[1] }) }];
    case "promote":
      return [{ verb: "POST", path: `${item()}/promote` }];
    case "config":
      return [{ verb: "GET", path: collection }];
    default:
      return params.length === 0
        ? [{ verb: "GET", path: `${collection}/${verb}` }]
        : [{ verb: "POST", path: `${collection}/${verb}`, body: params[0] }];
  }
};

/** TrueNAS joins what stands in a query string by AND, so each branch of an OR is asked for by itself. */
const queries = (collection: string, params: Params): readonly RestRequest[] => {
  const filters = (params[0] ?? []) as readonly Filter[];
  const options = (params[1] ?? {}) as QueryOptions;
  const [first] = filters as readonly (readonly unknown[])[];
  if (first?.[0] !== "OR") return [{ verb: "GET", path: `${collection}${searchOf(filters, options)}` }];
  if (filters.length > 1) throw new TypeError("an OR beside other filters cannot be said in REST");
  return (first[1] as readonly Filter[]).map((branch) => ({
    verb: "GET",
    path: `${collection}${searchOf([branch], options)}`,
  }));
};

const searchOf = (filters: readonly Filter[], { extra = {} }: QueryOptions): string => {
  const search = new URLSearchParams();
  for (const [field, operator, value] of filters) {
    search.append(operator === "=" ? field : `${field}__${operator}`, String(value));
  }
  for (const [name, value] of Object.entries(extra)) search.append(`extra.${name}`, JSON.stringify(value));
  return search.size === 0 ? "" : `?${search.toString()}`;
};
