/**
 * Links of profile v2: dial, TLS, handshake; and what lives on from link to link.
 *
 * @module
 */

import {
  DIAL_TIMEOUT_MS,
  RESUME_DIAL_TIMEOUT_MS,
  SMALL_SEGMENT,
  SMALL_SEGMENT_MS,
  SMALLEST_SEGMENT,
} from "../limits.ts";
import { FRUITLESS_LINKS, HANDSHAKE_TIMEOUT_MS } from "../../net/limits.ts";
import { V2_MAX_SERVICES } from "../../protocol/v2/limits.ts";
import { type Address, formatAddress } from "../../protocol/address.ts";
import type { GoodbyeCode } from "../../protocol/v2/wire/goodbye.ts";
import { type Endpoint, type KeepAliveSettings, normalKeepAlive } from "../../protocol/keep_alive.ts";
import type { DeviceMode, ServiceGrantResult, Settings } from "../../protocol/v2/wire/messages.ts";
import type { ServerTarget } from "../../net/dial/server.ts";
import type { ServerSecurity } from "../../net/tls/proof.ts";
import { HandshakeCut } from "../../relay/handshake.ts";
import type { Transport } from "../../net/transport.ts";
import { CAN_RESUME, HandshakeError, IS_MOVING } from "../../protocol/v2/wire/handshake.ts";
import { SOFTWARE } from "../../base/version.ts";
import { Late, within } from "../../base/within.ts";
import type { DeviceEvent } from "../events.ts";
import type { LinkFacts, LinkMaker, MadeLink } from "../reconnect/link_maker.ts";
import type { DeviceSettings, V2DeviceOptions } from "../options.ts";
import { network, type Outside } from "./outside.ts";
import { ServiceBoard } from "./service_board.ts";
import { V2Session } from "./session.ts";

/** Goodbyes in place of a link that say nothing of the session that waits for it. */
const PASSING: ReadonlySet<GoodbyeCode> = new Set(["too-busy", "duplicate", "replaced"]);

/** See {@linkcode LinkMaker}. */
export class V2LinkMaker implements LinkMaker {
  readonly #options: V2DeviceOptions;
  readonly #settings: DeviceSettings;
  readonly #emit: (event: DeviceEvent) => void;
  readonly #servers: readonly Address[];
  readonly #board: ServiceBoard;
  readonly #outside: Outside;
  readonly #instance: Uint8Array;
  #turn = 0;
  #small = SMALL_SEGMENT;
  #smallUntil = -Infinity;
  #session: V2Session | undefined;
  #keepAlive: KeepAliveSettings;
  #serverKeepAlive: KeepAliveSettings | undefined;
  /** What this side wants of the server; it holds there for one session, and each new one hears it again. */
  #wantedKeepAlive: KeepAliveSettings | undefined;

  /** Links with these settings. */
  constructor(
    options: V2DeviceOptions,
    settings: DeviceSettings,
    emit: (event: DeviceEvent) => void,
    outside: Outside = network(settings.engine),
  ) {
    this.#outside = outside;
    this.#instance = outside.randomBytes(16);
    this.#options = options;
    this.#settings = settings;
    this.#emit = emit;
    this.#servers = "host" in options.server ? [options.server] : options.server;
    if (this.#servers.length === 0) throw new RangeError("Cannot dial: no server is given");
    if (options.services.length > V2_MAX_SERVICES) {
      throw new RangeError(`Cannot offer ${options.services.length} services: ${V2_MAX_SERVICES} are the most`);
    }
    const names = options.services.map(({ name }) => name);
    const twice = names.find((name, at) => names.indexOf(name) !== at);
    if (twice !== undefined) throw new RangeError(`Cannot offer the service ${twice} twice`);
    this.#demandProvable();
    this.#keepAlive = settings.keepAlive;
    const { engine, clock, logger } = settings;
    this.#board = new ServiceBoard(options.services, options.mode ?? "run", engine, clock, {
      onOffers: (offers) => this.#session?.offer(offers),
      onMode: (mode) => {
        logger.info("mode {mode}", { mode });
        emit({ type: "mode", mode });
        this.#session?.links.say({ mode });
      },
      onService: ({ name, localAddress }, up) => {
        const facts = { service: name, localAddress: formatAddress(localAddress) };
        if (up) logger.info("service {service} is up again at {localAddress}", facts);
        else {
          logger.warn("service {service} is down at {localAddress}: its host port is closed until it is up", facts);
          emit({ type: "service", service: name, hostAddress: undefined, error: "service-down" });
        }
      },
    });
  }

  get server(): Address {
    return this.#servers[this.#turn % this.#servers.length]!;
  }

  get facts(): LinkFacts {
    return {
      mode: this.#board.mode,
      services: this.#board.status,
      keepAlive: this.#keepAlive,
      serverKeepAlive: this.#session && this.#serverKeepAlive,
      clockOffset: this.#session?.state.clockOffset,
      roundTrip: this.#session?.state.roundTrip,
    };
  }

  start(): void {
    this.#board.start();
  }

  async make(signal: AbortSignal, onConnected: () => void): Promise<MadeLink> {
    try {
      return await this.#make(signal, onConnected);
    } catch (error) {
      this.#turn++;
      throw error;
    }
  }

  lost(): void {
    if (this.#session?.resumable) return;
    this.#session = undefined;
    this.#board.forgetResults();
  }

  setKeepAlive(settings: KeepAliveSettings, endpoint: Endpoint): void {
    const keepAlive = normalKeepAlive(settings);
    if (endpoint !== "server") this.#keepAlive = keepAlive;
    if (endpoint !== "device") this.#wantedKeepAlive = keepAlive;
    this.#session?.links.say({
      ...(endpoint !== "server" && { keepAlive }),
      ...(endpoint !== "device" && { wantedKeepAlive: keepAlive }),
    });
  }

  setMode(mode: Exclude<DeviceMode, "init">): void {
    this.#board.mode = mode;
  }

  close(): void {
    this.#board.close();
  }

  async #make(signal: AbortSignal, onConnected: () => void): Promise<MadeLink> {
    const { clock } = this.#settings;
    const transport = await this.#dial(signal);
    onConnected();
    const giveUp = () => transport.duplex.close();
    signal.addEventListener("abort", giveUp);
    try {
      return await within(clock, HANDSHAKE_TIMEOUT_MS, giveUp, () => this.#greet(transport, signal));
    } catch (error) {
      giveUp();
      this.#session?.links.letGo();
      if (error instanceof HandshakeError && error.byPeer && !PASSING.has(error.goodbye.code)) {
        this.#session?.close("goodbye", `${error.goodbye.code}: ${error.message}`);
      }
      if (signal.aborted) throw signal.reason;
      if (error instanceof Late) {
        throw new Error(`the server did not finish the handshake within ${HANDSHAKE_TIMEOUT_MS / 1000} s`);
      }
      if (error instanceof HandshakeCut) {
        throw new Error(`the server hung up during the handshake; ${error.speaksTls ? SPEAKS_TLS : SPEAKS_OTHERWISE}`);
      }
      throw error;
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  async #greet(transport: Transport, signal: AbortSignal): Promise<MadeLink> {
    const { clock } = this.#settings;
    const { identity, serverKey, enrolment } = this.#options;
    const before = { interruptedAt: 0, moved: false };
    const isUp = this.#session?.resumable === true && this.#session.interruptedAt === undefined;
    const greeting = await this.#outside.greet(transport.duplex, {
      signer: identity,
      serverKey,
      nonce: this.#outside.randomBytes(32),
      instance: this.#instance,
      wallClock: clock.wall(),
      software: SOFTWARE,
      enrolment,
      capabilities: (this.#settings.expiration > 0 ? CAN_RESUME : 0) | (isUp ? IS_MOVING : 0),
      resume: () => {
        before.moved = isUp && this.#session?.interruptedAt === undefined;
        before.interruptedAt = this.#session?.interruptedAt ?? clock.now();
        return this.#session?.resumable ? this.#session.offerResume() : undefined;
      },
    });
    signal.throwIfAborted();
    const { welcome, rest } = greeting;
    const made = { local: transport.local, remote: transport.remote, device: welcome.name };
    if (typeof welcome.resumed === "number") {
      if (!this.#session?.resumable) throw new Error("the session ended while it was being resumed");
      const replayed = this.#session.resume(transport, rest, welcome.resumed);
      const interrupted = Math.round(clock.now() - before.interruptedAt);
      const moved = before.moved && { moved: true };
      return { ...made, link: this.#session, resumed: { interrupted, replayed, ...moved } };
    }
    this.#session?.close("not-resumed");
    this.#board.forgetResults();
    const link = new V2Session({
      id: welcome.session,
      expiration: Math.min(this.#settings.expiration, welcome.expiration ?? 0),
      settings: this.#settings,
      board: this.#board,
      outside: this.#outside,
      keepAlive: this.#keepAlive,
      onGrants: (results) => this.#onGrants(results),
      onSettings: (said) => this.#onSettings(said),
      emit: this.#emit,
    });
    this.#session = link;
    link.start(transport, rest);
    if (this.#wantedKeepAlive) link.links.say({ wantedKeepAlive: this.#wantedKeepAlive });
    return { ...made, link };
  }

  /** The address whose turn it is; while a session waits, all of them, and the first that answers. */
  async #dial(signal: AbortSignal): Promise<Transport> {
    const { clock } = this.#settings;
    const waits = this.#session?.resumable === true;
    const servers = waits
      ? this.#servers.map((_, at) => this.#servers[(this.#turn + at) % this.#servers.length]!)
      : [this.server];
    const targets = servers.map((server) => this.#target(server));
    const timeout = waits ? RESUME_DIAL_TIMEOUT_MS : DIAL_TIMEOUT_MS;
    const { transport, index } = await this.#outside.dial(targets, clock, timeout, signal);
    this.#turn += index;
    return transport;
  }

  /** Bytes of TCP in a packet at most, after links that came up and carried nothing. */
  get #maxSegment(): number | undefined {
    const now = this.#settings.clock.now();
    const fruitless = this.#session?.links.fruitless ?? 0;
    if (fruitless >= FRUITLESS_LINKS) {
      this.#smallUntil = now + SMALL_SEGMENT_MS;
      this.#small = fruitless === FRUITLESS_LINKS ? SMALL_SEGMENT : SMALLEST_SEGMENT;
    }
    return now < this.#smallUntil ? this.#small : undefined;
  }

  #target(server: Address): ServerTarget {
    const proxy = this.#options.proxyFor?.(server);
    return { server, security: this.#security(), maxSegment: this.#maxSegment, ...(proxy && { proxy }) };
  }

  /** What no dial can do had better be told at once. @throws {UnprovableError} */
  #demandProvable(): void {
    const security = this.#security();
    if (security.kind !== "plain") this.#settings.engine.tls.demandProvable(this.server.host, security);
  }

  #security(): ServerSecurity {
    const { security = "pinned", serverKey, caCerts, sni } = this.#options;
    if (security === "pinned") return { kind: "pinned", serverKey, ...(sni !== undefined && { sni }) };
    if (security === "plain") return { kind: "plain" };
    return { kind: "pki", ...(caCerts && { caCerts: [...caCerts] }) };
  }

  #onGrants(results: readonly ServiceGrantResult[]): void {
    const { logger } = this.#settings;
    for (const { service: { name }, result } of this.#board.learn(results)) {
      const granted = result.code === "granted";
      if (granted && result.text === "") continue; // withdrawn, as we asked for
      const hostAddress = granted ? result.text : undefined;
      const error = granted ? undefined : `${result.code}: ${result.text}`;
      if (granted) {
        logger.info("service {service} is open at {hostAddress} of the server", { service: name, hostAddress });
      } else logger.error("service {service} is not open: {error}", { service: name, error });
      this.#emit({ type: "service", service: name, hostAddress, error });
    }
  }

  #onSettings(said: Settings): void {
    if (said.keepAlive) this.#serverKeepAlive = said.keepAlive;
    if (said.wantedKeepAlive) this.setKeepAlive(said.wantedKeepAlive, "device");
    if (said.wantedMode && said.wantedMode !== "init") this.setMode(said.wantedMode);
  }
}

const SPEAKS_TLS = "it speaks TLS, and this device is told --plain: leave that out, or give it to the server";
const SPEAKS_OTHERWISE = "is it for profile v1, or too busy, or no Sallyport server?";
