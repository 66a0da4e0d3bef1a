// @ts-check
/// <reference lib="dom" />
/**
 * The admin API, as its pages ask it.
 *
 * @module
 */

const KEY = "sallyport-proof";
const PROOF_HEADER = "x-sallyport-proof";

/** Entries of a list that are had at once. */
const PAGE = 500;

/** The API has said no, or nothing; the message is for people. */
export class Refused extends Error {
  /** @param {number} status 0: nobody answered. @param {string} message */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

let proof = localStorage.getItem(KEY) ?? "";

/** @type {() => void} */
let loggedOut = () => {};

/** Calls `fn` when a login is needed. @param {() => void} fn */
export function onLoggedOut(fn) {
  loggedOut = fn;
}

/** Whether there is something to log out of. */
export function isLoggedIn() {
  return proof !== "";
}

/**
 * Asks, and gives the answer as it is. @throws {Refused}
 *
 * @param {string} path @param {RequestInit} [init]
 */
export async function ask(path, init = {}) {
  let response;
  try {
    const headers = { ...init.headers, [PROOF_HEADER]: proof };
    response = await fetch(new URL(path, document.baseURI), { ...init, headers, cache: "no-store" });
  } catch (error) {
    throw new Refused(0, init.signal?.aborted ? "stopped" : `nobody answers (${String(error)})`);
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => undefined);
  const message = body?.error?.message;
  if (response.status === 401 && path !== "login") loggedOut();
  throw new Refused(response.status, typeof message === "string" ? message : `the answer was ${response.status}`);
}

/** @template T @param {string} path @returns {Promise<T>} */
export async function get(path) {
  return await (await ask(path)).json();
}

/** @template T @param {string} path @param {Record<string, unknown>} [body] @returns {Promise<T>} */
export async function post(path, body = {}) {
  const headers = { "content-type": "application/json" };
  return await (await ask(path, { method: "POST", headers, body: JSON.stringify(body) })).json();
}

/** Gives the token for a session. @param {string} token */
export async function login(token) {
  const answer = /** @type {{ proof: string }} */ (await post("login", { token }));
  proof = answer.proof;
  localStorage.setItem(KEY, proof);
}

/** Ends the session. */
export async function logout() {
  await post("logout").catch(() => {});
  proof = "";
  localStorage.removeItem(KEY);
}

/**
 * All entries of a list, at most `most`.
 *
 * @template T
 * @param {string} path
 * @param {Record<string, string>} query
 * @param {number} most
 * @returns {Promise<{ items: T[], isWhole: boolean }>}
 */
export async function list(path, query, most) {
  /** @type {T[]} */
  const items = [];
  for (let cursor = "";;) {
    const search = new URLSearchParams({ ...query, limit: String(PAGE), ...(cursor && { cursor }) });
    const page = /** @type {{ items: T[], cursor: string | null }} */ (await get(`${path}?${search}`));
    items.push(...page.items);
    if (page.cursor === null || items.length >= most) return { items, isWhole: page.cursor === null };
    cursor = page.cursor;
  }
}

/** A path with a name in it. @param {string} name */
export function named(name) {
  return `v1/devices/${encodeURIComponent(name)}`;
}
