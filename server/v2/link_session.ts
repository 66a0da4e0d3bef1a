/**
 * A v2 session with a device, on the server: its clients, over one link after the other.
 *
 * @module
 */

import { type Goodbye, goodbye } from "../../protocol/v2/wire/goodbye.ts";
import { type KeepAliveSettings, normalKeepAlive } from "../../protocol/keep_alive.ts";
import type { ChannelEndReason, LinkEndReason } from "../../protocol/reasons.ts";
import { WindowBudget } from "../../protocol/v2/receive_windows.ts";
import { type LogBudget, SendLog } from "../../protocol/v2/send/send_log.ts";
import type { V2Channel } from "../../protocol/v2/channel.ts";
import type { ServiceGrantResult, ServiceOffer, Settings } from "../../protocol/v2/wire/messages.ts";
import { V2ServerLink } from "../../protocol/v2/server_link.ts";
import { V2_MAX_CHANNELS } from "../../protocol/limits.ts";
import { type ChannelSummary, nothingCarried } from "../../relay/channel_end.ts";
import { ChannelPump } from "../../relay/channel_pump.ts";
import { LINK_WINDOW_BOUND, MAX_CLIENTS_INTERRUPTED } from "../../net/limits.ts";
import { boundLeaving } from "../../relay/pumps.ts";
import type { LinkEnd } from "../../relay/link/end.ts";
import { SessionLinks } from "../../relay/session_links.ts";
import { resetQuietly } from "../../net/reset.ts";
import type { Duplex, Transport } from "../../net/transport.ts";
import type { ServerSettings } from "../options.ts";

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
  /** 16 bytes that name it. */
  readonly id: Uint8Array;
  /** Milliseconds that it outlives a link; 0: not at all. */
  readonly expiration: number;
  /** What all sessions of the process may keep. */
  readonly logBudget: LogBudget;
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
  /** A link has ended, and the session waits for another. */
  onInterrupted(end: LinkEnd): void;
  /** Links come up and carry nothing; what to do about it. */
  onFruitless(hint: string): void;
}

/** The life of one session. */
export class V2LinkSession {
  /** Resolves when the session is over; never rejects. */
  readonly down: Promise<LinkEnd>;
  /** Resolves when its clients are closed too; never rejects. */
  readonly ended: Promise<void>;
  /** What is in force with the device, as it said. */
  peerKeepAlive: KeepAliveSettings | undefined;

  readonly #options: V2LinkSessionOptions;
  readonly #links: SessionLinks;
  readonly #link: V2ServerLink;
  /** With the number of the service. */
  readonly #pumps = new Map<ChannelPump, number>();
  readonly #errors = new Map<V2Channel, string>();
  #openedInterrupted = 0;

  /** A session whose first link is to be attached. */
  constructor(options: V2LinkSessionOptions) {
    this.#options = options;
    const { clock, linkWriteTimeout } = options.settings;
    this.#link = new V2ServerLink(
      {
        now: () => clock.now(),
        wallClock: () => clock.wall(),
        budget: new WindowBudget(LINK_WINDOW_BOUND, options.budget),
        log: options.expiration > 0 ? new SendLog(options.logBudget) : undefined,
      },
      V2_MAX_CHANNELS,
      {
        onOffers: (offers) => this.sendGrants(options.onOffers(offers)),
        onUnreachable: (channel, text) => void this.#errors.set(channel, text),
        onGoodbye: ({ code, text }) => this.#links.close("goodbye", text ? `${code}: ${text}` : code),
        onSettings: (settings) => this.#onSettings(settings),
      },
    );
    this.#links = new SessionLinks({
      session: this.#link,
      clock,
      writeTimeout: linkWriteTimeout,
      keepAlive: options.keepAlive,
      onInterrupted: (end) => options.onInterrupted(end),
      onFruitless: (hint) => options.onFruitless(hint),
    });
    this.#links.expiration = options.expiration;
    this.down = this.#links.over;
    this.ended = this.#links.closed().then(() => Promise.all([...this.#pumps.keys()].map((pump) => pump.done))).then(
      () => {},
    );
  }

  /** Takes the first connection, whose handshake is done; `rest` is what was read beyond it. */
  start(transport: Transport, rest: Uint8Array): void {
    this.#links.attach(transport, rest);
    this.#link.sendSettings({ keepAlive: this.#links.keepAlive });
  }

  /** 16 bytes that name it. */
  get id(): Uint8Array {
    return this.#options.id;
  }

  /** Whether it can go on with a device that has received all before `position`. */
  canReplayFrom(position: number): boolean {
    return !this.done && this.#link.canReplayFrom(position);
  }

  /** See {@linkcode SessionLinks.fence}. */
  fence(): { readonly position: number; readonly fences: number } {
    return { position: this.#links.fence(), fences: this.#links.fences };
  }

  /**
   * Goes on over another connection, with a device that has received all before `position`.
   *
   * @returns the bytes that were sent again; `undefined` if it cannot, as it is over or another was quicker.
   */
  resume(transport: Transport, rest: Uint8Array, position: number, fences: number): number | undefined {
    if (fences !== this.#links.fences || !this.canReplayFrom(position)) return undefined;
    this.#openedInterrupted = 0;
    return this.#links.attach(transport, rest, position);
  }

  /** Since when no link is up, on the server's clock; `undefined` while one is. */
  get interruptedAt(): number | undefined {
    return this.#links.interruptedAt;
  }

  /** Whether the session is over. */
  get done(): boolean {
    return this.#links.done;
  }

  /** Where the device dialled from. */
  get remote(): string {
    return this.#links.transport.remote;
  }

  /** The address that it dialled, as this server sees it. */
  get local(): string {
    return this.#links.transport.local;
  }

  /** `tcp` or `tls`. */
  get transport(): Transport["kind"] {
    return this.#links.transport.kind;
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
    return this.#links.keepAlive;
  }

  /** Changes that, and tells the device. */
  set keepAlive(keepAlive: KeepAliveSettings) {
    this.#links.keepAlive = keepAlive;
    this.#yieldIfProbed();
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
    const { clock, stallTimeout, tcpKeepAlive } = this.#options.settings;
    boundLeaving(this.#pumps, this.#link.channelCount);
    const waits = !this.#links.online;
    if (waits) this.#openedInterrupted++;
    const tooMany = waits && this.#openedInterrupted > MAX_CLIENTS_INTERRUPTED;
    const channel = tooMany || this.done
      ? undefined
      : this.#link.open(client.service, client.address, client.hostAddress);
    if (!channel) {
      resetQuietly(client.duplex);
      const reason = this.done ? "link-lost" : "too-many-channels";
      client.onEnd(nothingCarried(reason), undefined);
      return undefined;
    }
    const pump = new ChannelPump({
      channel,
      driver: this.#links,
      clock,
      end: "client",
      stallTimeout,
      tcpKeepAlive,
      halfCloseTimeout: 0,
    });
    this.#pumps.set(pump, client.service);
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
    const pumps = [...this.#pumps.keys()];
    for (const pump of pumps) pump.end(reason);
    await Promise.all(pumps.map((pump) => pump.done));
    if (!this.done) this.#link.sendGoodbye(word);
    await this.#links.finish("shutting-down");
    await this.ended;
  }

  /**
   * Ends at once: nothing that the device sends is applied any more. It is told why, and its socket is closed when it has
   * heard it, or a moment later; at a shutdown the moment is not waited for. Idempotent.
   */
  close(reason: LinkEndReason, word: Goodbye = goodbye("shutting-down", "")): void {
    const detail = word.text || undefined;
    if (!this.done) this.#link.sendGoodbye(word);
    if (reason === "shutting-down") this.#links.close(reason, detail);
    else this.#links.dismiss(reason, detail);
    // At any other end the channels have been told, and clients get what came for them.
    if (reason !== "shutting-down" && reason !== "revoked") return;
    for (const pump of this.#pumps.keys()) pump.abort(reason === "shutting-down" ? "shutting-down" : "link-lost");
  }

  #onSettings(settings: Settings): void {
    if (settings.keepAlive) {
      this.peerKeepAlive = settings.keepAlive;
      this.#yieldIfProbed();
    }
    if (settings.wantedKeepAlive) this.keepAlive = normalKeepAlive(settings.wantedKeepAlive);
    this.#options.onSettings(settings);
  }

  /** Where the device probes as soon as this server would, its probes do for both. */
  #yieldIfProbed(): void {
    const { peerKeepAlive: peer, keepAlive: own } = this;
    this.#links.yields = peer !== undefined && peer.probeCount > 0 && peer.idleTimeout >= 0 &&
      peer.idleTimeout <= own.idleTimeout;
  }
}
