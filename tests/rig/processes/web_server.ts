/**
 * A small HTTP service.
 *
 * @module
 */

import { digest } from "../bytes.ts";

/** `GET /bytes/N` gives N bytes; `PUT /digest` the SHA-256 of what was sent; anything else 404. */
export class WebServer implements AsyncDisposable {
  /** Where it listens, on 127.0.0.1. */
  readonly port: number;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  /** Starts at once. */
  constructor() {
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, answer);
    this.port = this.#server.addr.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  const size = /^\/bytes\/(\d+)$/.exec(pathname)?.[1];
  if (size !== undefined) return new Response(new Uint8Array(Number(size)));
  if (request.method === "PUT" && pathname === "/digest") {
    return new Response(await digest(new Uint8Array(await request.arrayBuffer())));
  }
  return new Response("not found", { status: 404 });
}
