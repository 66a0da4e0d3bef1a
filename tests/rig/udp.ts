/**
 * Peers that speak UDP.
 *
 * @module
 */

import type { Engine } from "../../net/socket.ts";
import type { DatagramPeer, DatagramSocket } from "../../net/udp/socket.ts";
import { engine as chosen } from "./engine.ts";
import { within } from "./wait.ts";

/** What came, and from whom. */
export interface Heard {
  readonly bytes: Uint8Array;
  readonly from: DatagramPeer;
  readonly key: string;
}

/** A socket that keeps what it hears. */
export class UdpPeer implements AsyncDisposable {
  /** All that came. */
  readonly heard: Heard[] = [];
  /** How often it was told that nobody was there. */
  refused = 0;
  #socket: DatagramSocket | undefined;
  #read = 0;
  #wake = () => {};

  private constructor() {}

  /** A service on a port of this machine; `answer` says what it answers. */
  static async bind(
    answer?: (bytes: Uint8Array) => Uint8Array | undefined,
    engine: Engine = chosen,
    at = { host: "127.0.0.1", port: 0 },
  ): Promise<UdpPeer> {
    const peer = new UdpPeer();
    peer.#socket = await engine.bindUdp(at, peer.#handler(answer));
    return peer;
  }

  /** A client of a port. */
  static async connect(port: number, host = "127.0.0.1", engine: Engine = chosen): Promise<UdpPeer> {
    const peer = new UdpPeer();
    peer.#socket = await engine.connectUdp({ host, port }, peer.#handler());
    return peer;
  }

  /** Its address. */
  get address(): DatagramSocket["address"] {
    return this.#socket!.address;
  }

  /** How many the system dropped before they were received. */
  get unread(): number {
    return this.#socket!.unread;
  }

  /** Sends one. */
  send(bytes: Uint8Array | string, to?: DatagramPeer): string {
    return this.#socket!.send(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes, to);
  }

  /** The next one that came. */
  async next(): Promise<Heard> {
    while (this.heard.length <= this.#read) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#wake = resolve;
      await within(promise, "a datagram");
    }
    return this.heard[this.#read++]!;
  }

  /** The same as text. */
  async text(): Promise<string> {
    return new TextDecoder().decode((await this.next()).bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#socket!.close();
  }

  #handler(answer?: (bytes: Uint8Array) => Uint8Array | undefined): Parameters<Engine["bindUdp"]>[1] {
    return {
      onDatagram: (bytes, key, peer) => {
        const from = peer();
        this.heard.push({ bytes: bytes.slice(), from, key });
        const said = answer?.(bytes);
        if (said) this.#socket!.send(said, from);
        this.#wake();
      },
      onRefused: () => {
        this.refused++;
        this.#wake();
      },
    };
  }
}

/** One that sends back what it gets. */
export function udpEcho(engine?: Engine): Promise<UdpPeer> {
  return UdpPeer.bind((bytes) => bytes.slice(), engine);
}
