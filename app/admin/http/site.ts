/**
 * Pages beside an API, on its address: files that are part of the program, and the login for browsers.
 *
 * @module
 */

import { MAX_ADMIN_TOKEN } from "../../limits.ts";
import { ApiError } from "../api_error.ts";
import { closed, Type } from "../schema.ts";
import { readBody } from "./body.ts";
import type { Guard } from "./guard.ts";
import { HEADERS, SITE_HEADERS } from "./headers.ts";
import { checked } from "./router.ts";

/** A file of a site. */
export interface SiteFile {
  /** Where it is asked for, such as `/style.css`. */
  readonly path: string;
  /** Its media type. */
  readonly type: string;
  readonly text: string;
}

const Token = closed({ token: Type.String({ maxLength: MAX_ADMIN_TOKEN }) });

/** Answers whatever is not of the API. */
export class Site {
  readonly #files: ReadonlyMap<string, { readonly type: string; readonly bytes: Uint8Array<ArrayBuffer> }>;

  /** With the files that were given. */
  constructor(files: readonly SiteFile[]) {
    const encoder = new TextEncoder();
    this.#files = new Map(files.map(({ path, type, text }) => [path, { type, bytes: encoder.encode(text) }]));
  }

  /** Answers a request, if it is meant for the site. @throws {ApiError} as the API does. */
  async answer(request: Request, { pathname }: URL, guard: Guard): Promise<Response | undefined> {
    if (pathname === "/login" || pathname === "/logout") {
      if (request.method !== "POST") {
        throw new ApiError("method-not-allowed", "this path takes POST", { allow: "POST" });
      }
      guard.demandSameOrigin(request.headers);
      return pathname === "/login" ? await login(request, guard) : await logout(request, guard);
    }
    const file = this.#files.get(pathname);
    if (!file) return undefined;
    if (request.method !== "GET" && request.method !== "HEAD") {
      throw new ApiError("method-not-allowed", "this path takes GET, HEAD", { allow: "GET, HEAD" });
    }
    const headers = { ...SITE_HEADERS, "content-type": file.type, "content-length": String(file.bytes.length) };
    return new Response(request.method === "HEAD" ? null : file.bytes, { headers });
  }
}

async function login(request: Request, { logins }: Guard): Promise<Response> {
  const { token } = checked(Token, await readBody(request), "body");
  if (!logins) return Response.json({ proof: "" }, { headers: HEADERS }); // whoever comes this way is in
  const { cookie, proof } = logins.enter(String(token));
  return Response.json({ proof }, { headers: { ...HEADERS, "set-cookie": cookieOf(request, logins.cookie, cookie) } });
}

async function logout(request: Request, { logins }: Guard): Promise<Response> {
  checked(closed({}), await readBody(request), "body");
  logins?.leave(request.headers);
  const gone = logins && { "set-cookie": `${cookieOf(request, logins.cookie, "")}; Max-Age=0` };
  return Response.json({ done: true }, { headers: { ...HEADERS, ...gone } });
}

/** A cookie of this API alone, which no script reads; behind a proxy with TLS it goes over TLS only. */
function cookieOf(request: Request, name: string, value: string): string {
  const secure = request.headers.get("x-forwarded-proto") === "https" ? "; Secure" : "";
  return `${name}=${value}; Path=/; HttpOnly; SameSite=Strict${secure}`;
}
