/**
 * Who may ask: by TCP, whoever has the token or has logged in with it, and no page of another origin.
 *
 * @module
 */

import { createHash, timingSafeEqual } from "node:crypto";
import { splitHostPort } from "../../../protocol/address.ts";
import { ApiError } from "../api_error.ts";
import type { Logins } from "./logins.ts";

/** Whether a text is the token; how long that takes tells nothing about it. */
export function isToken(token: string, text: string): boolean {
  const digest = (of: string) => createHash("sha256").update(of).digest();
  return timingSafeEqual(digest(token), digest(text));
}

/** Names that lead to this machine, whatever a name server says. */
const LOCAL_NAMES: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

/** What a guard knows. */
export interface GuardOptions {
  /** The address of the API, `HOST:PORT`; none for a Unix socket, to which any port of this machine may lead (`ssh -L`). */
  readonly address?: string;
  /** What every request brings, if something; without it and without logins, whoever comes may ask. */
  readonly token?: string;
  /** Those who came with a browser, where they have to log in. */
  readonly logins?: Logins;
}

/** Looks at what comes. */
export class Guard {
  /** Those who came with a browser, if they have to log in. */
  readonly logins: Logins | undefined;
  readonly #token: string | undefined;
  readonly #names: ReadonlySet<string>;
  readonly #port: string | undefined;
  #isRetired = false;

  /** For an API at an address. */
  constructor({ address, token, logins }: GuardOptions) {
    const [host, port] = address === undefined ? [] : splitHostPort(address);
    this.#names = new Set([...LOCAL_NAMES, ...(host === undefined ? [] : [host, `[${host}]`])]);
    this.#port = port === undefined ? undefined : String(port);
    this.#token = token;
    this.logins = logins;
  }

  /** Demands that a request was meant for here: a page whose name was made to lead here says its own. @throws {ApiError} */
  demandHost(headers: Headers): void {
    if (!this.#isOwn(headers.get("host") ?? "")) {
      throw new ApiError("forbidden", "the header Host does not name this API");
    }
  }

  /**
   * Demands that no page of another origin asks. Browsers say so in Sec-Fetch-Site, which is right also behind a proxy that
   * changed Host; those that do not, in Origin.
   *
   * @throws {ApiError} if one does.
   */
  demandSameOrigin(headers: Headers): void {
    const site = headers.get("sec-fetch-site");
    if (site === "same-origin" || site === "none") return;
    const origin = headers.get("origin");
    if (site === null && (origin === null || this.#isOwnOrigin(origin, headers.get("host") ?? ""))) return;
    throw new ApiError("forbidden", "pages of other origins may not ask here");
  }

  /** Demands the token, or a login. @throws {ApiError} if it is not there, or another. */
  demandToken(headers: Headers): void {
    if (this.#token === undefined && !this.logins) return;
    const [, given] = /^Bearer +(\S+)$/i.exec(headers.get("authorization") ?? "") ?? [];
    if (this.#token !== undefined && given !== undefined && isToken(this.#token, given)) return;
    if (given === undefined && this.logins?.isIn(headers)) return;
    const why = given === undefined ? "send authorization: Bearer TOKEN" : "the token is not the one of this API";
    throw new ApiError("unauthorized", why, { "www-authenticate": "Bearer" });
  }

  /** Another one stands here now: whom this one let in is out. */
  retire(): void {
    this.#isRetired = true;
  }

  /** Whether whoever has been let in may go on to read a stream: not if their login, or this guard's time, is over. */
  isStillIn(headers: Headers): boolean {
    if (this.#isRetired) return false;
    return !this.logins || headers.has("authorization") || this.logins.isIn(headers, false);
  }

  #isOwnOrigin(origin: string, host: string): boolean {
    if (!origin.startsWith("http://")) return false;
    const own = origin.slice("http://".length);
    return this.#port === undefined ? own === host : this.#isOwn(own);
  }

  #isOwn(host: string): boolean {
    const [, name = "", port = "80"] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(host.toLowerCase()) ?? [];
    return this.#names.has(name) && (this.#port === undefined || port === this.#port);
  }
}
