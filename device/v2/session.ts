/**
 * A v2 session on the device: it offers services, and answers CONNECTs by dialling them, over one link after the other.
 *
 * @module
 */

import { isSteady, type KeepAlivePlan } from "../../protocol/keep_alive.ts";
import { V2_MAX_CHANNELS } from "../../protocol/v2/limits.ts";
import { type Goodbye, goodbye } from "../../protocol/v2/wire/goodbye.ts";
import type { ChannelEndReason } from "../../protocol/reasons.ts";
import { WindowBudget } from "../../protocol/v2/receive_windows.ts";
import { SendLog } from "../../protocol/v2/send/send_log.ts";
import type { V2Channel } from "../../protocol/v2/channel.ts";
import type { ResumeOffer } from "../../protocol/v2/wire/handshake.ts";
import { V2DeviceCore } from "../../protocol/v2/device_core.ts";
import type { ConnectRequest, ServiceGrantResult, Settings } from "../../protocol/v2/wire/messages.ts";
import { type ChannelSummary, nothingCarried } from "../../relay/channel_end.ts";
import type { ChannelPump } from "../../relay/channel_pump.ts";
import { describeError } from "../../base/errors.ts";
import type { LinkEnd } from "../../relay/link/end.ts";
import { Session } from "../../relay/session.ts";
import { SessionLinks } from "../../relay/session_links.ts";
import type { SessionLinksOptions } from "../../relay/session_links_options.ts";
import type { Transport } from "../../net/transport.ts";
import type { DeviceEvent } from "../events.ts";
import type { LinkLife } from "../reconnect/link_maker.ts";
import type { AllowedTargets } from "./allowed_targets.ts";
import { tellClientEnd } from "./client_end.ts";
import { checkGrants } from "./granted_address.ts";
import type { NamedService } from "./named_service.ts";
import type { DeviceSettings } from "../options.ts";
import type { FoundService, ServiceBoard } from "./service_board.ts";
import type { Outside } from "./outside.ts";
import { isShortage, reachReason } from "../endpoints/service_reach.ts";

export interface V2SessionOptions extends Pick<SessionLinksOptions, "keepAlive" | "expiration" | "onBytes"> {
  readonly settings: DeviceSettings;
  /** What it offers. */
  readonly board: ServiceBoard;
  /** What the server may name. */
  readonly targets: AllowedTargets;
  /** What it may grant. */
  readonly outside: Pick<Outside, "windowBound">;
  /** The server answered for services. */
  onGrants(results: ServiceGrantResult[]): void;
  /** Whether both sides adapt their keep-alive. */
  readonly adapts: boolean;
  /** The keep-alive that the server is to have. */
  readonly wanted: KeepAlivePlan | undefined;
  /** The server said what it wants. */
  onSettings(settings: Settings): void;
  emit(event: DeviceEvent): void;
  /** Its name, 16 bytes, as the server said. */
  readonly id: Uint8Array;
}

const FAREWELL = goodbye("shutting-down", "the device is shutting down");

/** The life of one session on the device. */
export class V2Session extends Session<SessionLinks> implements LinkLife {
  /** What is said on its links. */
  readonly state: V2DeviceCore;
  /** What the server said last, if it took its leave. */
  goodbye: Goodbye | undefined;

  /** What it grants. */
  readonly budget: WindowBudget;
  /** What it keeps for replay, if it can be resumed. */
  readonly log: SendLog | undefined;

  readonly #options: V2SessionOptions;
  readonly #inside = new Map<NamedService, number>();
  /** Clients of what the server named. */
  readonly #named = new Map<ChannelPump, ConnectRequest>();

  /** A session whose first link is to be attached. */
  constructor(options: V2SessionOptions) {
    const { settings, keepAlive, expiration } = options;
    const { clock, linkWriteTimeout } = settings;
    const budget = new WindowBudget(options.outside.windowBound);
    const log = expiration > 0 ? new SendLog() : undefined;
    const state = new V2DeviceCore(
      { time: clock, budget, log, adapts: options.adapts },
      V2_MAX_CHANNELS,
      {
        onOpen: (channel, request) => this.#onOpen(channel, request),
        onGrants: (results) => options.onGrants(checkGrants(results)),
        onGoodbye: (word) => this.#onGoodbye(word),
        onSettings: (said) => {
          this.links.hear(said);
          options.onSettings(said);
        },
      },
    );
    const links = new SessionLinks({
      session: state,
      clock,
      writeTimeout: linkWriteTimeout,
      keepAlive,
      expiration,
      ...(options.onBytes && { onBytes: options.onBytes }),
      onInterrupted: () => {},
      onFruitless: (hint) => settings.logger.warn("{hint}", { hint }),
    });
    super(links, "service", settings);
    this.#options = options;
    this.state = state;
    this.budget = budget;
    this.log = log;
  }

  /** Its name, 16 bytes. */
  get id(): Uint8Array {
    return this.#options.id;
  }

  /** Takes the first connection, whose handshake is done; offers its services and serves from then on. */
  start(transport: Transport, rest: Uint8Array): void {
    const { board, wanted, adapts } = this.#options;
    this.links.attach(transport, rest);
    const isKnown = wanted && (adapts || isSteady(wanted)); // else a peer would take the half of it for all
    this.links.introduce({ mode: board.mode, ...(isKnown && this.links.wanted(wanted)) });
    if (board.mode === "run") this.state.listen(board.offers());
  }

  /** Whether it may go on over another link. */
  get resumable(): boolean {
    return this.links.expiration > 0 && !this.done && !this.leaving;
  }

  /**
   * What to offer to the server: from here on nothing is applied that the link brings which may still be up. Its connection
   * stays until {@linkcode V2Session.resume}, or {@linkcode SessionLinks.letGo} if that does not come about.
   */
  offerResume(): ResumeOffer {
    return { session: this.#options.id, received: this.links.fence(true) };
  }

  /**
   * Goes on over another connection, with a server that has received all before `position`.
   *
   * @returns the bytes that were sent again.
   * @throws {ProtocolError} if that cannot be; then the session has ended.
   */
  resume(transport: Transport, rest: Uint8Array, position: number): number {
    try {
      return this.links.attach(transport, rest, position);
    } catch (error) {
      this.links.close("protocol-error", describeError(error));
      throw error;
    }
  }

  /** Resolves when the link that is up has ended, or another takes its place; never rejects. */
  get down(): Promise<LinkEnd> {
    return this.links.linkDown;
  }

  /** Resolves when the session is over; never rejects. */
  get over(): Promise<LinkEnd> {
    return this.links.over;
  }

  /** Since when no link is up, on the clock, while it waits for one. */
  get interruptedAt(): number | undefined {
    return this.links.interruptedAt;
  }

  /** Whether the server has opened a channel on the link. */
  get served(): boolean {
    return this.state.opened > 0;
  }

  /** The device allows other addresses: clients that reached one which is beyond are ended, and those on their way to one find out. */
  endForbidden(): void {
    for (const [pump, client] of [...this.#named]) {
      if (!this.#options.targets.isStillAllowed(client)) pump.abortInTurn("not-allowed");
    }
  }

  /** Tells the server what is offered now; out of mode `run` all channels are reset. */
  offer(offers: Parameters<V2DeviceCore["listen"]>[0]): void {
    if (this.done) return;
    this.state.listen(offers);
    if (this.#options.board.mode === "run") return; // a service that is down has ended its connections, or still serves them
    this.pumps.abortInTurn("service-withdrawn");
  }

  protected override sayFarewell(): void {
    this.state.sendGoodbye(FAREWELL);
  }

  #onGoodbye(word: Goodbye): void {
    this.goodbye = word;
    this.links.close("goodbye", word.text ? `${word.code}: ${word.text}` : word.code);
  }

  #onOpen(channel: V2Channel, request: ConnectRequest): void {
    this.links.rouse();
    const { board } = this.#options;
    const asked = this.#find(request.service);
    const found = typeof asked === "string" ? undefined : asked;
    const refuse = (reason: ChannelEndReason, text: string) => {
      channel.close(reason, text);
      this.#told(channel, request, found, nothingCarried(reason), text);
    };
    if (this.leaving) return refuse("shutting-down", "the device is shutting down");
    if (!found) return refuse("not-allowed", String(asked));
    const { service } = found;
    const { maxClients } = service;
    if (!found.offered) {
      const inRun = board.mode === "run";
      const isDown = inRun && !board.isDraining;
      return refuse(
        isDown ? "service-down" : "service-withdrawn",
        `${service.name} is ${isDown ? "down" : "withdrawn"}`,
      );
    }
    const inside = this.#inside.get(service) ?? 0;
    if (maxClients !== undefined && inside >= maxClients) {
      return refuse("too-many-channels", `${maxClients} clients are the most for ${service.name}`);
    }
    this.pumps.makeRoom(this.state.channelCount - 1); // this one is open, and has no pump yet
    if (found.isUdp) channel.carryDatagrams();
    const pump = this.pumps.add(channel, service);
    this.#inside.set(service, inside + 1);
    const { client: address, hostAddress } = request;
    this.#options.settings.clients.add(pump, {
      address,
      hostAddress,
      service: service.name,
      localAddress: found.address,
    });
    if (typeof request.service !== "number") this.#named.set(pump, request);
    let error: string | undefined;
    pump.done.then((summary) => {
      this.#named.delete(pump);
      const left = this.#inside.get(service)! - 1;
      if (left > 0) this.#inside.set(service, left);
      else this.#inside.delete(service); // the server may name any number, one after the other
      this.#told(channel, request, found, summary, error);
    });
    const abort = new AbortController();
    let isUp = false;
    pump.done.then(() => isUp || abort.abort());
    this.#reach(pump, channel, found, request, abort.signal).then(() => isUp = true, (cause: unknown) => {
      if (abort.signal.aborted) return; // the client has gone meanwhile, which says nothing of the service
      error = describeError(cause);
      const reason = reachReason(cause);
      if (!isShortage(cause)) board.hint(service, false);
      channel.close(reason, error);
      pump.abort(reason);
    });
  }

  /** What a CONNECT asks for, or why it cannot be had. */
  #find(asked: ConnectRequest["service"]): FoundService | string {
    const { board, targets } = this.#options;
    if (typeof asked === "number") return board.find(asked) ?? `there is no service ${asked}`;
    const target = targets.find(asked);
    return typeof target === "string" ? target : { ...target, isUdp: false, offered: board.mode === "run" };
  }

  async #reach(
    pump: ChannelPump,
    channel: V2Channel,
    { service, reach }: FoundService,
    request: ConnectRequest,
    signal: AbortSignal,
  ): Promise<void> {
    const conn = await reach.connect(request, this.#options.settings.connectTimeout, signal);
    this.#options.board.hint(service, true);
    this.state.accept(channel);
    pump.attach(conn);
    if (service.idleTimeout !== undefined) pump.endWhenIdle(service.idleTimeout);
  }

  #told(
    channel: V2Channel,
    { client, service }: ConnectRequest,
    found: FoundService | undefined,
    summary: ChannelSummary,
    error: string | undefined,
  ): void {
    // What was not found goes by what the server calls it; a number has no name.
    const asked = typeof service === "number" ? { name: "", address: "" } : service;
    const name = found?.service.name ?? asked.name;
    const localAddress = found?.address ?? asked.address;
    tellClientEnd(this.#options, { id: channel.id, client, service: name, localAddress, error }, summary);
  }
}
