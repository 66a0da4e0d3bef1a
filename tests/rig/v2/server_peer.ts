/**
 * A v2 server that the test plays on a plain link: it can do what ours never does.
 *
 * @module
 */

import { LINK_WINDOW_BOUND } from "../../../net/limits.ts";
import { WindowBudget } from "../../../protocol/v2/receive_windows.ts";
import type { Goodbye } from "../../../protocol/v2/wire/goodbye.ts";
import { goodbyeFrame } from "../../../protocol/v2/wire/goodbye.ts";
import type { V2Channel } from "../../../protocol/v2/channel.ts";
import { welcomeFrame } from "../../../protocol/v2/wire/handshake.ts";
import type { ServiceOffer, Settings } from "../../../protocol/v2/wire/messages.ts";
import { V2ServerCore } from "../../../protocol/v2/server_core.ts";
import { systemClock } from "../../../base/clock.ts";
import { greetDevice, randomBytes, writeAll } from "../../../relay/handshake.ts";
import { createIdentity, type Identity } from "../../../net/tls/identity.ts";
import { LinkDriver } from "../../../relay/link/driver.ts";
import type { ListeningSocket, Socket } from "../../../net/socket.ts";
import { tcpTransport, type Transport } from "../../../net/transport.ts";
import type { Security } from "./relay.ts";
import { engine } from "../engine.ts";
import { within } from "../wait.ts";

/** A link that the test plays the server of. */
export interface PlayedLink {
  /** Frames are sent with it. */
  readonly link: V2ServerCore;
  readonly driver: LinkDriver;
  /** The next offers of the device. */
  offers(): Promise<ServiceOffer[]>;
  /** The next settings that it says. */
  settings(): Promise<Settings>;
  /** The next service that it cannot reach. */
  unreachable(): Promise<string>;
  /** How it takes its leave. */
  readonly goodbye: Promise<Goodbye>;
}

/** Hands out what comes in the order of its coming. */
class Inbox<T> {
  readonly #items: T[] = [];
  readonly #askers: ((item: T) => void)[] = [];

  readonly put = (item: T): void => {
    const asker = this.#askers.shift();
    if (asker) asker(item);
    else this.#items.push(item);
  };

  take(what: string): Promise<T> {
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve(item);
    return within(new Promise((resolve) => this.#askers.push(resolve)), what);
  }
}

/** Listens as a v2 server does; each connection is the test's. */
export class PlayedServer implements AsyncDisposable {
  readonly identity: Identity;
  /** It is plain. */
  readonly security: Security = "plain";
  readonly #listener: ListeningSocket;
  readonly #drivers: LinkDriver[] = [];

  private constructor(identity: Identity, listener: ListeningSocket) {
    this.identity = identity;
    this.#listener = listener;
  }

  /** Listens on a free port. */
  static async start(): Promise<PlayedServer> {
    return new PlayedServer(await createIdentity(), engine.listen({ host: "127.0.0.1", port: 0 }));
  }

  /** Where devices dial. */
  get port(): number {
    return this.#listener.address.port;
  }

  /** The next connection, untouched. */
  async accept(): Promise<Socket> {
    return await within(Promise.resolve(this.#listener.accept()), "the device's dial");
  }

  /** The next connection, with its handshake done up to the server's answer. */
  async greet(): Promise<{ readonly transport: Transport; readonly rest: Uint8Array }> {
    const transport = tcpTransport(await this.accept());
    const { rest } = await greetDevice(transport.duplex, new Uint8Array(0), {
      signer: this.identity,
      nonce: randomBytes(32),
      wallClock: Date.now(),
      software: "a test",
    });
    return { transport, rest };
  }

  /** The next connection is turned away with a goodbye, in place of WELCOME. */
  async refuse(word: Goodbye): Promise<void> {
    const { transport } = await this.greet();
    await writeAll(transport.duplex, goodbyeFrame(word));
    transport.duplex.close();
  }

  /** The next connection becomes a link; `wall` is what the server takes for the time of day. */
  async link(wall: () => number = Date.now): Promise<PlayedLink> {
    const { transport, rest } = await this.greet();
    const welcome = { session: randomBytes(16), name: "gw1", maxChannels: 65_536, remote: transport.remote };
    await writeAll(transport.duplex, welcomeFrame(welcome));
    const offers = new Inbox<ServiceOffer[]>();
    const settings = new Inbox<Settings>();
    const unreachable = new Inbox<string>();
    const goodbye = Promise.withResolvers<Goodbye>();
    const driver = new LinkDriver({ transport, clock: systemClock, writeTimeout: -1 });
    const link = new V2ServerCore(
      {
        time: { now: () => systemClock.now(), wall },
        budget: new WindowBudget(LINK_WINDOW_BOUND),
      },
      65_536,
      {
        onOffers: offers.put,
        onUnreachable: (_channel: V2Channel, text: string) => unreachable.put(text),
        onGoodbye: goodbye.resolve,
        onSettings: settings.put,
      },
    );
    link.attach({ output: driver, nagle: false });
    driver.start(link, rest);
    this.#drivers.push(driver);
    return {
      link,
      driver,
      offers: () => offers.take("LISTEN"),
      settings: () => settings.take("SETTINGS"),
      unreachable: () => unreachable.take("a RESULT"),
      goodbye: goodbye.promise,
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    for (const driver of this.#drivers) driver.close("shutting-down");
    return Promise.resolve();
  }
}
