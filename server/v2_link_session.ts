/**
 * One v2 link of a device, on the server: its clients.
 *
 * @module
 */

import { type Goodbye, goodbye } from "../protocol/goodbye.ts";
import { type KeepAliveSettings, normalKeepAlive } from "../protocol/keep_alive.ts";
import type { ChannelEndReason, LinkEndReason } from "../protocol/reasons.ts";
import { WindowBudget } from "../protocol/receive_windows.ts";
import type { V2Channel } from "../protocol/v2_channel.ts";
import type { ServiceGrantResult, ServiceOffer, Settings } from "../protocol/v2_messages.ts";
import { V2ServerLink } from "../protocol/v2_server_link.ts";
import { V2_MAX_CHANNELS } from "../protocol/limits.ts";
import { type ChannelSummary, nothingCarried } from "../net/channel_end.ts";
import { ChannelPump } from "../net/channel_pump.ts";
import { GATHER_MAX, LINK_WINDOW_BOUND, MAX_LEAVING_CHANNELS } from "../net/limits.ts";
import { LinkDriver } from "../net/link_driver.ts";
import type { LinkEnd } from "../net/link_end.ts";
import { closeQuietly, type Duplex, type Transport } from "../net/transport.ts";
import type { ServerSettings } from "./options.ts";

/** A client that has come to a host port. */
export interface Client {
  /** Its connection, or what stands for it behind a header that was read. */
  readonly duplex: Duplex;
  /** Its address, as text. */
  readonly address: string;
  /** The host address that it came to, as text. */
  readonly hostAddress: string;
  /** The service, by the number that the device gave it. */
  readonly service: number;
  /** Called once, when it is over. `error`: what the device said. */
  onEnd(summary: ChannelSummary, error: string | undefined): void;
}

/** What a session needs. */
export interface V2LinkSessionOptions {
  /** The connection to the device; the session closes it. */
  readonly transport: Transport;
  /** The server's settings. */
  readonly settings: ServerSettings;
  /** What the process may grant. */
  readonly budget: WindowBudget;
  /** Silence that is suffered of the device. */
  readonly keepAlive: KeepAliveSettings;
  /** The device's services came, or changed. @returns what to answer. */
  onOffers(offers: ServiceOffer[]): ServiceGrantResult[];
  /** The device said what is in force, or what it wants. */
  onSettings(settings: Settings): void;
}

/** The life of one link. */
export class V2LinkSession {
  /** Resolves when the link is down; never rejects. */
  readonly down: Promise<LinkEnd>;
  /** Resolves when its clients are closed too; never rejects. */
  readonly ended: Promise<void>;
  /** What is in force with the device, as it said. */
  peerKeepAlive: KeepAliveSettings | undefined;

  readonly #options: V2LinkSessionOptions;
  readonly #driver: LinkDriver;
  readonly #link: V2ServerLink;
  readonly #pumps = new Set<ChannelPump>();
  readonly #errors = new Map<V2Channel, string>();
  readonly #down = Promise.withResolvers<LinkEnd>();
  #dismissed = false;
  #keepAlive: KeepAliveSettings;

  /** Takes over a connection whose handshake is done; `rest` is what was read beyond it. */
  constructor(options: V2LinkSessionOptions, rest: Uint8Array) {
    this.#options = options;
    const { clock, linkWriteTimeout } = options.settings;
    const { transport } = options;
    this.#driver = new LinkDriver({ transport, clock, writeTimeout: linkWriteTimeout, busyCopyMax: GATHER_MAX });
    this.#link = new V2ServerLink(
      {
        output: this.#driver,
        now: () => clock.now(),
        wallClock: Date.now,
        budget: new WindowBudget(LINK_WINDOW_BOUND, options.budget),
        nagle: !transport.noDelay,
      },
      V2_MAX_CHANNELS,
      {
        onOffers: (offers) => this.sendGrants(options.onOffers(offers)),
        onUnreachable: (channel, text) => void this.#errors.set(channel, text),
        onGoodbye: ({ code, text }) => this.#driver.close("goodbye", text ? `${code}: ${text}` : code),
        onSettings: (settings) => this.#onSettings(settings),
      },
    );
    this.down = this.#down.promise;
    this.#driver.ended.then(this.#down.resolve);
    this.ended = this.#driver.ended.then(() => Promise.all([...this.#pumps].map((pump) => pump.done))).then(() => {});
    this.#keepAlive = options.keepAlive;
    this.#driver.start(this.#link, rest, {
      settings: options.keepAlive,
      probe: () => {
        this.#link.ping();
        return true;
      },
      answers: () => true,
      patient: false,
    });
    this.#link.ping(); // the round trip, and the clock offset
    this.#link.sendSettings({ keepAlive: options.keepAlive });
  }

  /** Whether the link is down. */
  get done(): boolean {
    return this.#driver.done || this.#dismissed;
  }

  /** Where the device dialled from. */
  get remote(): string {
    return this.#options.transport.remote;
  }

  /** The address that it dialled, as this server sees it. */
  get local(): string {
    return this.#options.transport.local;
  }

  /** `tcp` or `tls`. */
  get transport(): Transport["kind"] {
    return this.#options.transport.kind;
  }

  /** Clients that are being served. */
  get clients(): number {
    return this.#link.channelCount;
  }

  /** The device's wall clock less this server's, in milliseconds, once it is known. */
  get clockOffset(): number | undefined {
    return this.#link.clockOffset;
  }

  /** The last round trip, in milliseconds, once it is known. */
  get roundTrip(): number | undefined {
    return this.#link.roundTrip;
  }

  /** Silence that is suffered of the device. */
  get keepAlive(): KeepAliveSettings {
    return this.#keepAlive;
  }

  /** Changes that, and tells the device. */
  set keepAlive(keepAlive: KeepAliveSettings) {
    this.#keepAlive = keepAlive;
    this.#driver.keepAlive = keepAlive;
    this.#link.sendSettings({ keepAlive });
  }

  /** Asks the device for other settings, or another mode. */
  request(wanted: Pick<Settings, "wantedKeepAlive" | "wantedMode">): void {
    this.#link.sendSettings(wanted);
  }

  /** Answers for services. */
  sendGrants(results: readonly ServiceGrantResult[]): void {
    if (results.length > 0) this.#link.sendGrants(results);
  }

  /** Serves a client, or ends it at once. */
  serve(client: Client): ChannelPump | undefined {
    const { clock, stallTimeout } = this.#options.settings;
    const leaving = this.#pumps.size - this.#link.channelCount;
    const channel = leaving > MAX_LEAVING_CHANNELS || this.done
      ? undefined
      : this.#link.open(client.service, client.address, client.hostAddress);
    if (!channel) {
      closeQuietly(client.duplex);
      const reason = this.done ? "link-lost" : "too-many-channels";
      client.onEnd(nothingCarried(reason), undefined);
      return undefined;
    }
    const pump = new ChannelPump({
      channel,
      driver: this.#driver,
      clock,
      end: "client",
      stallTimeout,
      halfCloseTimeout: 0,
    });
    this.#pumps.add(pump);
    pump.attach(client.duplex);
    pump.done.then((summary) => {
      this.#pumps.delete(pump);
      client.onEnd(summary, this.#errors.get(channel));
      this.#errors.delete(channel);
    });
    return pump;
  }

  /** Ends in order: clients are ended when what came is delivered; then the device is told, and the link closes. */
  async shutdown(reason: ChannelEndReason, word: Goodbye): Promise<void> {
    const pumps = [...this.#pumps];
    for (const pump of pumps) pump.end(reason);
    await Promise.all(pumps.map((pump) => pump.done));
    if (!this.done) this.#link.sendGoodbye(word);
    await this.#driver.finish("shutting-down");
    await this.ended;
  }

  /**
   * Ends at once: nothing that the device sends is applied any more. It is told why, and its socket is closed when it has
   * heard it, or a moment later; at a shutdown the moment is not waited for. Idempotent.
   */
  close(reason: LinkEndReason, word: Goodbye = goodbye("shutting-down", "")): void {
    const detail = word.text || undefined;
    if (!this.done) this.#link.sendGoodbye(word);
    if (reason === "shutting-down") this.#driver.close(reason, detail);
    else if (!this.done) {
      this.#dismissed = true;
      this.#down.resolve({ reason, detail });
      this.#driver.dismiss(reason, detail);
    }
    for (const pump of this.#pumps) pump.abort(reason === "shutting-down" ? "shutting-down" : "link-lost");
  }

  #onSettings(settings: Settings): void {
    if (settings.keepAlive) this.peerKeepAlive = settings.keepAlive;
    if (settings.wantedKeepAlive) this.keepAlive = normalKeepAlive(settings.wantedKeepAlive);
    this.#options.onSettings(settings);
  }
}
