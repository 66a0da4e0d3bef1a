/**
 * A transparent proxy between device and server that sees the bytes go by, and can lose the link as a bad network does.
 *
 * @module
 */

import { closeQuietly } from "../../../net/transport.ts";
import { describeError } from "../../../base/errors.ts";

/** Which way bytes went; `up` is from the device to the server. */
export type Direction = "up" | "down";

/** Who hears of what the tap sees. */
export interface TapEvents {
  /** A connection was made. @returns who looks at its bytes in one direction; what is thrown goes to `onError`. */
  watch(direction: Direction): (bytes: Uint8Array) => void;
  /** The tap, or who looks at the bytes, cannot go on. */
  onError(why: string): void;
}

/** Forwards each connection to the server. */
export class Tap {
  /** Where the device dials. */
  readonly port: number;

  readonly #serverPort: number;
  readonly #events: TapEvents;
  readonly #conns = new Set<Deno.TcpConn>();
  readonly #lost = new Set<Deno.TcpConn>();
  #listener: Deno.TcpListener;

  /** Listens on a free port of 127.0.0.1, in front of the server on `serverPort`. */
  constructor(serverPort: number, events: TapEvents) {
    this.#serverPort = serverPort;
    this.#events = events;
    this.#listener = this.#listen(0);
    this.port = this.#listener.addr.port;
  }

  /** Ends the tap and all that goes through it. Idempotent. */
  close(): void {
    closeQuietly(this.#listener);
    for (const conn of this.#conns) closeQuietly(conn);
    this.#conns.clear();
  }

  /** Loses the connections that are up, as a NAT that forgets them: nothing arrives any more, and nobody is told. */
  lose(): void {
    for (const conn of this.#conns) this.#lost.add(conn);
  }

  /** Cuts the connections that are up; new ones work. */
  cut(): void {
    for (const conn of this.#conns) closeQuietly(conn);
  }

  #listen(port: number): Deno.TcpListener {
    const listener = Deno.listen({ hostname: "127.0.0.1", port });
    this.#accept(listener);
    return listener;
  }

  async #accept(listener: Deno.TcpListener): Promise<void> {
    try {
      for await (const device of listener) this.#forward(device);
    } catch (error) {
      this.#events.onError(describeError(error));
    }
  }

  async #forward(device: Deno.TcpConn): Promise<void> {
    this.#conns.add(device);
    let server: Deno.TcpConn;
    try {
      server = await Deno.connect({ hostname: "127.0.0.1", port: this.#serverPort });
    } catch {
      return closeQuietly(device); // the device sees a link that ends, and tries again
    }
    if (!this.#conns.has(device)) return closeQuietly(server); // cut meanwhile
    this.#conns.add(server);
    const ways: [Direction, Deno.TcpConn, Deno.TcpConn][] = [["up", device, server], ["down", server, device]];
    await Promise.all(ways.map(([direction, from, to]) => this.#pump(direction, from, to)));
    for (const conn of [device, server]) {
      this.#conns.delete(conn);
      this.#lost.delete(conn);
      closeQuietly(conn);
    }
  }

  async #pump(direction: Direction, from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
    const look = this.#events.watch(direction);
    const buffer = new Uint8Array(256 * 1024);
    try {
      to.setNoDelay(true);
      for (let count; (count = await from.read(buffer)) !== null;) {
        if (this.#lost.has(from)) continue;
        this.#look(look, buffer.subarray(0, count));
        for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
      }
      if (!this.#lost.has(from)) await to.closeWrite();
    } catch {
      closeQuietly(from); // one side is gone, so the other goes too
      closeQuietly(to);
    }
  }

  #look(look: (bytes: Uint8Array) => void, bytes: Uint8Array): void {
    try {
      look(bytes);
    } catch (error) {
      this.#events.onError(describeError(error));
    }
  }
}
