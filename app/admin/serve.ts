/**
 * An API at its addresses: a Unix socket in the state's folder, and a TCP address of this machine.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import type { Logger } from "../../base/logger.ts";
import { type Address, formatAddress } from "../../protocol/address.ts";
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

/** An API that is served. */
export interface AdminServer {
  /** The path of its Unix socket, if it has one. */
  readonly socket: string | undefined;
  /** Its address by TCP, `HOST:PORT`, if it has one. */
  readonly address: string | undefined;
  /** Ends it at once, with all that is open. Idempotent. */
  close(): Promise<void>;
}

/**
 * Serves an API.
 *
 * @throws {ConfigError} if a socket cannot be made; {ListenError} if the TCP address cannot be had.
 */
export async function serveAdmin(options: AdminOptions): Promise<AdminServer> {
  const { title, folder, unix, tcp, clock, logger, onAct } = options;
  if (tcp) demandLoopback(tcp.address);
  const load = async (): Promise<Api> => {
    const [{ Api }, { Site }, parts] = await Promise.all([
      import("./http/api.ts"),
      import("./http/site.ts"),
      options.load(),
    ]);
    return new Api({ title, routes: parts.routes, site: parts.site && new Site(parts.site), clock, logger, onAct });
  };
  let api: Promise<Api> | undefined;
  const parts: (() => Promise<void>)[] = [];
  let closing: Promise<void> | undefined;
  const close = () =>
    closing ??= (async () => {
      (await api)?.close();
      for (const part of parts.toReversed()) await part();
    })();

  const open = async (listener: Deno.Listener<Deno.Conn>, caller: Caller, guard: Guard) => {
    const handler = async (request: Request) => (await (api ??= load())).answer(request, caller, guard);
    parts.push(await serveBehindGate({ listener, folder, clock, logger, handler }));
  };

  try {
    const file = unix ? await listenAt(folder, ADMIN_SOCKET) : undefined;
    if (file) {
      parts.push(() => Promise.resolve(file.remove()));
      await open(file.listener, { via: "unix" }, new Guard({}));
    }
    const listener = tcp && listenTcp(tcp.address);
    const bound = listener && formatAddress({ host: listener.addr.hostname, port: listener.addr.port });
    if (listener) {
      const { token } = tcp;
      const logins = new Logins({ secret: token, name: String(listener.addr.port), time: clock });
      await open(listener, { via: "tcp" }, new Guard({ address: bound!, token, logins }));
    }
    return { socket: file?.path, address: bound, close };
  } catch (error) {
    await close();
    throw error;
  }
}
