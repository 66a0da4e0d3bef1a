/**
 * Routes: what can be asked, with what, and what is answered.
 *
 * @module
 */

import { closed, type Static, type TObject, type TSchema } from "./schema.ts";

/** Who asks. */
export interface Caller {
  /** How it came: by the Unix socket, whose file bars others, or by TCP, with the token. */
  readonly via: "unix" | "tcp";
}

/** One event of a stream. */
export interface StreamedEvent {
  /** Where a stream goes on that begins behind it. */
  readonly id: string;
  /** Its type. */
  readonly event: string;
  /** What is told. */
  readonly data: unknown;
}

/** Where a stream has its events from. It is asked when its reader has taken what came before: nothing piles up. */
export interface StreamSource {
  /** What there is now; nothing if there is nothing yet. */
  take(): readonly StreamedEvent[];
  /** Where a stream goes on that begins now, behind what was taken, and what was not meant for its reader. */
  readonly place: string;
  /** Calls `fn` once, as soon as there is more. @returns what calls that off. */
  whenMore(fn: () => void): () => void;
  /** Nobody reads any more. */
  close(): void;
}

/** A request that was checked. */
export interface Call<P, Q, B> {
  /** From the path. */
  readonly params: P;
  /** From behind the question mark. */
  readonly query: Q;
  /** The body. */
  readonly body: B;
  readonly caller: Caller;
  /** The id of the last event that a stream's reader has had, if it comes back. */
  readonly lastEventId: string | undefined;
  /** The media types that it would have, as it said. */
  readonly accept: string | undefined;
}

type Nothing = TObject<Record<never, never>>;
const NOTHING: Nothing = closed({});

/** What all routes say. */
interface RouteFacts<P extends TObject, Q extends TObject, B extends TObject, R extends TSchema> {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** With parameters in braces: `/v1/devices/{name}`. */
  readonly path: string;
  /** A name that no other route has, for those who make clients of the document. */
  readonly id: string;
  /** What it does, in a line. */
  readonly summary: string;
  /** More about it. */
  readonly description?: string;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** The answer; of a stream, the data of each event. */
  readonly response: R;
  /** Whether it may be asked without a token. @default {false} */
  readonly open?: boolean;
}

/** A route that answers with JSON. */
export interface JsonRoute<P extends TObject, Q extends TObject, B extends TObject, R extends TSchema>
  extends RouteFacts<P, Q, B, R> {
  handle(call: Call<Static<P>, Static<Q>, Static<B>>): Static<R> | Promise<Static<R>>;
}

/** A route that answers with a stream of events. */
export interface StreamRoute<P extends TObject, Q extends TObject, R extends TSchema>
  extends RouteFacts<P, Q, Nothing, R> {
  stream(call: Call<Static<P>, Static<Q>, Record<never, never>>): StreamSource;
}

/** A route that makes its own answer, as for files and texts. */
export interface RawRoute<P extends TObject, Q extends TObject, R extends TSchema>
  extends RouteFacts<P, Q, Nothing, R> {
  /** The media type of the answer, for the document. */
  readonly media: string;
  raw(call: Call<Static<P>, Static<Q>, Record<never, never>>): Response | Promise<Response>;
}

/** A request whose parts fit the schemas of its route. */
export type CheckedCall = Call<Record<string, unknown>, Record<string, unknown>, Record<string, unknown>>;

/** Any route, with its types left behind. */
export interface Route extends RouteFacts<TObject, TObject, TObject, TSchema> {
  readonly params: TObject;
  readonly query: TObject;
  readonly media: string;
  /** Does it. */
  readonly run:
    | { readonly kind: "json"; answer(call: CheckedCall): unknown }
    | { readonly kind: "stream"; open(call: CheckedCall): StreamSource }
    | { readonly kind: "raw"; answer(call: CheckedCall): Response | Promise<Response> };
}

/** A route that answers with JSON. */
export function jsonRoute<
  R extends TSchema,
  P extends TObject = Nothing,
  Q extends TObject = Nothing,
  B extends TObject = Nothing,
>(given: JsonRoute<P, Q, B, R>): Route {
  const { handle, ...facts } = given;
  return {
    ...facts,
    params: facts.params ?? NOTHING,
    query: facts.query ?? NOTHING,
    media: "application/json",
    run: { kind: "json", answer: (call) => handle(call as Call<Static<P>, Static<Q>, Static<B>>) },
  };
}

/** A route that streams events. */
export function streamRoute<R extends TSchema, P extends TObject = Nothing, Q extends TObject = Nothing>(
  given: StreamRoute<P, Q, R>,
): Route {
  const { stream, ...facts } = given;
  return {
    ...facts,
    params: facts.params ?? NOTHING,
    query: facts.query ?? NOTHING,
    media: "text/event-stream",
    run: { kind: "stream", open: (call) => stream(call as Call<Static<P>, Static<Q>, Record<never, never>>) },
  };
}

/** A route that makes its own answer. */
export function rawRoute<R extends TSchema, P extends TObject = Nothing, Q extends TObject = Nothing>(
  given: RawRoute<P, Q, R>,
): Route {
  const { raw, ...facts } = given;
  return {
    ...facts,
    params: facts.params ?? NOTHING,
    query: facts.query ?? NOTHING,
    run: { kind: "raw", answer: (call) => raw(call as Call<Static<P>, Static<Q>, Record<never, never>>) },
  };
}
