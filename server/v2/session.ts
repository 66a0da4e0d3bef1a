/**
 * A v2 session with a device, on the server: its clients, over one link after the other.
 *
 * @module
 */

import { LINK_WINDOW_BOUND } from "../../net/limits.ts";
import { V2_MAX_CHANNELS } from "../../protocol/v2/limits.ts";
import { type Goodbye, goodbye } from "../../protocol/v2/wire/goodbye.ts";
import type { KeepAlivePlan } from "../../protocol/keep_alive.ts";
import { WindowBudget } from "../../protocol/v2/receive_windows.ts";
import type { SharedBound } from "../../protocol/v2/send/shared_bound.ts";
import { SendLog } from "../../protocol/v2/send/send_log.ts";
import type { V2Channel } from "../../protocol/v2/channel.ts";
import type {
  DeviceMode,
  ServiceGrantResult,
  ServiceOffer,
  ServiceTarget,
  Settings,
} from "../../protocol/v2/wire/messages.ts";
import { V2ServerCore } from "../../protocol/v2/server_core.ts";
import { type ChannelSummary, nothingCarried } from "../../relay/channel_end.ts";
import type { ChannelPump } from "../../relay/channel_pump.ts";
import { Session } from "../../relay/session.ts";
import { SessionLinks } from "../../relay/session_links.ts";
import type { SessionLinksOptions } from "../../relay/session_links_options.ts";
import type { Connection } from "../../net/socket.ts";
import type { Transport } from "../../net/transport.ts";
import type { ServerSettings } from "../options.ts";

/** A client that has come to a host port. */
export interface Client {
  /** Its connection, or what stands for it behind a header that was read. */
  readonly duplex: Connection;
  /** Its address, as text. */
  readonly address: string;
  /** The host address that it came to, as text. */
  readonly hostAddress: string;
  /** The service, by the number that the device gave it, or what the server names. */
  readonly service: number | ServiceTarget;
  /** Called once, when it is over. `error`: what the device said. */
  onEnd(summary: ChannelSummary, error: string | undefined): void;
}

/** A session that is about to go on. */
export interface Resumption {
  readonly link: V2Session;
  /** Position up to which the device has received. */
  readonly received: number;
  /** Position up to which the server has. */
  readonly position: number;
  /** Whether it moves from a link that was still up on both sides. */
  readonly moved: boolean;
  /** When it was interrupted, on the server's clock. */
  readonly since: number;
  /** See {@linkcode V2Session.resume}. */
  readonly fences: number;
}

export interface V2SessionOptions
  extends Pick<SessionLinksOptions, "keepAlive" | "expiration" | "onBytes" | "onInterrupted" | "onFruitless"> {
  /** 16 bytes that name it. */
  readonly id: Uint8Array;
  /** Whether both sides adapt their keep-alive. */
  readonly adapts: boolean;
  /** The keep-alive that the device is to have, if this side has a say in that; then its own wishes do not count here. */
  wanted(): KeepAlivePlan | undefined;
  /** What all sessions of the process may keep. */
  readonly logBudget: SharedBound;
  readonly settings: ServerSettings;
  /** What the process may grant. */
  readonly budget: WindowBudget;
  /** The device's services came, or changed. @returns what to answer. */
  onOffers(offers: ServiceOffer[]): ServiceGrantResult[];
  /** The device said what is in force, or what it wants. */
  onSettings(settings: Settings): void;
}

const FAREWELL = goodbye("shutting-down", "the server is shutting down");

/** The life of one session. */
export class V2Session extends Session<SessionLinks> {
  /** 16 bytes that name it. */
  readonly id: Uint8Array;
  /** What is said on its links. */
  readonly state: V2ServerCore;

  readonly #options: V2SessionOptions;
  #isAsked = false; // whether the device wants a keep-alive of its own
  readonly #errors = new Map<V2Channel, string>();
  #asked: DeviceMode | undefined;

  /** A session whose first link is to be attached. */
  constructor(options: V2SessionOptions) {
    const { clock, linkWriteTimeout } = options.settings;
    const state = new V2ServerCore(
      {
        time: clock,
        budget: new WindowBudget(LINK_WINDOW_BOUND, options.budget),
        log: options.expiration > 0 ? new SendLog(options.logBudget) : undefined,
        adapts: options.adapts,
      },
      V2_MAX_CHANNELS,
      {
        onOffers: (offers) => this.sendGrants(options.onOffers(offers)),
        onUnreachable: (channel, text) => void this.#errors.set(channel, text),
        onGoodbye: ({ code, text }) => this.links.close("goodbye", text ? `${code}: ${text}` : code),
        onSettings: (settings) => this.#onSettings(settings),
      },
    );
    const links = new SessionLinks({
      ...options,
      session: state,
      clock,
      writeTimeout: linkWriteTimeout,
      leavesProbes: true,
    });
    super(links, "client", options.settings);
    this.id = options.id;
    this.state = state;
    this.#options = options;
  }

  /** Takes the first connection, whose handshake is done; `rest` is what was read beyond it. */
  start(transport: Transport, rest: Uint8Array): void {
    this.links.attach(transport, rest);
    const wanted = this.#options.wanted();
    this.links.introduce(wanted && this.links.wanted(wanted));
  }

  /** Whether it can go on with a device that has received all before `position`. */
  canReplayFrom(position: number): boolean {
    return !this.done && this.state.canReplayFrom(position);
  }

  /** See {@linkcode SessionLinks.fence}. */
  fence(): { readonly position: number; readonly fences: number } {
    return { position: this.links.fence(), fences: this.links.fences };
  }

  /**
   * Goes on over another connection, with a device that has received all before `position`.
   *
   * @returns the bytes that were sent again; `undefined` if it cannot, as it is over or another was quicker.
   */
  resume(transport: Transport, rest: Uint8Array, position: number, fences: number): number | undefined {
    if (fences !== this.links.fences || !this.canReplayFrom(position)) return undefined;
    return this.links.attach(transport, rest, position);
  }

  /** Answers for services. */
  sendGrants(results: readonly ServiceGrantResult[]): void {
    if (results.length > 0) this.state.sendGrants(results);
  }

  /** Serves a client, or ends it at once. */
  serve(client: Client): ChannelPump | undefined {
    this.pumps.makeRoom(this.state.channelCount);
    const channel = this.done ? undefined : this.state.open(client.service, client.address, client.hostAddress);
    if (!channel) {
      client.duplex.reset();
      const reason = this.done ? "link-lost" : "too-many-channels";
      client.onEnd(nothingCarried(reason), undefined);
      return undefined;
    }
    this.links.rouse(); // after CONNECT, by which the device knows
    const { service } = client;
    if (client.duplex.datagrams) channel.carryDatagrams();
    const pump = this.pumps.add(channel, typeof service === "number" ? service : service.name);
    pump.attach(client.duplex);
    pump.done.then((summary) => {
      client.onEnd(summary, this.#errors.get(channel));
      this.#errors.delete(channel);
    });
    return pump;
  }

  /** Ends at once, as the server is shutting down. Idempotent. */
  override close(reason: "shutting-down"): void {
    super.close(reason, FAREWELL.text);
  }

  /**
   * Ends at once: nothing that the device sends is applied any more. It is told why, and its socket is closed when it has
   * heard it, or a moment later. Idempotent.
   */
  dismiss(reason: "replaced" | "revoked", word: Goodbye): void {
    if (!this.done) this.state.sendGoodbye(word);
    this.links.dismiss(reason, word.text || undefined);
    if (reason === "revoked") this.pumps.abortInTurn("link-lost"); // any other's clients get what came for them
  }

  /** The server's own keep-alive is another: it holds unless the device has asked for its own. */
  followKeepAlive(plan: KeepAlivePlan): void {
    if (!this.#isAsked) this.links.setKeepAlive(plan);
  }

  protected override sayFarewell(): void {
    this.state.sendGoodbye(FAREWELL);
  }

  /** The mode that this side asked the device for, until the device says one. */
  get asked(): DeviceMode | undefined {
    return this.#asked;
  }

  /** Asks the device for a mode. */
  askMode(mode: Exclude<DeviceMode, "init">): void {
    this.#asked = mode;
    this.links.say({ wantedMode: mode });
  }

  #onSettings(settings: Settings): void {
    if (settings.mode) this.#asked = undefined;
    this.links.hear(settings);
    const { wantedKeepAlive: waiting, wantedIdleKeepAlive: idle = waiting } = settings;
    if (waiting && idle) {
      if (this.#options.wanted()) this.links.introduce(); // the answer is what holds
      else {
        this.#isAsked = true;
        this.links.setKeepAlive({ waiting, idle });
      }
    }
    this.#options.onSettings(settings);
  }
}
