/**
 * The server's side of a v2 link: it hears what is offered, and opens channels.
 *
 * @module
 */

import { V2_EARLY_CREDIT } from "./limits.ts";
import { ProtocolError } from "../errors.ts";
import type { V2Channel } from "./channel.ts";
import { V2Command } from "./wire/commands.ts";
import { V2SessionCore } from "./session_core.ts";
import type { V2CoreOptions, V2LinkEvents } from "./session_options.ts";
import {
  connectFrame,
  grantsFrame,
  readListen,
  readResult,
  type ServiceGrantResult,
  type ServiceOffer,
  type ServiceTarget,
} from "./wire/messages.ts";

/** What the server's side tells its owner. */
export interface V2ServerLinkEvents extends V2LinkEvents {
  /** The device offers services, or withdraws them; answer with {@linkcode V2ServerCore.sendGrants}. */
  onOffers(offers: ServiceOffer[]): void;
  /** A service could not be reached; its channel's receiver hears the reason next. */
  onUnreachable(channel: V2Channel, text: string): void;
}

/** The server's side; see {@linkcode V2SessionCore}. */
export class V2ServerCore extends V2SessionCore {
  readonly #events: V2ServerLinkEvents;
  readonly #maxChannels: number;
  #lastId = 0;

  /** A session whose first link is to be attached. */
  constructor(options: V2CoreOptions, maxChannels: number, events: V2ServerLinkEvents) {
    super(options, events);
    this.#events = events;
    this.#maxChannels = maxChannels;
  }

  /** Opens a channel to a service with a CONNECT. @returns `undefined` when there are as many as can be. */
  open(service: number | ServiceTarget, client: string, hostAddress: string): V2Channel | undefined {
    if (this.channelCount >= this.#maxChannels || this.congested) return undefined;
    const channel = this.addChannel(this.#nextId(), V2_EARLY_CREDIT, 0);
    if (channel.window.reserved === 0) {
      this.forget(channel);
      return undefined;
    }
    channel.unanswered = true;
    this.control(connectFrame(channel.id, { service, client, hostAddress, credit: channel.window.initial }));
    return channel;
  }

  /** Answers for services. */
  sendGrants(results: readonly ServiceGrantResult[]): void {
    this.control(grantsFrame(results));
  }

  protected override handle(command: V2Command, id: number, payload: Uint8Array): void {
    switch (command) {
      case V2Command.LISTEN:
        return this.#events.onOffers(readListen(payload));
      case V2Command.RESULT:
        return this.#onResult(id, payload);
      case V2Command.CLOSE: { // in place of RESULT it is taken
        const channel = super.channelOf(id);
        if (channel) channel.unanswered = false;
        return super.handle(command, id, payload);
      }
      case V2Command.CONNECT:
        throw new ProtocolError("wrong-direction", "Only a server may send CONNECT; is the other side a server too?");
      default:
        return super.handle(command, id, payload);
    }
  }

  /** The channel of a frame that is not its RESULT: that has to have come before. */
  protected override channelOf(id: number): V2Channel | undefined {
    const channel = super.channelOf(id);
    if (channel?.unanswered) {
      throw new ProtocolError("wrong-direction", `Something else came for channel ${id} before its RESULT`);
    }
    return channel;
  }

  #onResult(id: number, payload: Uint8Array): void {
    const { reason, credit, text } = readResult(payload);
    const channel = super.channelOf(id);
    if (!channel) return; // the client has gone meanwhile
    if (!channel.unanswered) throw new ProtocolError("wrong-direction", `a second RESULT for channel ${id}`);
    channel.unanswered = false;
    if (reason === undefined) return channel.credited(credit - V2_EARLY_CREDIT);
    this.#events.onUnreachable(channel, text);
    this.closedByPeer(channel, reason, text);
  }

  /** Numbers go up, and wrap; one comes back after billions of others. */
  #nextId(): number {
    do this.#lastId = this.#lastId >= 0xffff_ffff ? 1 : this.#lastId + 1; while (this.channels.has(this.#lastId));
    return this.#lastId;
  }
}
