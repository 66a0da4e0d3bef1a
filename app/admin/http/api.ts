/**
 * From a request to its answer.
 *
 * @module
 */

import { ADMIN_HEARTBEAT_MS, MAX_ADMIN_REQUESTS, MAX_ADMIN_STREAMS } from "../../limits.ts";
import { EngineError } from "../../../net/engines.ts";
import type { Clock } from "../../../base/clock.ts";
import { describeError } from "../../../base/errors.ts";
import type { Logger } from "../../../base/logger.ts";
import { MachineError } from "../../files/machine_error.ts";
import { ConfigError } from "../../toml/config_error.ts";
import { ApiError } from "../api_error.ts";
import { readBody } from "./body.ts";
import type { Guard } from "./guard.ts";
import { HEADERS } from "./headers.ts";
import { openApiDocument } from "../openapi.ts";
import type { Caller, CheckedCall, Route, StreamSource } from "../route.ts";
import { checked, readQuery, Router } from "./router.ts";
import { closed, Type } from "../schema.ts";
import type { Site } from "./site.ts";
import { streamBody } from "./stream.ts";
import { urlOf } from "./url.ts";

/** What an API needs. */
export interface ApiOptions {
  /** What it is called in its document. */
  readonly title: string;
  readonly routes: readonly Route[];
  /** Pages beside it, if there are some. */
  readonly site?: Site | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Is told of every act of somebody who may ask, done or not. */
  readonly onAct?: ((act: Act) => void) | undefined;
}

/** An act. */
export interface Act {
  /** The method and the path. */
  readonly act: string;
  readonly via: Caller["via"];
  /** What showed by TCP that it may: the token, or a login with it. */
  readonly with?: "token" | "login";
  readonly body: unknown;
  /** The status of the answer. */
  readonly status: number;
  /** Why it was not done, if it was not. */
  readonly error?: string;
}

/** Answers requests, whichever way they came. */
export class Api {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #router: Router;
  readonly #site: Site | undefined;
  readonly #ending = new AbortController();
  readonly #onAct: (act: Act) => void;
  #requests = 0;
  #streams = 0;

  /** With the routes that were given, and the one of the document about them. */
  constructor({ title, routes, site, clock, logger, onAct = () => {} }: ApiOptions) {
    this.#site = site;
    this.#onAct = onAct;
    this.#clock = clock;
    this.#logger = logger;
    const described = openApiDocument(title, routes);
    this.#router = new Router([...routes, {
      method: "GET",
      path: "/v1/openapi.json",
      id: "getOpenApi",
      summary: "This API as an OpenAPI document.",
      params: closed({}),
      query: closed({}),
      response: Type.Object({}),
      media: "application/json",
      run: { kind: "json", answer: () => described },
    }]);
  }

  /** How many requests are worked on. */
  get requests(): number {
    return this.#requests;
  }

  /** How many streams are open. */
  get streams(): number {
    return this.#streams;
  }

  /** Ends all streams. Idempotent. */
  close(): void {
    this.#ending.abort();
  }

  /** Answers a request that `guard` has nothing against. Never rejects. */
  async answer(request: Request, caller: Caller, guard: Guard): Promise<Response> {
    try {
      guard.demandHost(request.headers);
      return await this.#run(request, caller, guard);
    } catch (error) {
      return this.#failed(error, caller.via);
    }
  }

  async #run(request: Request, caller: Caller, guard: Guard): Promise<Response> {
    const url = urlOf(request);
    const page = await this.#site?.answer(request, url, guard);
    if (page) return page;
    guard.demandSameOrigin(request.headers);
    const { route, params } = this.#find(request, url, guard);
    const query = readQuery(route.query, url.searchParams);
    const given = route.method === "GET" ? {} : await readBody(request);
    const body = checked(route.body ?? closed({}), given, "body");
    const lastEventId = request.headers.get("last-event-id") ?? undefined;
    const accept = request.headers.get("accept") ?? undefined;
    const call: CheckedCall = { params, query, body, caller, lastEventId, accept };
    return await this.#counted(() => this.#work(request, url, route, call, guard));
  }

  /** Those count that are worked on: whoever may not ask, or sends slowly, takes nobody's place. */
  async #counted(work: () => Promise<Response>): Promise<Response> {
    if (this.#requests >= MAX_ADMIN_REQUESTS) {
      throw new ApiError("too-busy", `${MAX_ADMIN_REQUESTS} requests are worked on; come again`, {
        "retry-after": "1",
      });
    }
    this.#requests++;
    try {
      return await work();
    } finally {
      this.#requests--;
    }
  }

  async #work(request: Request, { pathname }: URL, route: Route, call: CheckedCall, guard: Guard): Promise<Response> {
    const { run } = route;
    if (run.kind === "raw") return await run.answer(call);
    if (run.kind === "stream") {
      return this.#stream(request.method, () => run.open(call), () => guard.isStillIn(request.headers));
    }
    const { body, caller } = call;
    const answer = route.method === "GET"
      ? await run.answer(call)
      : await this.#act({ act: `${route.method} ${pathname}`, ...callerOf(request, caller, guard), body }, () => {
        return run.answer(call);
      });
    return Response.json(answer, { headers: HEADERS });
  }

  /** Does an act, and tells of it. */
  async #act(facts: Omit<Act, "status" | "error">, run: () => unknown): Promise<unknown> {
    try {
      const answer = await run();
      const { act, via } = facts;
      this.#logger.info("admin API: {act}, by {via}", { act, via });
      this.#onAct({ ...facts, status: 200 });
      return answer;
    } catch (error) {
      const { status, message } = toldAs(error, facts.via);
      this.#onAct({ ...facts, status, error: message });
      throw error;
    }
  }

  /** Who has no token does not learn which paths there are. */
  #find(request: Request, { pathname }: URL, guard: Guard) {
    try {
      const found = this.#router.find(request.method, pathname);
      if (!found.route.open) guard.demandToken(request.headers);
      return found;
    } catch (error) {
      guard.demandToken(request.headers);
      throw error;
    }
  }

  #stream(method: string, open: () => StreamSource, isStillIn: () => boolean): Response {
    const headers = { ...HEADERS, "content-type": "text/event-stream" };
    if (method === "HEAD") return new Response(null, { headers });
    if (this.#streams >= MAX_ADMIN_STREAMS) {
      const wait = { "retry-after": String(ADMIN_HEARTBEAT_MS / 1000) };
      throw new ApiError("too-busy", `${MAX_ADMIN_STREAMS} streams are open; close one`, wait);
    }
    const source = open();
    this.#streams++;
    const out = new AbortController();
    const checked = {
      take() {
        if (isStillIn()) return source.take();
        out.abort();
        return [];
      },
      get place() {
        return source.place;
      },
      whenMore: (fn: () => void) => source.whenMore(fn),
      close: () => source.close(),
    };
    const signal = AbortSignal.any([this.#ending.signal, out.signal]);
    const body = streamBody(checked, this.#clock, signal, () => this.#streams--);
    return new Response(body, { headers });
  }

  #failed(error: unknown, via: Caller["via"]): Response {
    const told = toldAs(error, via);
    if (told.code === "internal") {
      const what = error instanceof Error ? error.stack ?? describeError(error) : String(error);
      this.#logger.error("a request to the admin API failed: {error}", { error: what });
    }
    return refusal(told);
  }
}

/** An error as an answer. */
export function refusal({ code, message, status, headers, excerpt }: ApiError): Response {
  return Response.json({ error: { code, message, excerpt } }, { status, headers: { ...HEADERS, ...headers } });
}

/** Who acts, as far as that is known. */
function callerOf({ headers }: Request, { via }: Caller, guard: Guard): Pick<Act, "via" | "with"> {
  if (via === "unix") return { via };
  return { via, with: !headers.has("authorization") && guard.logins?.isIn(headers) ? "login" : "token" };
}

/** What a caller hears of an error. */
function toldAs(error: unknown, via: Caller["via"]): ApiError {
  if (error instanceof ApiError) return error;
  const [line = "", ...below] = describeError(error).split("\n"); // the line of a file and its caret
  // Whoever is at the socket may read the file; a token does not say so.
  const excerpt = below.length > 0 && via === "unix" ? below.join("\n") : undefined;
  if (error instanceof ConfigError || error instanceof EngineError) return new ApiError("conflict", line, {}, excerpt);
  if (error instanceof MachineError) return new ApiError("too-busy", line, { "retry-after": "5" });
  return new ApiError("internal", "this went wrong on the server; its log says why");
}
