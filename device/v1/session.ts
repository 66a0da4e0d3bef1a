/**
 * A link on the device: it answers CONNECTs by dialling services that it may dial.
 *
 * @module
 */

import { type Address, formatAddress } from "../../protocol/address.ts";
import type { V1Channel } from "../../protocol/v1/channel.ts";
import { V1DeviceLink } from "../../protocol/v1/device_link.ts";
import type { ChannelEndReason } from "../../protocol/reasons.ts";
import type { ChannelSummary } from "../../relay/channel_end.ts";
import type { ChannelPump } from "../../relay/channel_pump.ts";
import { DialTimeout } from "../../net/dial/dial.ts";
import { describeError } from "../../base/errors.ts";
import { LinkDriver } from "../../relay/link/driver.ts";
import type { LinkEnd } from "../../relay/link/end.ts";
import { Session } from "../../relay/session.ts";
import type { Socket } from "../../net/socket.ts";
import { settingsPace } from "../../net/tcp_keep_alive.ts";
import type { SocketTransport } from "../../net/transport.ts";
import type { KeepAliveSettings } from "../../protocol/keep_alive.ts";
import type { DeviceEvent } from "../events.ts";
import type { LinkLife } from "../reconnect/link_maker.ts";
import type { DeviceSettings } from "../options.ts";
import type { Reach } from "../endpoints/endpoint.ts";
import { reachService } from "../endpoints/service_reach.ts";
import { tcpEndpoint } from "../endpoints/tcp.ts";
import { describeRule, type ServiceRule } from "../services.ts";

/** v1 does not say who the client is. */
const UNKNOWN_CLIENT = { client: "", hostAddress: "" };

export interface V1SessionOptions {
  /** The connection to the server; the session closes it. */
  readonly transport: SocketTransport;
  readonly settings: DeviceSettings;
  /** What may be dialled for clients. */
  readonly services: readonly ServiceRule[];
  /** The longest silence accepted from the server. */
  readonly keepAlive: KeepAliveSettings;
  /** What is reached in place of what the server names. */
  readonly ways: ReadonlyMap<ServiceRule, Reach>;
  emit(event: DeviceEvent): void;
}

/** The life of one link on the device. */
export class V1Session extends Session<LinkDriver> implements LinkLife {
  readonly interruptedAt = undefined;
  readonly resumable = false;

  readonly #settings: DeviceSettings;
  readonly #services: readonly ServiceRule[];
  readonly #emit: (event: DeviceEvent) => void;
  readonly #link: V1DeviceLink;
  readonly #socket: Socket;
  readonly #ways: ReadonlyMap<ServiceRule, Reach>;

  /** Sends LISTEN and serves from then on. */
  constructor(options: V1SessionOptions) {
    const { settings, transport, keepAlive } = options;
    const driver = new LinkDriver({ transport, clock: settings.clock, writeTimeout: settings.linkWriteTimeout });
    super(driver, "service", settings);
    this.#settings = settings;
    this.#services = options.services;
    this.#socket = transport.duplex;
    this.#emit = options.emit;
    this.#ways = options.ways;
    this.#link = new V1DeviceLink(driver, settings.clock, {
      onOpen: (channel, early) => this.#onOpen(channel, early),
      onGone: (id, target) => this.#onGone(id, target),
      onBadConnect: (id, why) => this.#onBadConnect(id, why),
    });
    this.#link.listen();
    driver.start(this.#link, new Uint8Array(0), {
      settings: keepAlive,
      probe: () => this.#link.knock(),
      answers: () => this.#link.answersKnocks,
      patient: true,
    });
    driver.watchPeer(transport.duplex, settingsPace(keepAlive));
  }

  /** Changes the longest silence accepted from the server: of its knocks, and of its system. */
  setKeepAlive(settings: KeepAliveSettings): void {
    this.links.setKeepAlive(settings);
    this.links.watchPeer(this.#socket, settingsPace(settings));
  }

  /** Whether the server has opened a channel on the link. */
  get served(): boolean {
    return this.#link.counters.channels > 0;
  }

  /** Resolves when the link is down; never rejects. */
  get down(): Promise<LinkEnd> {
    return this.links.ended;
  }

  /** The same: on v1 nothing goes on over another link. */
  get over(): Promise<LinkEnd> {
    return this.links.ended;
  }

  #onOpen(channel: V1Channel, early: Uint8Array): void {
    this.pumps.makeRoom(this.#link.channelCount - 1); // the new one has a channel and no pump yet
    const service = formatAddress(channel.target);
    const pump = this.pumps.add(channel, service); // seed 003, step 6: as soon as the service's socket is closed, CLOSE is sent
    const nobody = { address: undefined, hostAddress: undefined };
    const rule = this.#services.find((allowed) => allowed.allows(channel.target));
    const named = rule && describeRule(rule);
    const localAddress = rule?.endpoint === undefined ? service : named!.localAddress;
    this.#settings.clients.add(pump, { ...nobody, service, localAddress, rule: named?.name });
    let error: string | undefined;
    pump.done.then((summary) => this.#channelEnded(channel, summary, error));
    if (this.leaving) return pump.abort("shutting-down");
    if (!rule) {
      error = `no --service allows it; --service ${service} would`;
      return pump.abort("not-allowed");
    }
    if (early.length > 0) channel.received(early);
    this.#reach(pump, channel.target, this.#ways.get(rule)).catch((cause: unknown) => {
      error = describeError(cause);
      pump.abort(cause instanceof DialTimeout ? "connect-timeout" : "service-unreachable");
    });
  }

  async #reach(pump: ChannelPump, target: Address, way: Reach | undefined): Promise<void> {
    const { connectTimeout } = this.#settings;
    const abort = new AbortController();
    let isUp = false;
    pump.done.then(() => isUp || abort.abort());
    const conn = await (way ?? this.#direct(target)).connect(UNKNOWN_CLIENT, connectTimeout, abort.signal);
    isUp = true;
    pump.attach(conn);
  }

  #direct(target: Address): Reach {
    const { engine, clock, logger } = this.#settings;
    const service = formatAddress(target);
    return reachService(tcpEndpoint(target), {}, { engine, clock, logger, service, maxClients: undefined });
  }

  /** The original server can send CLOSE ahead of CONNECT: no service is dialled for a client that has gone. */
  #onGone(id: number, target: Address): void {
    const service = formatAddress(target);
    this.#settings.logger.info("client {id} of {service} had gone before its CONNECT came", { id, service });
    const nothing = { client: undefined, error: undefined, bytesUp: 0, bytesDown: 0, duration: 0 };
    this.#emit({ type: "channel-end", id, service, reason: "client-closed", ...nothing });
  }

  #onBadConnect(id: number, why: string): void {
    this.#settings.logger.warn("CONNECT for client {id} refused: {why}", { id, why });
    this.#emit({
      type: "channel-end",
      id,
      client: undefined,
      service: "",
      reason: "bad-connect",
      error: why,
      bytesUp: 0,
      bytesDown: 0,
      duration: 0,
    });
  }

  #channelEnded(channel: V1Channel, summary: ChannelSummary, error: string | undefined): void {
    const facts = {
      id: channel.id,
      client: undefined,
      service: formatAddress(channel.target),
      reason: summary.reason,
      error: REFUSALS.has(summary.reason) ? error : undefined,
      bytesUp: summary.bytesReceived,
      bytesDown: summary.bytesSent,
      duration: Math.round(summary.duration),
    };
    const { logger } = this.#settings;
    if (facts.error !== undefined) {
      logger.warn("client {id} cannot reach {service}: {reason} ({error})", facts);
    } else {
      const line = "client {id} of {service} ended: {reason}, {bytesUp} B up, {bytesDown} B down, {duration} ms";
      if (facts.reason === "stalled") logger.warn(line, facts);
      else logger.info(line, facts);
    }
    this.#emit({ type: "channel-end", ...facts });
  }
}

const REFUSALS: ReadonlySet<ChannelEndReason> = new Set([
  "not-allowed",
  "connect-timeout",
  "service-unreachable",
  "too-many-channels",
]);
