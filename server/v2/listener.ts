/**
 * A listener for v2 devices: TLS, the handshake, and the door to the registry.
 *
 * @module
 */

import { HANDSHAKE_TIMEOUT_MS } from "../../net/limits.ts";
import { FAREWELL_MS } from "../../relay/limits.ts";
import { EVICTIONS_AT_ONCE } from "../door/limits.ts";
import { HANDSHAKE_GRACE_MS, LINK_REFUSAL_HOLD_MS } from "../limits.ts";
import { addressGroup } from "../../protocol/address_group.ts";
import { ProtocolError } from "../../protocol/errors.ts";
import type { RefusalReason } from "../../protocol/reasons.ts";
import { type Goodbye, goodbye, goodbyeFrame } from "../../protocol/v2/wire/goodbye.ts";
import {
  ADAPTS,
  CAN_DATAGRAMS,
  CAN_NAME_ADDRESSES,
  CAN_RESUME,
  HandshakeError,
  HAS_EPOCHS,
  IncompatibleHello,
  IS_MOVING,
} from "../../protocol/v2/wire/handshake.ts";
import { describeError } from "../../base/errors.ts";
import { Late, within } from "../../base/within.ts";
import { greetDevice, HandshakeCut, randomBytes, writeAll } from "../../relay/handshake.ts";
import { Listener } from "../../net/listener.ts";
import { SOFTWARE } from "../../base/version.ts";
import { handshakeTls, ServerCertificate, TlsHandshakeError } from "../../net/tls/listening.ts";
import type { Socket, TlsEntrance, TlsSocket } from "../../net/socket.ts";
import { type SocketTransport, tcpTransport, tlsTransport, type Transport } from "../../net/transport.ts";
import type { DeviceRegistry } from "./device_registry.ts";
import type { ServerEvent } from "../events.ts";
import { doorRoom } from "../door/door_room.ts";
import { HandshakeQueue } from "../door/handshake_queue.ts";
import { Newcomer } from "../door/newcomer.ts";
import type { ServerSettings, V2ListenOptions } from "../options.ts";
import { LinkDoor } from "../door/link_door.ts";
import { PendingConnections } from "../door/pending_connections.ts";
import { claimOf, Refusals } from "../door/refusals.ts";
import { ServerFull, TooManyLinks } from "../door/unwelcome.ts";

/** Accepts v2 devices. */
export class V2Listener {
  readonly profile: "v2" = "v2";
  /** What it was asked for. */
  readonly options: V2ListenOptions;

  readonly #settings: ServerSettings;
  readonly #registry: DeviceRegistry;
  readonly #pending: PendingConnections;
  readonly #queue: HandshakeQueue;
  readonly #entrance: TlsEntrance | undefined;
  readonly #refusals: Refusals;
  readonly #door: LinkDoor;
  readonly #certificate: ServerCertificate | undefined;
  readonly #listener: Listener<Socket> | Listener<TlsSocket>;
  #closed = false;

  /** Connections in their handshake, and how many there may be. */
  get door(): { readonly used: number; readonly most: number } {
    return { used: this.#pending.size, most: this.#pending.most };
  }

  private constructor(
    options: V2ListenOptions,
    settings: ServerSettings,
    registry: DeviceRegistry,
    emit: (event: ServerEvent) => void,
    certificate: ServerCertificate | undefined,
  ) {
    this.options = options;
    this.#settings = settings;
    this.#registry = registry;
    this.#certificate = certificate;
    const { engine, clock, logger } = settings;
    const { tls } = engine;
    const { proxyFrom } = options;
    const listenTls = proxyFrom?.length ? undefined : tls.listen; // what comes ahead of TLS has to be read
    const enters = certificate && !listenTls;
    const room = doorRoom(settings.listeners, enters ? tls.descriptorsPerEntrance : 1);
    const most = () => room.handshakes;
    this.#pending = new PendingConnections(clock, { most, grace: HANDSHAKE_GRACE_MS });
    this.#queue = new HandshakeQueue(clock, room);
    const enter = (transport: Transport, secured?: TlsSocket) => this.#onConn(transport, secured);
    this.#entrance = enters ? tls.entrance(certificate, clock, logger, enter) : undefined;
    const { address: at } = options;
    try {
      this.#listener = certificate && listenTls
        ? Listener.openTls(at, certificate, listenTls, clock, logger, (socket) => enter(tlsTransport(socket), socket))
        : Listener.open(at, certificate ? tls.sockets : engine, clock, logger, (socket) => {
          this.#door.enter(tcpTransport(socket), this.#behindDoor);
        });
    } catch (error) {
      this.#entrance?.close();
      throw error;
    }
    this.#listener.onExhausted = () => {
      this.#queue.evict(EVICTIONS_AT_ONCE, "descriptors ran out, and it made room for others");
      this.#pending.evict(EVICTIONS_AT_ONCE);
    };
    const { address, security } = this;
    this.#refusals = new Refusals(address, logger, emit);
    this.#door = new LinkDoor(proxyFrom ?? [], most, clock, this.#refusals);
    logger.info("listening on {address} for devices (v2, {security})", { address, security });
    emit({ type: "listening", address, profile: "v2", security });
  }

  /** Binds and starts to accept. It closes the certificate in the end. @throws {ListenError} if the address cannot be had. */
  static bind(
    options: V2ListenOptions,
    settings: ServerSettings,
    registry: DeviceRegistry,
    emit: (event: ServerEvent) => void,
    certificate: ServerCertificate | undefined,
  ): V2Listener {
    try {
      return new V2Listener(options, settings, registry, emit, certificate);
    } catch (error) {
      certificate?.close();
      throw error;
    }
  }

  /** The address really bound. */
  get address(): string {
    return this.#listener.address;
  }

  /** How the server proves itself, or `plain`. */
  get security(): "plain" | "pinned" | "pki" {
    const { kind } = this.options.security;
    return kind === "files" ? "pki" : kind;
  }

  /** When its certificate ends, in milliseconds since 1970, if it is of a CA. */
  get certificateEnds(): number | undefined {
    return this.security === "pki" ? this.#certificate?.ends : undefined;
  }

  /** Resolves when its address is free, after {@linkcode V2Listener.close}. */
  get released(): Promise<void> {
    return this.#listener.ended;
  }

  /** Resolves when nothing of it is left. */
  async ended(): Promise<void> {
    await this.#listener.ended;
    await this.#entrance?.ended();
  }

  /** Stops to accept; the links are the registry's. */
  shutdown(): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  /** Stops to accept. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#listener.close();
    this.#door.close();
    this.#entrance?.close();
    this.#certificate?.close();
    this.#queue.close("the server is shutting down");
    this.#pending.evictAll();
  }

  /** A connection of which it is known for whom it comes. */
  readonly #behindDoor = (transport: SocketTransport): void => {
    if (this.#entrance) this.#entrance.enter(transport);
    else this.#onConn(transport);
  };

  #onConn(transport: Transport, tls?: TlsSocket): void {
    const { remote } = transport;
    const full = this.#settings.capacity.handshake();
    if (full !== undefined) {
      transport.cut(); // a word would take the handshake that there is no room for
      return this.#refusals.tell(remote, "server-limit", full);
    }
    const newcomer = new Newcomer(remote, () => transport.cut());
    const giveUp = (why: string) => {
      transport.cut();
      if (!this.#closed) this.#refusals.tell(remote, "no-room", why);
    };
    this.#queue.enter({
      site: addressGroup(newcomer.host).site,
      giveUp,
      begin: () => {
        const full = this.#pending.add(newcomer);
        if (full === undefined) {
          return this.#admit(transport, tls, newcomer).finally(() => this.#pending.remove(newcomer));
        }
        giveUp(full);
        return Promise.resolve(false);
      },
    });
  }

  /** @returns whether the device is in. */
  async #admit(
    transport: Transport,
    tls: TlsSocket | undefined,
    newcomer: Newcomer,
  ): Promise<boolean> {
    const { clock, v2 } = this.#settings;
    const { duplex, remote } = transport;
    let claimed: Uint8Array | undefined;
    let proved = false;
    const greet = async (): Promise<void> => {
      const order = this.#registry.nextOrder();
      if (tls) await handshakeTls(tls, clock, HANDSHAKE_TIMEOUT_MS);
      if (tls) this.#pending.progressed(newcomer);
      const greeting = await greetDevice(duplex, new Uint8Array(0), {
        signer: v2!.identity,
        nonce: randomBytes(32),
        wallClock: clock.wall(),
        software: SOFTWARE,
        capabilities: CAN_RESUME | IS_MOVING | HAS_EPOCHS | CAN_NAME_ADDRESSES | ADAPTS | CAN_DATAGRAMS,
        exporter: transport.exporter?.(),
      }, (key) => {
        claimed = key;
        this.#pending.progressed(newcomer);
      });
      proved = true;
      this.#pending.progressed(newcomer);
      if (this.#closed) throw new HandshakeError(goodbye("shutting-down", "the server is shutting down"));
      await this.#registry.admit(transport, greeting, order, () => this.#pending.remove(newcomer));
      this.#pending.proved(newcomer);
    };
    try {
      await within(clock, HANDSHAKE_TIMEOUT_MS, () => transport.cut(), greet);
      return true;
    } catch (error) {
      const late = error instanceof Late;
      // One that does not heed its refusals costs a handshake each time: it does not get them faster than this.
      if (error instanceof TooManyLinks) await newcomer.hold(clock, LINK_REFUSAL_HOLD_MS);
      const word = late || newcomer.evicted ? undefined : goodbyeFor(error);
      if (word) {
        const say = () => writeAll(duplex, goodbyeFrame(word));
        await within(clock, FAREWELL_MS, () => transport.cut(), say).catch(() => {});
      }
      if (word) duplex.close();
      else transport.cut();
      if (this.#closed) return false;
      const why = late
        ? `no handshake within ${HANDSHAKE_TIMEOUT_MS / 1000} s`
        : newcomer.evicted
        ? "it was not done with its handshake, and made room for others"
        : error instanceof HandshakeError && error.byPeer
        ? `it said goodbye: ${error.goodbye.code}` // and no words of a stranger's own
        : describeError(error);
      if (error instanceof IncompatibleHello) {
        claimed = error.deviceKey;
        this.#registry.incompatible.came(error, transport);
      }
      if (!late && !newcomer.evicted && isMute(error, tls !== undefined)) this.#refusals.tellMute(remote);
      else if (error instanceof TlsHandshakeError && error.refusesKey) {
        this.#refusals.tellOtherKey(remote, this.security === "pki");
      } else {
        const reason = late ? "too-late" : newcomer.evicted ? "no-room" : reasonOf(error, word);
        const said = word ? `${word.code}: ${why}` : why;
        const isOrderly = error instanceof HandshakeError && error.byPeer && error.goodbye.code === "shutting-down";
        this.#refusals.tell(remote, reason, said, claimOf(claimed, proved, v2!.devices), isOrderly);
      }
      return false;
    }
  }
}

/** What a listener is to prove itself with. @throws {CertificateError} if it cannot be used. */
export async function certificateOf(
  { security }: V2ListenOptions,
  { engine, clock, logger }: ServerSettings,
): Promise<ServerCertificate | undefined> {
  return security.kind === "plain" ? undefined : await ServerCertificate.open(security, engine.tls, clock, logger);
}

/** Whether somebody ended without having sent a byte; in TLS it has sent some. */
function isMute(error: unknown, tls: boolean): boolean {
  return tls ? error instanceof TlsHandshakeError && error.isMute : error instanceof HandshakeCut && error.bytes === 0;
}

/** In one word, as the log and the audit have it. */
function reasonOf(error: unknown, word: Goodbye | undefined): RefusalReason {
  return error instanceof ServerFull ? "server-limit" : word?.code ?? failureOf(error);
}

/** What somebody failed with who is told nothing. */
function failureOf(error: unknown): RefusalReason {
  if (error instanceof HandshakeError) return "said-goodbye";
  if (error instanceof HandshakeCut) return "cut";
  if (error instanceof TlsHandshakeError) return "tls-failed";
  return error instanceof ProtocolError ? "stranger" : "connection-lost";
}

/** What to say to whoever caused `error`; who does not begin as a device does learns nothing. */
function goodbyeFor(error: unknown): Goodbye | undefined {
  if (error instanceof HandshakeError) return error.byPeer ? undefined : error.goodbye;
  if (error instanceof ProtocolError && error.code === "listen-expected") return undefined;
  return error instanceof ProtocolError ? goodbye("protocol-error", error.message) : undefined;
}
