/**
 * A listener for devices. On v1 it serves one device at a time, as the profile knows no identity.
 *
 * @module
 */

import { v1Codec } from "../protocol/v1_codec.ts";
import { FIRST_FRAME_TIMEOUT_MS, MAX_PENDING_LINKS } from "../net/limits.ts";
import { Listener } from "../net/listener.ts";
import { closeQuietly, tcpTransport, type Transport } from "../net/transport.ts";
import { admit } from "./admission.ts";
import type { ServerEvent } from "./events.ts";
import { LinkSession } from "./link_session.ts";
import type { Forward, ServerSettings, V1ListenOptions } from "./options.ts";

/** Time that the device of a live link has to answer when another one wants its place, in milliseconds. */
export const TAKE_OVER_PROBE_MS = 3_000;

/** Accepts devices and keeps the session of the one that is linked. */
export class LinkListener {
  /** The wire profile. */
  readonly profile: "v1" = "v1";
  /** v1 has no TLS. */
  readonly security: "plain" = "plain";
  /** What it was asked for. */
  readonly options: V1ListenOptions;

  readonly #settings: ServerSettings;
  readonly #emit: (event: ServerEvent) => void;
  readonly #listener: Listener;
  readonly #keptPorts = new Map<Forward, number>();
  readonly #pending = new Set<Transport>();
  readonly #sessions = new Set<LinkSession>();
  #current: LinkSession | undefined;
  #claimed = false;
  #closed = false;

  /**
   * Binds and starts to accept.
   *
   * @throws {ListenError} if the address cannot be had.
   */
  constructor(options: V1ListenOptions, settings: ServerSettings, emit: (event: ServerEvent) => void) {
    this.options = options;
    this.#settings = settings;
    this.#emit = emit;
    const { clock, logger } = settings;
    this.#listener = Listener.open(options.address, clock, logger, (conn) => this.#onConn(conn));
    const { address } = this.#listener;
    logger.info("listening on {address} for a device ({profile})", { address, profile: options.profile });
    emit({ type: "listening", address, profile: options.profile, security: "plain" });
  }

  /** The address really bound. */
  get address(): string {
    return this.#listener.address;
  }

  /** Resolves when nothing of it is left, after {@linkcode LinkListener.stop} and the end of its sessions. */
  async ended(): Promise<void> {
    await this.#listener.ended;
    await Promise.all([...this.#sessions].map((session) => session.ended));
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
    for (const transport of this.#pending) closeQuietly(transport.duplex);
  }

  #onConn(conn: Deno.TcpConn): void {
    const transport = tcpTransport(conn);
    if (this.#pending.size >= MAX_PENDING_LINKS) {
      closeQuietly(conn);
      return this.#refused(transport, `${MAX_PENDING_LINKS} others are waiting at the door`);
    }
    this.#pending.add(transport);
    this.#admit(transport).finally(() => this.#pending.delete(transport));
  }

  async #admit(transport: Transport): Promise<void> {
    const admission = await admit(transport, this.#settings.clock, FIRST_FRAME_TIMEOUT_MS);
    if (this.#closed) return closeQuietly(transport.duplex);
    if ("refused" in admission) return this.#refused(transport, admission.refused);
    if (this.#claimed || !(await this.#claim(transport, admission.opening))) {
      closeQuietly(transport.duplex);
      this.#refused(
        transport,
        `device ${this.#current?.device} is linked and answers; v1 has one device for a listener, so give this one another`,
      );
    }
  }

  /**
   * Gives the place to a newcomer, unless a live link keeps it; a dead one that had not been noticed is closed. One at a
   * time: others are refused meanwhile, and come back.
   *
   * @returns false if the newcomer has to go.
   */
  async #claim(transport: Transport, opening: Uint8Array): Promise<boolean> {
    this.#claimed = true;
    try {
      const current = this.#current;
      if (current) {
        if (!current.done && await current.probe(TAKE_OVER_PROBE_MS)) return false;
        current.close("replaced", "it did not answer when its device came back");
        await current.down;
      }
      if (this.#closed) closeQuietly(transport.duplex);
      else this.#start(transport, opening);
      return true;
    } finally {
      this.#claimed = false;
    }
  }

  #start(transport: Transport, opening: Uint8Array): void {
    const session = new LinkSession({
      transport,
      codec: v1Codec,
      listen: this.options,
      listenAddress: this.address,
      settings: this.#settings,
      keptPorts: this.#keptPorts,
      emit: this.#emit,
    }, opening);
    this.#current = session;
    this.#sessions.add(session);
    session.ended.then(() => this.#sessions.delete(session));
  }

  #refused(transport: Transport, why: string): void {
    const { remote } = transport;
    this.#settings.logger.warn("refused {remote} on {listen}: {why}", { remote, listen: this.address, why });
    this.#emit({ type: "refused", listen: this.address, remote, why });
  }
}
