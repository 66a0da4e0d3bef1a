/**
 * A listener for devices. On v1 it serves one device at a time, as the profile knows no identity.
 *
 * @module
 */

import { EVICTIONS_AT_ONCE, LINK_BURST } from "../door/limits.ts";
import { FIRST_FRAME_TIMEOUT_MS, LINK_REFUSAL_HOLD_MS, LISTEN_GRACE_MS, TAKE_OVER_PROBE_MS } from "../limits.ts";
import { addressGroup } from "../../protocol/address_group.ts";
import { Listener } from "../../net/listener.ts";
import { UNTUNABLE } from "../../net/tcp_keep_alive.ts";
import { type SocketTransport, tcpTransport } from "../../net/transport.ts";
import { type KeepAliveSettings, V1_KEEP_ALIVE } from "../../protocol/keep_alive.ts";
import type { ServedV1Link, ServedV1Service } from "./link_status.ts";
import { describeForward, ForwardTable } from "./forward_table.ts";
import { admit, type Refusal } from "./admission.ts";
import type { ServerEvent } from "../events.ts";
import { doorRoom } from "../door/door_room.ts";
import { LinkRates } from "../door/link_rate.ts";
import { LinkDoor } from "../door/link_door.ts";
import { type Presence, V1Session } from "./session.ts";
import { Newcomer } from "../door/newcomer.ts";
import type { Forward, ServerSettings, V1ListenOptions } from "../options.ts";
import { PendingConnections } from "../door/pending_connections.ts";
import { Refusals } from "../door/refusals.ts";

const ONE_DEVICE = "; v1 has one device for a listener, so give this one another";

const COME_AGAIN = "another device came just before, and it is being seen whether there is room; come again";

/** Why the device of a live link keeps its place. */
const WHY_IT_STAYS: Readonly<Record<Exclude<Presence, "gone">, string>> = {
  answers: `is linked and answers${ONE_DEVICE}`,
  takes: `is linked and takes what is sent to it${ONE_DEVICE}`,
  held: "is linked, and whether it lives cannot be seen while a slow client holds up its link; come again",
  unaskable: "is linked, and cannot be asked whether it lives while all client ids are in use; come again",
};

/** Accepts devices and keeps the session of the one that is linked. */
export class V1Listener {
  readonly profile: "v1" = "v1";
  /** v1 has no TLS. */
  readonly security: "plain" = "plain";
  readonly #settings: ServerSettings;
  readonly #emit: (event: ServerEvent) => void;
  readonly #listener: Listener;
  readonly #refusals: Refusals;
  readonly #door: LinkDoor;
  readonly #pending: PendingConnections;
  /** v1 knows no device but by its address. */
  readonly #rates: LinkRates;
  readonly #forwards: ForwardTable;
  readonly #sessions = new Set<V1Session>();
  #current: V1Session | undefined;
  #keepAlive: KeepAliveSettings;
  #ownKeepAlive: KeepAliveSettings; // as its options have it
  #claimed = false;
  #closed = false;

  /**
   * Binds and starts to accept.
   *
   * @throws {ListenError} if the address cannot be had.
   */
  constructor(options: V1ListenOptions, settings: ServerSettings, emit: (event: ServerEvent) => void) {
    this.#settings = settings;
    this.#emit = emit;
    this.#keepAlive = this.#ownKeepAlive = options.keepAlive ?? V1_KEEP_ALIVE;
    const { clock, logger, engine } = settings;
    this.#forwards = new ForwardTable(options.forwards, settings);
    const room = doorRoom(settings.listeners);
    const most = () => room.links;
    this.#pending = new PendingConnections(clock, { most, grace: LISTEN_GRACE_MS });
    this.#rates = new LinkRates(clock);
    this.#listener = Listener.open(
      options.address,
      engine,
      clock,
      logger,
      (conn) => this.#door.enter(tcpTransport(conn), (transport) => this.#onLink(transport)),
    );
    this.#listener.onExhausted = () => this.#pending.evict(EVICTIONS_AT_ONCE);
    const { address } = this.#listener;
    this.#refusals = new Refusals(address, logger, emit);
    this.#door = new LinkDoor(options.proxyFrom ?? [], most, clock, this.#refusals);
    logger.info("listening on {address} for a device ({profile})", { address, profile: options.profile });
    if (!engine.isTunable) logger.info("TCP keep-alive of links at {address} {line}", { address, line: UNTUNABLE });
    emit({ type: "listening", address, profile: options.profile, security: "plain" });
  }

  /** The address really bound. */
  get address(): string {
    return this.#listener.address;
  }

  /** The link of its device, if there is one. */
  get link(): ServedV1Link | undefined {
    return this.#current && !this.#current.done ? this.#current.status : undefined;
  }

  /** Its forwards, also while no device is linked. */
  get services(): readonly ServedV1Service[] {
    return this.link?.services ?? this.#forwards.all.map((forward) => describeForward(forward));
  }

  /** The longest silence that it is to accept by its options; it holds unless an act has said otherwise. */
  followKeepAlive(settings: KeepAliveSettings): void {
    const isSet = JSON.stringify(this.#keepAlive) !== JSON.stringify(this.#ownKeepAlive);
    this.#ownKeepAlive = settings;
    if (!isSet) this.setKeepAlive(settings);
  }

  /** Changes the longest silence accepted from its device, now and later. @returns whether one is linked. */
  setKeepAlive(settings: KeepAliveSettings): boolean {
    this.#keepAlive = settings;
    this.#current?.setKeepAlive(settings);
    return this.link !== undefined;
  }

  /** Other forwards are in force: host ports that stay keep their clients; where one has gone, its clients stay. */
  setForwards(forwards: readonly Forward[]): void {
    this.#forwards.set(forwards);
    this.#current?.setForwards(this.#forwards.all);
  }

  /** Other networks are those of load balancers, for who comes from now on. */
  setProxyFrom(networks: readonly string[]): void {
    this.#door.trust(networks);
  }

  /** Bytes that wait to be written to its link. */
  get pending(): number {
    return this.#current?.done === false ? this.#current.links.pending : 0;
  }

  /** Where the device that is linked came from, if one is. */
  get device(): string | undefined {
    return this.#current?.done === false ? this.#current.device : undefined;
  }

  /** Connections that have not said LISTEN, and how many there may be. */
  get door(): { readonly used: number; readonly most: number } {
    return { used: this.#pending.size, most: this.#pending.most };
  }

  /** Resolves when nothing of it is left, after {@linkcode V1Listener.stop} and the end of its sessions. */
  async ended(): Promise<void> {
    await this.#listener.ended;
    await Promise.all([...this.#sessions].map((session) => session.ended()));
  }

  /** Stops to accept, and ends the link in order. */
  async shutdown(): Promise<void> {
    this.#stop();
    await Promise.all([...this.#sessions].map((session) => session.shutdown()));
  }

  /** Stops to accept, and ends everything at once. Idempotent. */
  close(): void {
    this.#stop();
    for (const session of this.#sessions) session.close("shutting-down");
  }

  #stop(): void {
    this.#closed = true;
    this.#listener.close();
    this.#door.close();
    this.#pending.evictAll();
  }

  #onLink(transport: SocketTransport): void {
    const { duplex, remote } = transport;
    const limit = this.#settings.capacity.handshake();
    const newcomer = new Newcomer(remote, () => duplex.close());
    const full = limit ?? this.#pending.add(newcomer);
    if (full !== undefined) {
      duplex.close();
      return this.#refusals.tell(remote, limit === undefined ? "no-room" : "server-limit", full);
    }
    this.#admit(transport, newcomer).then((refused) => {
      this.#pending.remove(newcomer);
      if (refused === undefined) return;
      duplex.close();
      if (this.#closed) return;
      if (refused.reason === "mute") this.#refusals.tellMute(remote);
      else this.#refusals.tell(remote, refused.reason, refused.why);
    });
  }

  /** @returns why it has to go, if it has to. */
  async #admit(transport: SocketTransport, newcomer: Newcomer): Promise<Refusal | undefined> {
    const { clock } = this.#settings;
    const admission = await admit(transport, clock, FIRST_FRAME_TIMEOUT_MS);
    if (newcomer.evicted) return { reason: "no-room", why: "it had not said LISTEN, and made room for others" };
    if ("refused" in admission) return admission.refused;
    const { site } = addressGroup(newcomer.host);
    if (this.#rates.take(site) > 0) {
      await newcomer.hold(clock, LINK_REFUSAL_HOLD_MS);
      const why = `more than ${LINK_BURST} links in a row came from ${site}; from there one a second is taken`;
      return { reason: "too-busy", why };
    }
    this.#pending.remove(newcomer); // of those who said LISTEN one at a time is seen to
    return await this.#claim(transport, admission.opening);
  }

  /**
   * Gives the place to a newcomer, unless a live link keeps it; a dead one that had not been noticed is closed. One at a
   * time: others are refused meanwhile, and come back.
   *
   * @returns why the newcomer has to go, if it has to.
   */
  async #claim(transport: SocketTransport, opening: Uint8Array): Promise<Refusal | undefined> {
    if (this.#claimed) return { reason: "in-use", why: COME_AGAIN };
    this.#claimed = true;
    try {
      const current = this.#current;
      if (current) {
        const presence = current.done ? "gone" : await current.probe(TAKE_OVER_PROBE_MS);
        if (presence !== "gone") {
          return { reason: "in-use", why: `device ${current.device} ${WHY_IT_STAYS[presence]}` };
        }
        current.close("replaced", "it did not answer when its device came back");
        await current.down;
      }
      const full = this.#closed ? undefined : this.#settings.capacity.link();
      if (full !== undefined) return { reason: "server-limit", why: full };
      if (this.#closed) transport.duplex.close();
      else this.#start(transport, opening);
      return undefined;
    } finally {
      this.#claimed = false;
    }
  }

  #start(transport: SocketTransport, opening: Uint8Array): void {
    const session = new V1Session({
      transport,
      listenAddress: this.address,
      settings: this.#settings,
      keepAlive: this.#keepAlive,
      keptPorts: this.#forwards.kept,
      forwards: this.#forwards.all,
      emit: this.#emit,
    }, opening);
    this.#current = session;
    this.#sessions.add(session);
    session.ended().then(() => this.#sessions.delete(session));
  }
}
