/**
 * Dialling a service for a client.
 *
 * @module
 */

import { parseAddress } from "../../protocol/address.ts";
import type { ChannelEndReason } from "../../protocol/reasons.ts";
import type { ConnectRequest } from "../../protocol/v2/wire/messages.ts";
import type { Clock } from "../../base/clock.ts";
import { dial, DialLimit, DialTimeout, leaveRoomForLink } from "../../net/dial/dial.ts";
import { isExhaustion } from "../../base/errors.ts";
import { writeAll } from "../../relay/handshake.ts";
import { encodeProxyHeader } from "../../net/proxy/header.ts";
import type { Connection, Engine } from "../../net/socket.ts";
import type { NamedService } from "./named_service.ts";

/**
 * Connects to a service, and tells it of the client where it asked for that.
 *
 * @throws What {@linkcode dial} throws, or the socket. Nothing is left open then.
 */
export async function dialService(
  service: NamedService,
  request: ConnectRequest,
  engine: Engine,
  clock: Clock,
  connectTimeout: number,
  signal: AbortSignal,
): Promise<Connection> {
  leaveRoomForLink();
  const timeout = service.connectTimeout ?? connectTimeout;
  const conn = await dial(service.localAddress, { engine, clock, timeout, signal });
  if (service.proxy === undefined) return conn;
  try {
    const header = encodeProxyHeader(service.proxy, addressOf(request.client), addressOf(request.hostAddress));
    await writeAll(conn, header);
  } catch (error) {
    conn.close();
    throw error;
  }
  return conn;
}

/** Whether a dial failed for want of something of this device, which says nothing about the service. */
export function isShortage(cause: unknown): boolean {
  return cause instanceof DialLimit || isExhaustion(cause);
}

/** What a client is told when its service could not be reached. */
export function dialReason(cause: unknown): ChannelEndReason {
  if (cause instanceof DialTimeout) return "connect-timeout";
  if (isShortage(cause)) return "too-many-channels";
  return cause instanceof Deno.errors.ConnectionRefused ? "service-refused" : "service-unreachable";
}

function addressOf(text: string): ReturnType<typeof parseAddress> | undefined {
  try {
    return parseAddress(text);
  } catch {
    return undefined; // what the server said is for the service only if it is an address
  }
}
