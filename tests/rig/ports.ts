/**
 * Ports: free ones, and host ports as clients find them.
 *
 * @module
 */

import { parseAddress } from "../../protocol/address.ts";
import { Stream } from "./stream.ts";

/** Longest time until a port that is to be closed refuses clients, in milliseconds. */
const CLOSED_WITHIN_MS = 1_000;

/** Resolves when the kernel refuses clients at a port, which has to be soon; whoever connects before is only closed. */
export async function refusesClients(port: number, hostname = "127.0.0.1"): Promise<void> {
  const until = performance.now() + CLOSED_WITHIN_MS;
  for (;;) {
    try {
      using client = await Stream.connect(port, hostname);
      await client.readToEnd();
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionRefused) return;
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
    if (performance.now() > until) throw new Error(`${hostname}:${port} is still open`);
  }
}

/** The port of `HOST:PORT`, or of `udp:HOST:PORT`. */
export function portOf(address: string): number {
  return parseAddress(address.replace(/^udp:/, "")).port;
}

/** A port that was free a moment ago, for who cannot pick one and tell; at an address that nothing else here uses. */
export function freePort(hostname = "127.0.0.1"): number {
  const listener = Deno.listen({ hostname, port: 0 });
  const { port } = listener.addr;
  listener.close();
  return port;
}

/** The first of `count` ports in a row that were free a moment ago. */
export function freeRange(hostname: string, count: number): number {
  for (;;) {
    const first = freePort(hostname);
    const listeners: Deno.TcpListener[] = [];
    try {
      for (let n = 0; n < count; n++) listeners.push(Deno.listen({ hostname, port: first + n }));
      return first;
    } catch {
      continue; // one of them was in use, or there is no such port
    } finally {
      for (const listener of listeners) listener.close();
    }
  }
}

/** Whether somebody listens at a port of this machine. */
export async function canConnect(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}
