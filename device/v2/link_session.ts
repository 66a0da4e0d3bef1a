/**
 * A v2 session on the device: it offers services, and answers CONNECTs by dialling them, over one link after the other.
 *
 * @module
 */

import { formatAddress } from "../../protocol/address.ts";
import { type Goodbye, goodbye } from "../../protocol/v2/wire/goodbye.ts";
import type { KeepAliveSettings } from "../../protocol/keep_alive.ts";
import { V2_MAX_CHANNELS } from "../../protocol/limits.ts";
import type { ChannelEndReason, LinkEndReason } from "../../protocol/reasons.ts";
import { WindowBudget } from "../../protocol/v2/receive_windows.ts";
import { SendLog } from "../../protocol/v2/send/send_log.ts";
import type { V2Channel } from "../../protocol/v2/channel.ts";
import type { ResumeOffer } from "../../protocol/v2/wire/handshake.ts";
import { V2DeviceLink } from "../../protocol/v2/device_link.ts";
import type { ConnectRequest, ServiceGrantResult, Settings } from "../../protocol/v2/wire/messages.ts";
import { type ChannelSummary, nothingCarried } from "../../relay/channel_end.ts";
import { ChannelPump } from "../../relay/channel_pump.ts";
import { describeError } from "../../base/errors.ts";
import { LINK_WINDOW_BOUND } from "../../net/limits.ts";
import { boundLeaving } from "../../relay/pumps.ts";
import type { LinkEnd } from "../../relay/link/end.ts";
import { SessionLinks } from "../../relay/session_links.ts";
import type { Transport } from "../../net/transport.ts";
import type { DeviceEvent } from "../events.ts";
import { tellClientEnd } from "./client_end.ts";
import { checkGrants } from "./granted_address.ts";
import type { NamedService } from "./named_service.ts";
import type { DeviceSettings } from "../options.ts";
import type { ServiceBoard } from "./service_board.ts";
import { dialReason, dialService, isShortage } from "./service_dial.ts";

/** What a session needs. */
export interface V2LinkSessionOptions {
  /** The device's settings. */
  readonly settings: DeviceSettings;
  /** What it offers. */
  readonly board: ServiceBoard;
  /** Silence that is suffered of the server. */
  readonly keepAlive: KeepAliveSettings;
  /** The server answered for services. */
  onGrants(results: ServiceGrantResult[]): void;
  /** The server said what is in force, or what it wants. */
  onSettings(settings: Settings): void;
  /** Tells subscribers. */
  emit(event: DeviceEvent): void;
  /** Its name, 16 bytes, as the server said. */
  readonly id: Uint8Array;
  /** Milliseconds that it outlives a link; 0: not at all. */
  readonly expiration: number;
}

/** The life of one session on the device. */
export class V2LinkSession {
  /** What the server said last, if it took its leave. */
  goodbye: Goodbye | undefined;

  readonly #options: V2LinkSessionOptions;
  readonly #links: SessionLinks;
  readonly #link: V2DeviceLink;
  readonly #pumps = new Map<ChannelPump, NamedService>();
  readonly #inside = new Map<NamedService, number>();
  #leaving = false;

  /** A session whose first link is to be attached. */
  constructor(options: V2LinkSessionOptions) {
    this.#options = options;
    const { settings, keepAlive, expiration } = options;
    const { clock, linkWriteTimeout } = settings;
    this.#link = new V2DeviceLink(
      {
        now: () => clock.now(),
        wallClock: () => clock.wall(),
        budget: new WindowBudget(LINK_WINDOW_BOUND),
        log: expiration > 0 ? new SendLog() : undefined,
      },
      V2_MAX_CHANNELS,
      {
        onOpen: (channel, request) => this.#onOpen(channel, request),
        onGrants: (results) => options.onGrants(checkGrants(results)),
        onGoodbye: (word) => this.#onGoodbye(word),
        onSettings: (said) => options.onSettings(said),
      },
    );
    this.#links = new SessionLinks({
      session: this.#link,
      clock,
      writeTimeout: linkWriteTimeout,
      keepAlive,
      onInterrupted: () => {},
      onFruitless: (hint) => settings.logger.warn("{hint}", { hint }),
    });
    this.#links.expiration = expiration;
  }

  /** Takes the first connection, whose handshake is done; offers its services and serves from then on. */
  start(transport: Transport, rest: Uint8Array): void {
    const { board } = this.#options;
    this.#links.attach(transport, rest);
    this.#link.sendSettings({ keepAlive: this.#links.keepAlive, mode: board.mode });
    if (board.mode === "run") this.#link.listen(board.offers());
  }

  /** Whether it may go on over another link. */
  get resumable(): boolean {
    return this.#options.expiration > 0 && !this.#links.done && !this.#leaving;
  }

  /** How many links in a row have carried nothing. */
  get fruitless(): number {
    return this.#links.fruitless;
  }

  /**
   * What to offer to the server: from here on nothing is applied that the link brings which may still be up. Its connection
   * stays until {@linkcode V2LinkSession.resume}, or {@linkcode V2LinkSession.letGo} if that does not come about.
   */
  offerResume(): ResumeOffer {
    return { session: this.#options.id, received: this.#links.fence(true) };
  }

  /** The session could not go on over the other connection. Idempotent. */
  letGo(): void {
    this.#links.letGo();
  }

  /**
   * Goes on over another connection, with a server that has received all before `position`.
   *
   * @returns the bytes that were sent again.
   * @throws {ProtocolError} if that cannot be; then the session has ended.
   */
  resume(transport: Transport, rest: Uint8Array, position: number): number {
    try {
      return this.#links.attach(transport, rest, position);
    } catch (error) {
      this.#links.close("protocol-error", describeError(error));
      throw error;
    }
  }

  /** Resolves when the link that is up has ended, or another takes its place; never rejects. */
  get down(): Promise<LinkEnd> {
    return this.#links.linkDown;
  }

  /** Resolves when the session is over; never rejects. */
  get over(): Promise<LinkEnd> {
    return this.#links.over;
  }

  /** Since when no link is up, on the clock, while it waits for one. */
  get interruptedAt(): number | undefined {
    return this.#links.interruptedAt;
  }

  /** Whether the server has opened a channel on the link. */
  get served(): boolean {
    return this.#link.opened > 0;
  }

  /** The server's wall clock less this device's, in milliseconds, once it is known. */
  get clockOffset(): number | undefined {
    return this.#link.clockOffset;
  }

  /** The last round trip, in milliseconds, once it is known. */
  get roundTrip(): number | undefined {
    return this.#link.roundTrip;
  }

  /** Clients that are being served. */
  get clients(): number {
    return this.#link.channelCount;
  }

  /** Tells the server what is offered now; out of mode `run` all channels are reset. */
  offer(offers: Parameters<V2DeviceLink["listen"]>[0]): void {
    if (this.#links.done) return;
    this.#link.listen(offers);
    if (this.#options.board.mode === "run") return; // a service that is down has ended its connections, or still serves them
    for (const pump of [...this.#pumps.keys()]) pump.abort("service-withdrawn");
  }

  /** Tells the server what is in force, or wanted of it. */
  say(settings: Settings): void {
    if (settings.keepAlive) this.#links.keepAlive = settings.keepAlive;
    if (!this.#links.done) this.#link.sendSettings(settings);
  }

  /** Ends in order: each channel when what came is delivered; then the server is told, and the link closes. */
  async shutdown(): Promise<void> {
    this.#leaving = true;
    const pumps = [...this.#pumps.keys()];
    for (const pump of pumps) pump.end("shutting-down");
    await Promise.all(pumps.map((pump) => pump.done));
    if (!this.#links.done) this.#link.sendGoodbye(goodbye("shutting-down", "the device is shutting down"));
    await this.#links.finish("shutting-down");
  }

  /** Resolves when the session is over and the connections to its services are closed. */
  async ended(): Promise<void> {
    await this.#links.closed();
    await Promise.all([...this.#pumps.keys()].map((pump) => pump.done));
  }

  /** Ends at once. Idempotent. */
  close(reason: LinkEndReason, detail?: string): void {
    if (!this.#links.done && reason === "shutting-down") {
      this.#link.sendGoodbye(goodbye("shutting-down", "the device is shutting down"));
    }
    this.#links.close(reason, detail);
    if (reason !== "shutting-down") return; // the channels have been told, and what came is delivered
    for (const pump of [...this.#pumps.keys()]) pump.abort("shutting-down");
  }

  #onGoodbye(word: Goodbye): void {
    this.goodbye = word;
    this.#links.close("goodbye", word.text ? `${word.code}: ${word.text}` : word.code);
  }

  #onOpen(channel: V2Channel, request: ConnectRequest): void {
    const { settings: { clock, stallTimeout, tcpKeepAlive }, board } = this.#options;
    const found = board.find(request.service);
    const refuse = (reason: ChannelEndReason, text: string) => {
      channel.close(clock.now(), reason, text);
      this.#told(channel, request, found?.service, nothingCarried(reason), text);
    };
    if (this.#leaving) return refuse("shutting-down", "the device is shutting down");
    if (!found) return refuse("not-allowed", `there is no service ${request.service}`);
    const { service } = found;
    if (!found.offered) {
      const inRun = board.mode === "run";
      return refuse(inRun ? "service-down" : "service-withdrawn", `${service.name} is ${inRun ? "down" : "withdrawn"}`);
    }
    const inside = this.#inside.get(service) ?? 0;
    if (service.maxClients !== undefined && inside >= service.maxClients) {
      return refuse("too-many-channels", `${service.maxClients} clients are the most for ${service.name}`);
    }
    boundLeaving(this.#pumps, this.#link.channelCount - 1); // this one is open, and has no pump yet
    const pump = new ChannelPump({
      channel,
      driver: this.#links,
      clock,
      end: "service",
      stallTimeout,
      tcpKeepAlive,
      halfCloseTimeout: 0,
    });
    this.#pumps.set(pump, service);
    this.#inside.set(service, inside + 1);
    let error: string | undefined;
    pump.done.then((summary) => {
      this.#pumps.delete(pump);
      this.#inside.set(service, this.#inside.get(service)! - 1);
      this.#told(channel, request, service, summary, error);
    });
    const abort = new AbortController();
    pump.done.then(() => abort.abort());
    this.#dial(pump, channel, service, request, abort.signal).catch((cause: unknown) => {
      if (abort.signal.aborted) return; // the client has gone meanwhile, which says nothing of the service
      error = describeError(cause);
      const reason = dialReason(cause);
      if (!isShortage(cause)) board.hint(service, false);
      channel.close(clock.now(), reason, error);
      pump.abort(reason);
    });
  }

  async #dial(
    pump: ChannelPump,
    channel: V2Channel,
    service: NamedService,
    request: ConnectRequest,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, connectTimeout } = this.#options.settings;
    const conn = await dialService(service, request, clock, connectTimeout, signal);
    this.#options.board.hint(service, true);
    this.#link.accept(channel);
    pump.attach(conn);
    if (service.idleTimeout !== undefined) pump.endWhenIdle(service.idleTimeout);
  }

  #told(
    channel: V2Channel,
    { client }: ConnectRequest,
    service: NamedService | undefined,
    summary: ChannelSummary,
    error: string | undefined,
  ): void {
    const localAddress = service ? formatAddress(service.localAddress) : "";
    tellClientEnd(
      this.#options,
      { id: channel.id, client, service: service?.name ?? "", localAddress, error },
      summary,
    );
  }
}
