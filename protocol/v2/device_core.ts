/**
 * The device's side of a v2 link: it offers services, then channels are opened to it.
 *
 * @module
 */

import { V2_EARLY_CREDIT } from "./limits.ts";
import { ProtocolError } from "../errors.ts";
import type { ChannelEndReason } from "../reasons.ts";
import type { V2Channel } from "./channel.ts";
import { V2Command } from "./wire/commands.ts";
import { V2SessionCore } from "./session_core.ts";
import type { V2CoreOptions, V2LinkEvents } from "./session_options.ts";
import {
  type ConnectRequest,
  listenFrame,
  readConnectRequest,
  readGrants,
  resultFrame,
  type ServiceGrantResult,
  type ServiceOffer,
} from "./wire/messages.ts";

/** What the device's side tells its owner. */
export interface V2DeviceLinkEvents extends V2LinkEvents {
  /**
   * A client wants to reach a service. The owner sets the channel's receiver, then {@linkcode V2DeviceCore.accept}s it, or
   * closes it with a reason.
   */
  onOpen(channel: V2Channel, request: ConnectRequest): void;
  /** What became of services. */
  onGrants(results: ServiceGrantResult[]): void;
}

/** The device's side; see {@linkcode V2SessionCore}. */
export class V2DeviceCore extends V2SessionCore {
  readonly #events: V2DeviceLinkEvents;
  readonly #maxChannels: number;
  /** Channels without a RESULT, with what their sinks have taken: credit follows the RESULT. */
  readonly #connecting = new Map<V2Channel, number>();

  /** A session whose first link is to be attached. */
  constructor(options: V2CoreOptions, maxChannels: number, events: V2DeviceLinkEvents) {
    super(options, events);
    this.#events = events;
    this.#maxChannels = maxChannels;
  }

  /** Offers services, or withdraws them. */
  listen(offers: readonly ServiceOffer[]): void {
    this.control(listenFrame(offers));
  }

  /** The service of a channel is connected. */
  accept(channel: V2Channel): void {
    const consumed = this.#connecting.get(channel);
    this.#connecting.delete(channel);
    if (consumed === undefined || !channel.open) return;
    channel.window.tell();
    this.control(resultFrame(channel.id, "connected", channel.window.initial));
    if (consumed > 0) this.giveCredit(channel, consumed);
  }

  override giveCredit(channel: V2Channel, consumed: number): void {
    const before = this.#connecting.get(channel);
    if (before === undefined) super.giveCredit(channel, consumed);
    else this.#connecting.set(channel, before + consumed);
  }

  protected override handle(command: V2Command, id: number, payload: Uint8Array): void {
    switch (command) {
      case V2Command.LISTEN:
        return this.#events.onGrants(readGrants(payload));
      case V2Command.CONNECT:
        return this.#onConnect(id, payload);
      case V2Command.RESULT:
        throw new ProtocolError("wrong-direction", "Only a device may send RESULT; is the other side a device too?");
      default:
        return super.handle(command, id, payload);
    }
  }

  override end(reason: ChannelEndReason): void {
    this.#connecting.clear();
    super.end(reason);
  }

  /** A channel that was not accepted ends with a RESULT, any other with CLOSE. */
  protected override closing(channel: V2Channel, reason: ChannelEndReason, text: string): Uint8Array {
    if (!this.#connecting.delete(channel)) return super.closing(channel, reason, text);
    return resultFrame(channel.id, reason, 0, text);
  }

  protected override closedByPeer(channel: V2Channel, reason: ChannelEndReason, text: string): void {
    this.#connecting.delete(channel);
    super.closedByPeer(channel, reason, text);
  }

  #onConnect(id: number, payload: Uint8Array): void {
    if (id === 0) throw new ProtocolError("bad-channel", "CONNECT for channel 0, which is the link itself");
    if (this.channels.has(id)) throw new ProtocolError("bad-channel", `CONNECT for channel ${id}, which is open`);
    const request = readConnectRequest(payload);
    const channel = this.addChannel(id, request.credit, V2_EARLY_CREDIT);
    this.#connecting.set(channel, 0);
    if (this.channelCount > this.#maxChannels || channel.window.reserved === 0) {
      return channel.close("too-many-channels");
    }
    this.#events.onOpen(channel, request);
  }
}
