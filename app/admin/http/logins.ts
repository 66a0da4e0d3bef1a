/**
 * Who has logged in with a browser: the token is given once, and stands for a session that has nothing of it.
 *
 * A session is a cookie, which pages cannot read, and a proof, which the page of the dashboard keeps and sends with each
 * request. Cookies do not tell ports of a host apart: what listens at another port may be sent the cookie by a browser, and
 * can do nothing with it.
 *
 * @module
 */

import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import type { Time } from "../../../base/clock.ts";
import { LOGIN_IDLE_MS, LOGIN_MS, LOGIN_TRIES, LOGIN_TRY_MS, MAX_LOGINS } from "../../limits.ts";
import { ApiError } from "../api_error.ts";

/** The header that brings the proof. */
export const PROOF_HEADER = "x-sallyport-proof";

/** Bytes of chance in a cookie, and in a proof. */
const SECRET_BYTES = 32;

/** What a browser gets for a token. */
export interface Login {
  /** The value of the cookie. */
  readonly cookie: string;
  /** What comes beside it, in {@linkcode PROOF_HEADER}. */
  readonly proof: string;
}

/** What is kept of it. */
interface Session {
  readonly proof: Uint8Array;
  readonly since: number;
  used: number;
}

/** How somebody logs in. */
export interface LoginOptions {
  /** What is to be known. */
  readonly secret: string;
  /** Whether it is good once. @default {false} */
  readonly once?: boolean;
  /** Tells the cookies of several APIs of a host apart. */
  readonly name: string;
  readonly time: Time;
}

/** Sessions of browsers, in memory alone: a server that starts anew knows none. */
export class Logins {
  /** The cookie's name. */
  readonly cookie: string;
  readonly #time: Time;
  readonly #once: boolean;
  /** In the order of their use. */
  readonly #sessions = new Map<string, Session>();
  #secret: Uint8Array | undefined;
  #tries: number = LOGIN_TRIES;
  #triedAt = 0;

  /** Nobody is in yet. */
  constructor({ secret, once = false, name, time }: LoginOptions) {
    this.cookie = `sallyport-${name}`;
    this.#secret = digest(secret);
    this.#once = once;
    this.#time = time;
  }

  /** How many are in. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Lets somebody in who knows the secret. @throws {ApiError} for whoever does not; after too many of those, until when. */
  enter(text: string): Login {
    const isKnown = this.#secret && timingSafeEqual(this.#secret, digest(text));
    if (!isKnown) {
      this.#chargeTry();
      const why = this.#secret ? "the token is not the one of this API" : "this link was used; ask for another";
      throw new ApiError("unauthorized", why);
    }
    if (this.#once) this.#secret = undefined;
    const [cookie, proof] = [random(), random()];
    const now = this.#time.now();
    for (const [key, session] of this.#sessions) if (this.#isOver(session, now)) this.#sessions.delete(key);
    for (const key of this.#sessions.keys()) {
      if (this.#sessions.size < MAX_LOGINS) break;
      this.#sessions.delete(key);
    }
    this.#sessions.set(keyOf(cookie), { proof: digest(proof), since: now, used: now });
    return { cookie, proof };
  }

  /** Whether a request comes from somebody who is in. `use`: whether that counts as use, which keeps a login. */
  isIn(headers: Headers, use = true): boolean {
    const key = this.#keyIn(headers);
    const session = key === undefined ? undefined : this.#sessions.get(key);
    if (!session) return false;
    const now = this.#time.now();
    if (this.#isOver(session, now)) {
      this.#sessions.delete(key!);
      return false;
    }
    if (!timingSafeEqual(session.proof, digest(headers.get(PROOF_HEADER) ?? ""))) return false;
    if (!use) return true;
    session.used = now;
    this.#sessions.delete(key!);
    this.#sessions.set(key!, session);
    return true;
  }

  /** Whoever sent a request is in no more. */
  leave(headers: Headers): void {
    const key = this.isIn(headers) ? this.#keyIn(headers) : undefined;
    if (key !== undefined) this.#sessions.delete(key);
  }

  #isOver({ since, used }: Session, now: number): boolean {
    return now - since >= LOGIN_MS || now - used >= LOGIN_IDLE_MS;
  }

  /** What was sent is looked up by its digest: how long that takes tells nothing about those that there are. */
  #keyIn(headers: Headers): string | undefined {
    for (const part of (headers.get("cookie") ?? "").split(";")) {
      const [name, value] = part.trim().split("=", 2);
      if (name === this.cookie && value !== undefined) return keyOf(value);
    }
    return undefined;
  }

  /** For one that was wrong alone: nobody who knows the secret is kept out by those who do not. */
  #chargeTry(): void {
    const now = this.#time.now();
    this.#tries = Math.min(LOGIN_TRIES, this.#tries + (now - this.#triedAt) / LOGIN_TRY_MS);
    this.#triedAt = now;
    if (this.#tries >= 1) return void this.#tries--;
    const wait = Math.ceil((1 - this.#tries) * LOGIN_TRY_MS / 1000);
    throw new ApiError("too-busy", `too many wrong tokens were tried; come again in ${wait} s`, {
      "retry-after": String(wait),
    });
  }
}

function random(): string {
  return randomBytes(SECRET_BYTES).toString("base64url");
}

function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}

function keyOf(cookie: string): string {
  return createHash("sha256").update(cookie).digest("base64");
}
