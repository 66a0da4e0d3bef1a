/**
 * A load balancer in front of a listener for devices, which says for whom it comes by the PROXY protocol.
 *
 * @module
 */

import { systemClock } from "../../../base/clock.ts";
import { LoopbackHop } from "../../../net/portable/loopback_hop.ts";
import { engine, never } from "../engine.ts";

/** Carries connections to a port of this machine, a header in front of each. */
export class Balancer implements AsyncDisposable {
  readonly #listener = engine.listen({ host: "127.0.0.1", port: 0 });
  readonly #hops: LoopbackHop[] = [];
  readonly #accepting: Promise<void>;

  /** `port`: where it carries them. */
  constructor(port: number, header: Uint8Array) {
    this.#accepting = this.#accept(port, header).catch(() => {}); // closed
  }

  /** Where devices dial. */
  get port(): number {
    return this.#listener.address.port;
  }

  async #accept(port: number, header: Uint8Array): Promise<void> {
    for (;;) {
      const conn = await this.#listener.accept();
      const up = await engine.connect({ host: "127.0.0.1", port }, { signal: never });
      for (const byte of header) await up.write(Uint8Array.of(byte)); // however it is split
      this.#hops.push(new LoopbackHop(conn, up, systemClock));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    for (const hop of this.#hops) hop.close();
    await Promise.all(this.#hops.map((hop) => hop.ended));
  }
}
