/**
 * The way to a service for its clients, whatever stands behind it.
 *
 * @module
 */

import { parseAddress } from "../../protocol/address.ts";
import type { ChannelEndReason } from "../../protocol/reasons.ts";
import { DialLimit, DialTimeout, leaveRoomForLink } from "../../net/dial/dial.ts";
import { Turns } from "../../base/slices.ts";
import { describeError, errorCode, isExhaustion } from "../../base/errors.ts";
import { writeAll } from "../../relay/handshake.ts";
import { encodeProxyHeader } from "../../net/proxy/header.ts";
import type { Endpoint, EndpointClient, Reach, Surroundings } from "./endpoint.ts";

/** What a service says beside its endpoint of how it is reached. */
export interface ReachOptions {
  /** The version of the PROXY protocol header that tells the service the client's address; none by default. */
  readonly proxy?: 1 | 2 | undefined;
  /** Milliseconds for reaching it, in place of what is asked for. */
  readonly connectTimeout?: number | undefined;
}

/** More clients than the endpoint itself bears. */
export class EndpointFull extends Error {
  /** Tells it from others. */
  override readonly name = "EndpointFull";
}

/** What the server named leads to where the device's owner does not allow it. */
export class NotAllowed extends Error {
  /** Tells it from others. */
  override readonly name = "NotAllowed";
}

/** The way to `endpoint`, which tells it of each client where it asked for that, and leaves room for the link. */
export function reachService(endpoint: Endpoint, options: ReachOptions, surroundings: Surroundings): Reach {
  const lacks = endpoint.lacks?.(surroundings.engine);
  if (lacks !== undefined) return { lacks, connect: () => Promise.reject(new Error(lacks)), close() {} };
  const reach = endpoint.open(surroundings);
  const { proxy, connectTimeout } = options;
  const look = reach.look?.bind(reach);
  const counts = { reached: 0, failed: 0 };
  let trouble: string | undefined;
  const connected = async (...to: Parameters<Reach["connect"]>) => {
    try {
      const conn = await reach.connect(...to);
      counts.reached++;
      trouble = undefined;
      return conn;
    } catch (error) {
      if (!to[2].aborted) { // who has gone meanwhile says nothing of it
        counts.failed++;
        trouble = describeError(error);
      }
      throw error;
    }
  };
  return {
    async connect(client, timeout, signal) {
      const turn = Turns.of(surroundings.clock).take(); // of a thousand clients that come at once, some in each
      if (turn) await turn;
      signal.throwIfAborted();
      leaveRoomForLink();
      const conn = await connected(client, connectTimeout ?? timeout, signal);
      if (proxy === undefined) return conn;
      try {
        await writeAll(conn, proxyHeader(proxy, client));
        return conn;
      } catch (error) {
        conn.close();
        throw error;
      }
    },
    look: look && ((timeout, signal) => look(Math.min(timeout, connectTimeout ?? Infinity), signal)),
    get state() {
      const { state, detail, counts: own } = reach.state ?? { counts: {} };
      return { state, detail: detail ?? trouble, counts: { ...own, ...counts } };
    },
    get datagrams() {
      return reach.datagrams;
    },
    close: () => reach.close(),
  };
}

/** Whether a service was not reached for want of something of this device, which says nothing about the service. */
export function isShortage(cause: unknown): boolean {
  return cause instanceof DialLimit || cause instanceof EndpointFull || isExhaustion(cause);
}

/** What a client is told when its service could not be reached. */
export function reachReason(cause: unknown): ChannelEndReason {
  if (cause instanceof DialTimeout) return "connect-timeout";
  if (cause instanceof NotAllowed) return "not-allowed";
  if (isShortage(cause)) return "too-many-channels";
  return errorCode(cause) === "ECONNREFUSED" || cause instanceof Deno.errors.ConnectionRefused
    ? "service-refused"
    : "service-unreachable";
}

function proxyHeader(version: 1 | 2, { client, hostAddress }: EndpointClient): Uint8Array {
  return encodeProxyHeader(version, addressOf(client), addressOf(hostAddress));
}

function addressOf(text: string): ReturnType<typeof parseAddress> | undefined {
  try {
    return parseAddress(text);
  } catch {
    return undefined; // what the server said is for the service only if it is an address
  }
}
