/**
 * An API at its addresses: a Unix socket in the state's folder, and a TCP address of this machine.
 *
 * @module
 */

import { ADMIN_LEAVE_MS } from "../limits.ts";
import type { Change } from "../reload/change.ts";
import type { Clock } from "../../base/clock.ts";
import { describeError } from "../../base/errors.ts";
import type { Logger } from "../../base/logger.ts";
import { type Address, formatAddress, parseAddress } from "../../protocol/address.ts";
import { ADMIN_SOCKET, demandLoopback } from "./address.ts";
import type { Act, Api } from "./http/api.ts";
import { listenTcp, serveBehindGate } from "./http/behind_gate.ts";
import { Guard } from "./http/guard.ts";
import { Logins } from "./http/logins.ts";
import type { SiteFile } from "./http/site.ts";
import type { Caller, Route } from "./route.ts";
import { listenAt } from "./http/socket_file.ts";

/** What an API answers with. */
export interface AdminParts {
  readonly routes: readonly Route[];
  /** Pages beside it, for browsers. @default {none} */
  readonly site?: readonly SiteFile[];
}

/** Where an API is, and what it is. */
export interface AdminOptions {
  /** What it is called in its document. */
  readonly title: string;
  /** Called with the first request: a daemon that nobody asks has no memory for what answers. */
  readonly load: () => AdminParts | Promise<AdminParts>;
  /** The folder of the state, for the socket. */
  readonly folder: string;
  /** Whether there is a Unix socket. */
  readonly unix: boolean;
  /** Where it is by TCP besides, if it is, and with which token. */
  readonly tcp?: { readonly address: Address; readonly token: string } | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Is told of every act of somebody who may ask, done or not. */
  readonly onAct?: ((act: Act) => void) | undefined;
}

/** Where an API is, of its options. */
export type AdminPlaces = Pick<AdminOptions, "unix" | "tcp">;

/** An API that is served. */
export interface AdminServer {
  /** The path of its Unix socket, if it has one. */
  readonly socket: string | undefined;
  /** Its address by TCP, `HOST:PORT`, if it has one. */
  readonly address: string | undefined;
  /**
   * Prepares that it is elsewhere: what is new there can be reached from here on, and what has gone for `ADMIN_LEAVE_MS` more,
   * so that whoever asked for it by that way is answered. `undefined` if nothing is different.
   *
   * @throws {ConfigError} or {ListenError} if it cannot be there.
   */
  prepare(places: AdminPlaces): Promise<Omit<Change, "told"> | undefined>;
  /** Ends it at once, with all that is open. Idempotent. */
  close(): Promise<void>;
}

/**
 * Serves an API.
 *
 * @throws {ConfigError} if a socket cannot be made; {ListenError} if the TCP address cannot be had.
 */
export async function serveAdmin(options: AdminOptions): Promise<AdminServer> {
  const server = new ServedApi(options);
  try {
    await (await server.prepare(options))?.commit();
    return server;
  } catch (error) {
    await server.close();
    throw error;
  }
}

type Tcp = NonNullable<AdminPlaces["tcp"]>;

/** A place where it is. */
interface Place {
  /** Its path, or its address. */
  readonly at: string;
  /** What was asked for, if it is one by TCP. */
  tcp?: Tcp;
  /** Who stands there. */
  guard: Guard;
  close(): Promise<void>;
}

class ServedApi implements AdminServer {
  readonly #options: AdminOptions;
  #api: Promise<Api> | undefined; // with the first request
  #unix: Place | undefined;
  #tcp: Place | undefined;
  /** Those that have gone, for those who are still answered there, with what ends that wait. */
  readonly #leaving = new Map<Place, () => void>();
  #closing: Promise<void> | undefined;

  constructor(options: AdminOptions) {
    this.#options = options;
  }

  /** What answers. If it cannot be loaded, as when descriptors ran out, the next request tries again. */
  #answers(): Promise<Api> {
    return this.#api ??= this.#load().catch((error: unknown) => {
      this.#api = undefined;
      this.#options.logger.error("the admin API cannot be loaded: {error}", { error: describeError(error) });
      throw error;
    });
  }

  async #load(): Promise<Api> {
    const { title, load, clock, logger, onAct } = this.#options;
    const [{ Api }, { Site }, parts] = await Promise.all([
      import("./http/api.ts"),
      import("./http/site.ts"),
      load(),
    ]);
    return new Api({ title, routes: parts.routes, site: parts.site && new Site(parts.site), clock, logger, onAct });
  }

  get socket(): string | undefined {
    return this.#unix?.at;
  }

  get address(): string | undefined {
    return this.#tcp?.at;
  }

  async prepare({ unix, tcp }: AdminPlaces): Promise<Omit<Change, "told"> | undefined> {
    if (tcp) demandLoopback(tcp.address);
    const [before, tcpBefore] = [this.#unix, this.#tcp];
    const told = tcpBefore?.tcp;
    const stays = tcp !== undefined && told !== undefined && formatAddress(tcp.address) === formatAddress(told.address);
    const isSame = stays ? tcp.token === told.token : tcp === told;
    if (unix === (before !== undefined) && isSame) return undefined;
    for (const place of [...this.#leaving.keys()]) await this.#end(place); // one of them may be where it is to be
    const made: Place[] = [];
    const undo = async () => {
      for (const place of made.toReversed()) await place.close();
    };
    const make = async (place: Promise<Place>) => {
      made.push(await place);
      return made.at(-1)!;
    };
    try {
      const unixNow = !unix ? undefined : before ?? await make(this.#openUnix());
      const tcpNow = !tcp ? undefined : stays ? tcpBefore : await make(this.#openTcp(tcp));
      return {
        undo,
        commit: () => {
          this.#unix = unixNow;
          this.#tcp = tcpNow;
          if (stays && !isSame) this.#changeToken(tcpBefore!, tcp);
          for (const place of [before, tcpBefore]) {
            if (place && place !== unixNow && place !== tcpNow) this.#leave(place);
          }
        },
      };
    } catch (error) {
      await undo();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.#closing ??= (async () => {
      await this.#api?.then((api) => api.close(), () => {}); // it answers nobody
      for (const place of [...this.#leaving.keys()]) await this.#end(place);
      for (const place of [this.#tcp, this.#unix]) await place?.close();
    })();
  }

  #leave(place: Place): void {
    this.#leaving.set(place, this.#options.clock.after(ADMIN_LEAVE_MS, () => void this.#end(place)));
  }

  async #end(place: Place): Promise<void> {
    this.#leaving.get(place)?.();
    this.#leaving.delete(place);
    await place.close();
  }

  async #openUnix(): Promise<Place> {
    const file = await listenAt(this.#options.folder, ADMIN_SOCKET);
    const remove = () => Promise.resolve(file.remove());
    const place: Place = { at: file.path, guard: new Guard({}), close: remove };
    try {
      const end = await this.#open(file.listener, { via: "unix" }, place);
      return Object.assign(place, { close: onceOnly(() => end().then(remove)) });
    } catch (error) {
      await remove();
      throw error;
    }
  }

  async #openTcp(tcp: Tcp): Promise<Place> {
    const listener = listenTcp(tcp.address);
    const at = formatAddress({ host: listener.addr.hostname, port: listener.addr.port });
    const place: Place = { at, tcp, guard: this.#guardOf(at, tcp), close: () => Promise.resolve() };
    const end = await this.#open(listener, { via: "tcp" }, place);
    return Object.assign(place, { close: onceOnly(end) });
  }

  /** Whoever has the token of before, or has logged in with it, is out. */
  #changeToken(place: Place, tcp: Tcp): void {
    place.guard.retire();
    place.guard = this.#guardOf(place.at, tcp);
    place.tcp = tcp;
  }

  #guardOf(at: string, { token }: Tcp): Guard {
    const { port } = parseAddress(at);
    const logins = new Logins({ secret: token, name: String(port), time: this.#options.clock });
    return new Guard({ address: at, token, logins });
  }

  #open(listener: Deno.Listener<Deno.Conn>, caller: Caller, place: Place): Promise<() => Promise<void>> {
    const { folder, clock, logger } = this.#options;
    const handler = async (request: Request) => {
      const api = await this.#answers().catch(() => undefined);
      return api?.answer(request, caller, place.guard) ??
        new Response(null, { status: 503, headers: { "retry-after": "5" } });
    };
    return serveBehindGate({ listener, folder, clock, logger, handler });
  }
}

/** Does it once, however often it is called. */
function onceOnly(fn: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => done ??= fn();
}
