/**
 * A transparent proxy between device and server that sees the frames go by, and can cut the link as a bad network does.
 *
 * @module
 */

import { closeQuietly } from "../../net/transport.ts";
import { describeError } from "../../net/errors.ts";
import { FrameReader, type SeenFrame } from "./frame_reader.ts";

/** Which way a frame went. */
export type Direction = "up" | "down";

/** Who hears of what the tap sees. */
export interface TapEvents {
  /** A frame went by; `up` is from the device to the server. */
  onFrame(direction: Direction, frame: SeenFrame): void;
  /** The bytes on the link are no v1. */
  onError(why: string): void;
}

/** Forwards each connection to the server. */
export class Tap {
  /** Where the device dials. */
  readonly port: number;

  readonly #serverPort: number;
  readonly #events: TapEvents;
  readonly #conns = new Set<Deno.TcpConn>();
  #listener: Deno.TcpListener;

  /** Listens on a free port of 127.0.0.1, in front of the server on `serverPort`. */
  constructor(serverPort: number, events: TapEvents) {
    this.#serverPort = serverPort;
    this.#events = events;
    this.#listener = this.#listen(0);
    this.port = this.#listener.addr.port;
  }

  /** Cuts the link; whoever dials meanwhile is refused. Idempotent. */
  cut(): void {
    closeQuietly(this.#listener);
    for (const conn of this.#conns) closeQuietly(conn);
    this.#conns.clear();
  }

  /** Lets the device through again. */
  restore(): void {
    this.#listener = this.#listen(this.port);
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
      closeQuietly(conn);
    }
  }

  async #pump(direction: Direction, from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
    const reader = new FrameReader((frame) => this.#events.onFrame(direction, frame));
    const buffer = new Uint8Array(256 * 1024);
    try {
      to.setNoDelay(true);
      for (let count; (count = await from.read(buffer)) !== null;) {
        this.#look(reader, buffer.subarray(0, count));
        for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
      }
      await to.closeWrite();
    } catch {
      closeQuietly(from); // one side is gone, so the other goes too
      closeQuietly(to);
    }
  }

  #look(reader: FrameReader, bytes: Uint8Array): void {
    try {
      reader.push(bytes);
    } catch (error) {
      this.#events.onError(describeError(error));
    }
  }
}
