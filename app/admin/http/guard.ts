/**
 * Who may ask: by TCP, whoever has the token, and no page of another origin.
 *
 * @module
 */

import { createHash, timingSafeEqual } from "node:crypto";
import { splitHostPort } from "../../../protocol/address.ts";
import { ApiError } from "../api_error.ts";

/** Whether a text is the token; how long that takes tells nothing about it. */
export function isToken(token: string, text: string): boolean {
  const digest = (of: string) => createHash("sha256").update(of).digest();
  return timingSafeEqual(digest(token), digest(text));
}

/** Names that lead to this machine, whatever a name server says. */
const LOCAL_NAMES: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]", "::1"]);

/** Looks at what comes by TCP. */
export class Guard {
  readonly #token: string;
  readonly #names: ReadonlySet<string>;
  readonly #port: string;

  /** For an API at `address`, `HOST:PORT`. */
  constructor(token: string, address: string) {
    const [host, port] = splitHostPort(address);
    this.#token = token;
    this.#names = new Set([...LOCAL_NAMES, host, `[${host}]`]);
    this.#port = String(port);
  }

  /**
   * Demands that a request was meant for here: a page whose name was made to lead here says its own, and one of another
   * origin says where it is from.
   *
   * @throws {ApiError} if not.
   */
  demandOwn(headers: Headers): void {
    const host = headers.get("host") ?? "";
    if (!this.#isOwn(host)) throw new ApiError("forbidden", "the header Host does not name this API");
    const origin = headers.get("origin");
    if (origin === null) return;
    if (!origin.startsWith("http://") || !this.#isOwn(origin.slice("http://".length))) {
      throw new ApiError("forbidden", "pages of other origins may not ask here");
    }
  }

  /** Demands the token. @throws {ApiError} if it is not there, or another. */
  demandToken(headers: Headers): void {
    const [, given] = /^Bearer +(\S+)$/i.exec(headers.get("authorization") ?? "") ?? [];
    if (given !== undefined && isToken(this.#token, given)) return;
    const why = given === undefined ? "send authorization: Bearer TOKEN" : "the token is not the one of this API";
    throw new ApiError("unauthorized", why, { "www-authenticate": "Bearer" });
  }

  #isOwn(host: string): boolean {
    const at = host.lastIndexOf(":");
    if (at < 0 || host.endsWith("]")) return this.#port === "80" && this.#names.has(host.toLowerCase());
    return host.slice(at + 1) === this.#port && this.#names.has(host.slice(0, at).toLowerCase());
  }
}
