/**
 * A link on the device: it answers CONNECTs by dialling services that it may dial.
 *
 * @module
 */

import { type Address, formatAddress } from "../../protocol/address.ts";
import type { V1Channel } from "../../protocol/v1/channel.ts";
import type { Codec } from "../../protocol/codec.ts";
import { V1DeviceLink } from "../../protocol/v1/device_link.ts";
import type { ChannelEndReason, LinkEndReason } from "../../protocol/reasons.ts";
import type { ChannelSummary } from "../../relay/channel_end.ts";
import { ChannelPump } from "../../relay/channel_pump.ts";
import { dial, DialTimeout, leaveRoomForLink } from "../../net/dial/dial.ts";
import { describeError } from "../../base/errors.ts";
import { boundLeaving } from "../../relay/leaving.ts";
import { LinkDriver } from "../../relay/link/driver.ts";
import type { LinkEnd } from "../../relay/link/end.ts";
import type { Transport } from "../../net/transport.ts";
import type { DeviceEvent } from "../events.ts";
import type { V1DeviceSettings } from "../options.ts";

/** What a session needs. */
export interface LinkSessionOptions {
  /** The connection to the server; the session closes it. */
  readonly transport: Transport;
  /** The profile to speak. */
  readonly codec: Codec;
  /** The device's settings. */
  readonly settings: V1DeviceSettings;
  /** Tells subscribers. */
  emit(event: DeviceEvent): void;
}

/** The life of one link on the device. */
export class LinkSession {
  /** Resolves when the link is down; never rejects. */
  readonly down: Promise<LinkEnd>;
  readonly interruptedAt = undefined;
  readonly resumable = false;

  readonly #settings: V1DeviceSettings;
  readonly #emit: (event: DeviceEvent) => void;
  readonly #driver: LinkDriver;
  readonly #link: V1DeviceLink;
  /** With what they are to. */
  readonly #pumps = new Map<ChannelPump, string>();
  #leaving = false;

  /** The same: on v1 nothing goes on over another link. */
  get over(): Promise<LinkEnd> {
    return this.down;
  }

  /** Sends LISTEN and serves from then on. */
  constructor(options: LinkSessionOptions) {
    const { settings, transport } = options;
    this.#settings = settings;
    this.#emit = options.emit;
    this.#driver = new LinkDriver({ transport, clock: settings.clock, writeTimeout: settings.linkWriteTimeout });
    this.#link = new V1DeviceLink(options.codec, this.#driver, {
      onOpen: (channel, early) => this.#onOpen(channel, early),
      onGone: (id, target) => this.#onGone(id, target),
      onBadConnect: (id, why) => this.#onBadConnect(id, why),
    });
    this.down = this.#driver.ended;
    this.#link.listen();
    this.#driver.start(this.#link, new Uint8Array(0), {
      settings: settings.keepAlive,
      probe: () => this.#link.knock(),
      answers: () => this.#link.answersKnocks,
      patient: true,
    });
  }

  /** Whether the server has opened a channel on the link. */
  get served(): boolean {
    return this.#link.counters.channels > 0;
  }

  /** Ends in order: CLOSE for each channel, what came is delivered; then the link closes. */
  async shutdown(): Promise<void> {
    this.#leaving = true;
    const pumps = [...this.#pumps.keys()];
    for (const pump of pumps) pump.end("shutting-down");
    await Promise.all(pumps.map((pump) => pump.done));
    await this.#driver.finish("shutting-down");
  }

  /** Resolves when the link is down and the connections to its services are closed. */
  async ended(): Promise<void> {
    await this.down;
    await Promise.all([...this.#pumps.keys()].map((pump) => pump.done));
  }

  /** Ends at once. Idempotent. */
  close(reason: LinkEndReason): void {
    this.#driver.close(reason);
    if (reason !== "shutting-down") return; // the channels have been told, and what came is delivered
    for (const pump of this.#pumps.keys()) pump.abort("shutting-down");
  }

  #onOpen(channel: V1Channel, early: Uint8Array): void {
    const { clock, services, stallTimeout, tcpKeepAlive } = this.#settings;
    boundLeaving(this.#pumps, this.#link.channelCount - 1); // the new one has a channel and no pump yet
    const pump = new ChannelPump({
      channel,
      driver: this.#driver,
      clock,
      end: "service",
      stallTimeout,
      tcpKeepAlive,
      halfCloseTimeout: 0, // seed 003, step 6: as soon as the service's socket is closed, CLOSE is sent
    });
    this.#pumps.set(pump, formatAddress(channel.target));
    let error: string | undefined;
    pump.done.then((summary) => {
      this.#pumps.delete(pump);
      this.#channelEnded(channel, summary, error);
    });
    if (this.#leaving) return pump.abort("shutting-down");
    if (!services.some((service) => service.allows(channel.target))) {
      error = `no --service allows it; --service ${formatAddress(channel.target)} would`;
      return pump.abort("not-allowed");
    }
    if (early.length > 0) channel.received(early);
    this.#dial(pump, channel.target).catch((cause: unknown) => {
      error = describeError(cause);
      pump.abort(cause instanceof DialTimeout ? "connect-timeout" : "service-unreachable");
    });
  }

  async #dial(pump: ChannelPump, target: Address): Promise<void> {
    const { clock, connectTimeout } = this.#settings;
    const abort = new AbortController();
    pump.done.then(() => abort.abort());
    leaveRoomForLink();
    pump.attach(await dial(target, clock, connectTimeout, abort.signal));
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
