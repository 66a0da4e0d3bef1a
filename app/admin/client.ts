/**
 * A client of an admin API, for the commands beside a daemon.
 *
 * @module
 */

import { describeError } from "../../base/errors.ts";
import type { ErrorBody } from "./openapi.ts";

/** Where an API is. */
export type AdminPlace = { readonly socket: string } | { readonly address: string; readonly token: string };

/** The API has said no; the message is its own. */
export class AdminRefusal extends Error {
  override readonly name = "AdminRefusal";
  readonly status: number;
  readonly code: string;

  /** With the HTTP status, the code and the message of the answer, and below it the line of a file, if it has one. */
  constructor(status: number, code: string, message: string, excerpt?: string) {
    super(excerpt === undefined ? message : `${message}\n${excerpt}`);
    this.status = status;
    this.code = code;
  }
}

/** Nobody answers there. */
export class NoAdminError extends Error {
  override readonly name = "NoAdminError";
}

/** An event of a stream. */
export interface HeardEvent {
  readonly id: string;
  readonly data: unknown;
}

/** Asks an API. That its answers are as its document says is for its own tests; the caller says which type that is. */
export interface AdminClient extends Disposable {
  /** @throws {AdminRefusal} or {NoAdminError}. */
  get<T>(path: string): Promise<T>;
  /** The same, for an act. */
  post<T>(path: string, body?: unknown): Promise<T>;
  /** The events of a stream, until it ends. `lastId`: the last one that was had. */
  stream(path: string, lastId?: string): AsyncGenerator<HeardEvent, void, void>;
}

/** A client of the API at a place. Nothing is asked before it is told to. */
export function adminClient(place: AdminPlace): AdminClient {
  const bySocket = "socket" in place;
  const client = bySocket
    ? Deno.createHttpClient({ proxy: { transport: "unix", path: place.socket } })
    : Deno.createHttpClient({});
  const base = bySocket ? "http://localhost" : `http://${place.address}`;
  const where = bySocket ? place.socket : place.address;
  const authorization: Record<string, string> = bySocket ? {} : { authorization: `Bearer ${place.token}` };

  const ask = async (path: string, headers: Record<string, string>, init: RequestInit = {}): Promise<Response> => {
    let response: Response;
    try {
      response = await fetch(base + path, { ...init, headers: { ...authorization, ...headers }, client });
    } catch (error) {
      throw new NoAdminError(`nobody answers at ${where}: ${whyNobody(error, bySocket)}`, { cause: error });
    }
    if (response.ok) return response;
    throw refusalOf(response.status, await response.text());
  };

  return {
    get: async (path) => await (await ask(path, {})).json(),
    post: async (path, body = {}) =>
      await (await ask(path, { "content-type": "application/json" }, { method: "POST", body: JSON.stringify(body) }))
        .json(),
    async *stream(path, lastId) {
      const response = await ask(path, lastId === undefined ? {} : { "last-event-id": lastId });
      let text = "";
      for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
        text += part;
        const blocks = text.split("\n\n");
        text = blocks.pop()!;
        for (const block of blocks) {
          const event = eventOf(block);
          if (event) yield event;
        }
      }
    },
    [Symbol.dispose]: () => client.close(),
  };
}

/** An event of a stream, unless it is a comment. */
function eventOf(block: string): HeardEvent | undefined {
  const field = (name: string) =>
    block.split("\n").find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
  const [id, data] = [field("id"), field("data")];
  return id === undefined || data === undefined ? undefined : { id, data: JSON.parse(data) };
}

function refusalOf(status: number, text: string): AdminRefusal {
  let body: { readonly error?: { readonly [Name in keyof ErrorBody["error"]]?: unknown } } | null;
  try {
    body = JSON.parse(text);
  } catch {
    body = null;
  }
  const { code, message, excerpt } = body?.error ?? {};
  if (typeof code === "string" && typeof message === "string") {
    return new AdminRefusal(status, code, message, typeof excerpt === "string" ? excerpt : undefined);
  }
  return new AdminRefusal(status, "internal", `it answered with status ${status}`);
}

/** What the runtime says of it begins with the address of the request, which is none of the user's. */
function whyNobody(error: unknown, bySocket: boolean): string {
  const said = describeError(rootOf(error));
  const text = said.replace(/^error sending request.*?\): /, "").replace(/^client error.*?: /, "");
  if (!bySocket || !text.includes("Connection refused")) return text;
  return "it does not run; that socket was left there by one that was killed";
}

/** What is at the bottom of an error of `fetch`. */
function rootOf(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? rootOf(error.cause) : error;
}
