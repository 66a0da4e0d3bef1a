/**
 * A way to the dashboard from a browser of this machine: a loopback address, for as long as a command runs, that leads to
 * the server's Unix socket.
 *
 * Other users of the machine can connect there, too, so it lets nobody in but whoever has the link, which is good once.
 *
 * @module
 */

import { randomBytes } from "node:crypto";
import { ApiError } from "../../app/admin/api_error.ts";
import { refusal } from "../../app/admin/http/api.ts";
import { Guard } from "../../app/admin/http/guard.ts";
import { Logins } from "../../app/admin/http/logins.ts";
import { urlOf } from "../../app/admin/http/url.ts";
import { Site } from "../../app/admin/http/site.ts";
import type { Time } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import { MAX_DOOR_REQUESTS } from "../limits.ts";
import { DASHBOARD } from "./files.ts";

/** Bytes of chance in the link. */
const SECRET_BYTES = 32;

/** Headers of a request that go on to the server. */
const PASSED_ON = ["content-type", "last-event-id", "accept"];

/** Headers of its answer that are not passed back: they are of that connection. */
const KEPT_BACK = ["connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding"];

/** A way that is open. */
export interface DashboardDoor extends AsyncDisposable {
  /** Where it is, `http://127.0.0.1:PORT/`. */
  readonly address: string;
  /** The link that lets somebody in, once. */
  readonly link: string;
}

/** Opens a way to the API at a Unix socket. */
export function openDoor(socket: string, time: Time): DashboardDoor {
  const secret = randomBytes(SECRET_BYTES).toString("base64url");
  const client = Deno.createHttpClient({ proxy: { transport: "unix", path: socket } });
  const site = new Site(DASHBOARD);
  const ending = new AbortController();
  let [guard, busy]: [Guard | undefined, number] = [undefined, 0];

  const answer = async (request: Request, own: Guard): Promise<Response> => {
    own.demandHost(request.headers);
    const url = urlOf(request);
    const page = await site.answer(request, url, own);
    if (page) return page;
    own.demandSameOrigin(request.headers);
    own.demandToken(request.headers);
    if (!url.pathname.startsWith("/v1/")) throw new ApiError("not-found", "there is no such path");
    if (busy >= MAX_DOOR_REQUESTS) throw new ApiError("too-busy", "too many requests at once", { "retry-after": "1" });
    busy++; // those who may ask alone: others take nobody's place
    try {
      return await passOn(request, url, client, ending.signal);
    } finally {
      busy--;
    }
  };
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    signal: ending.signal,
    onListen: () => {},
    async handler(request) {
      try {
        return await answer(request, guard!);
      } catch (error) {
        return refusal(
          error instanceof ApiError
            ? error
            : new ApiError("too-busy", `the server does not answer: ${describeError(error)}`, { "retry-after": "1" }),
        );
      }
    },
  });
  const { port } = server.addr;
  const logins = new Logins({ secret, once: true, name: String(port), time });
  guard = new Guard({ address: `127.0.0.1:${port}`, logins });
  const address = `http://127.0.0.1:${port}/`;
  return {
    address,
    link: `${address}#login=${secret}`,
    async [Symbol.asyncDispose]() {
      ending.abort();
      await server.finished;
      client.close();
    },
  };
}

async function passOn(
  request: Request,
  url: URL,
  client: Deno.HttpClient,
  signal: AbortSignal,
): Promise<Response> {
  const headers = PASSED_ON.flatMap((name): [string, string][] => {
    const value = request.headers.get(name);
    return value === null ? [] : [[name, value]];
  });
  const acts = request.method !== "GET" && request.method !== "HEAD";
  const response = await fetch(`http://localhost${url.pathname}${url.search}`, {
    client,
    method: request.method,
    headers,
    body: acts ? request.body : null,
    signal,
    redirect: "manual",
  });
  const back = new Headers(response.headers);
  for (const name of KEPT_BACK) back.delete(name);
  return new Response(response.body, { status: response.status, headers: back });
}
