/**
 * From a path and a method to a route, and from texts to what its schemas say.
 *
 * @module
 */

import { ApiError } from "../api_error.ts";
import type { Route } from "../route.ts";
import { mistakeIn, type TObject } from "../schema.ts";

/** A route that was found, with the texts of its path. */
export interface Found {
  readonly route: Route;
  readonly params: Record<string, unknown>;
}

/** All routes of an API. */
export class Router {
  readonly #routes: readonly { readonly route: Route; readonly parts: readonly string[] }[];

  /** Whose paths and methods differ. */
  constructor(routes: readonly Route[]) {
    this.#routes = routes.map((route) => ({ route, parts: route.path.split("/") }));
    const names = new Set(routes.map(({ method, path }) => `${method} ${path}`));
    const ids = new Set(routes.map(({ id }) => id));
    if (names.size !== routes.length || ids.size !== routes.length) throw new Error("two routes are the same");
  }

  /**
   * Finds the route of a request. HEAD is answered as GET.
   *
   * @throws {ApiError} if there is none.
   */
  find(method: string, path: string): Found {
    const parts = path.split("/");
    const wanted = method === "HEAD" ? "GET" : method;
    const allowed: string[] = [];
    for (const { route, parts: pattern } of this.#routes) {
      const params = match(pattern, parts);
      if (!params) continue;
      if (route.method === wanted) return { route, params: checked(route.params, params, "path") };
      allowed.push(route.method, ...(route.method === "GET" ? ["HEAD"] : []));
    }
    if (allowed.length === 0) {
      throw new ApiError("not-found", "there is no such path; GET /v1/openapi.json has them all");
    }
    const allow = allowed.join(", ");
    throw new ApiError("method-not-allowed", `this path takes ${allow}`, { allow });
  }
}

function match(pattern: readonly string[], parts: readonly string[]): Record<string, string> | undefined {
  if (pattern.length !== parts.length) return undefined;
  const params: Record<string, string> = {};
  for (const [at, part] of pattern.entries()) {
    const text = parts[at]!;
    if (!part.startsWith("{")) {
      if (part !== text) return undefined;
      continue;
    }
    const value = decoded(text);
    if (!value) return undefined;
    params[part.slice(1, -1)] = value;
  }
  return params;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/**
 * What stands behind the question mark, as the schema wants it.
 *
 * @throws {ApiError} if it does not fit.
 */
export function readQuery(schema: TObject, search: URLSearchParams): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  for (const [name, text] of search) {
    if (Object.hasOwn(values, name)) throw new ApiError("bad-request", `query has "${name.slice(0, 60)}" twice`);
    const type: unknown = schema.properties[name]?.["type"];
    values[name] = type === "integer" && /^-?\d{1,15}$/.test(text)
      ? Number(text)
      : type === "boolean" && /^(true|false)$/.test(text)
      ? text === "true"
      : text;
  }
  return checked(schema, values, "query");
}

/** The value, if it fits. @throws {ApiError} if not. */
export function checked(schema: TObject, value: unknown, where: string): Record<string, unknown> {
  const mistake = mistakeIn(schema, value, where);
  if (mistake !== undefined) throw new ApiError("bad-request", mistake);
  return value as Record<string, unknown>;
}
