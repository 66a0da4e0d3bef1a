/**
 * Links of profile v2: dial, TLS, handshake; and what lives on from link to link.
 *
 * @module
 */

import { DIAL_TIMEOUT_MS, RESUME_DIAL_TIMEOUT_MS } from "../limits.ts";
import { HANDSHAKE_TIMEOUT_MS } from "../../net/limits.ts";
import type { Address } from "../../protocol/address.ts";
import type { GoodbyeCode } from "../../protocol/v2/wire/goodbye.ts";
import { type Endpoint, type KeepAliveChoice, type KeepAlivePlan, keepAlivePlan } from "../../protocol/keep_alive.ts";
import type { DeviceMode, GrantCode, ServiceGrantResult, Settings } from "../../protocol/v2/wire/messages.ts";
import { dialUplinks } from "../../net/dial/uplinks.ts";
import { DayBytes } from "../../relay/link/day_bytes.ts";
import type { Transport } from "../../net/transport.ts";
import { CAN_DATAGRAMS } from "../../protocol/v2/wire/capabilities.ts";
import { ADAPTS, CAN_NAME_ADDRESSES, CAN_RESUME, HandshakeError, IS_MOVING } from "../../protocol/v2/wire/handshake.ts";
import { SOFTWARE } from "../../base/version.ts";
import { within } from "../../base/within.ts";
import { sameBytes } from "../../protocol/bytes.ts";
import type { DeviceEvent } from "../events.ts";
import { GrantQuestion } from "../grant_question.ts";
import { tellLacks, tellNotOpen } from "../not_open.ts";
import type { LinkFacts, LinkMaker, MadeLink, PreparedWay } from "../reconnect/link_maker.ts";
import type { DeviceSettings, DeviceWay, V2DeviceOptions } from "../options.ts";
import type { ServiceRule } from "../services.ts";
import { handshakeFailure } from "./handshake_failure.ts";
import { network, type Outside } from "./outside.ts";
import { exporterOf, tellBinding } from "./binding.ts";
import { Epochs } from "./epochs.ts";
import { ServerCertificateWatch } from "./server_certificate.ts";
import { grantError } from "./granted_address.ts";
import { AllowedTargets } from "./allowed_targets.ts";
import { ServiceBoard } from "./service_board.ts";
import { ServiceChanges } from "./service_changes.ts";
import { demandOfferable, type NamedService } from "./named_service.ts";
import { V2Session } from "./session.ts";
import { SmallSegments } from "./small_segments.ts";
import { Way } from "../way.ts";

/** Goodbyes in place of a link that say nothing of the session that waits for it. */
const PASSING: ReadonlySet<GoodbyeCode> = new Set(["too-busy", "duplicate", "replaced"]);

/** See {@linkcode LinkMaker}. */
export class V2LinkMaker implements LinkMaker {
  readonly #options: V2DeviceOptions;
  readonly #settings: DeviceSettings;
  readonly #emit: (event: DeviceEvent) => void;
  #way: Way;
  #serverKey: Uint8Array | undefined; // of the server that has the session
  readonly #board: ServiceBoard;
  readonly #changes: ServiceChanges;
  readonly #question = new GrantQuestion();
  #name: string | undefined; // what the server calls this device
  readonly #targets: AllowedTargets;
  readonly #outside: Outside;
  readonly #instance: Uint8Array;
  readonly #epochs: Epochs;
  readonly #segments: SmallSegments;
  readonly #certificate: ServerCertificateWatch;
  #session: V2Session | undefined;
  #isBound = false; // the link that is up, or was last
  readonly #bytes: DayBytes;
  #keepAlive: KeepAlivePlan;
  /** What this side wants of the server; it holds there for one session, and each new one hears it again. */
  #wantedKeepAlive: KeepAlivePlan | undefined;

  /** Links with these settings. */
  constructor(
    options: V2DeviceOptions,
    settings: DeviceSettings,
    emit: (event: DeviceEvent) => void,
    outside: Outside = network(settings),
  ) {
    this.#outside = outside;
    this.#instance = outside.randomBytes(16);
    this.#options = options;
    this.#settings = settings;
    this.#emit = emit;
    this.#way = new Way(options, settings.engine.tls);
    demandOfferable(options.services);
    this.#keepAlive = keepAlivePlan(options.keepAlive ?? "adaptive");
    if (options.keepAlive === "metered") this.#wantedKeepAlive = this.#keepAlive; // else the server's probes would cost as much
    const { clock, logger } = settings;
    this.#epochs = new Epochs(clock);
    this.#bytes = new DayBytes(clock);
    this.#segments = new SmallSegments(clock);
    this.#certificate = new ServerCertificateWatch(clock, logger);
    this.#targets = new AllowedTargets(options.allow ?? [], (service, endpoint) => outside.reach(service, endpoint));
    this.#board = new ServiceBoard(
      options.services,
      options.mode ?? "run",
      (service) => outside.reach(service),
      clock,
      {
        onOffers: (offers) => this.#session?.offer(offers),
        onMode: (mode) => {
          logger.info("mode {mode}", { mode });
          emit({ type: "mode", mode });
          this.#session?.links.say({ mode });
        },
        onService: ({ name }, up, localAddress) => {
          const facts = { service: name, localAddress };
          if (up) logger.info("service {service} is up again at {localAddress}", facts);
          else {
            logger.warn("service {service} is down at {localAddress}: its host port is closed until it is up", facts);
            emit({ type: "service", service: name, hostAddress: undefined, error: "service-down" });
          }
        },
      },
    );
    this.#changes = new ServiceChanges(this.#board, settings);
  }

  get server(): Address {
    return this.#way.server;
  }

  get facts(): LinkFacts {
    this.#session?.links.count();
    return {
      mode: this.#board.mode,
      modeChange: this.#session && this.#changes.modeChange,
      services: this.#board.status,
      datagrams: this.#settings.datagrams.all,
      keepAlive: this.#session?.links.keepAlive ?? this.#keepAlive.idle,
      serverKeepAlive: this.#session?.links.peerKeepAlive,
      bytesToday: this.#bytes.today,
      bytesBefore: this.#bytes.before,
      bound: this.#session && this.#isBound,
      clockOffset: this.#session?.state.clockOffset,
      roundTrip: this.#session?.state.roundTrip,
      tcp: this.#session?.links.transport.tcp(),
    };
  }

  start(): void {
    tellLacks(this.#settings.logger, this.#board.status);
    this.#board.start();
  }

  async make(signal: AbortSignal, onConnected: () => void): Promise<MadeLink> {
    const way = this.#way;
    try {
      return await this.#make(way, signal, onConnected).catch((error: unknown) => {
        if (!this.#lagsBehind(error)) throw error;
        return this.#make(way, signal, onConnected);
      });
    } catch (error) {
      way.turn(1);
      throw error;
    }
  }

  lost(): void {
    if (this.#session?.resumable) return;
    this.#session = undefined;
    this.#board.forgetResults();
  }

  setKeepAlive(choice: KeepAliveChoice, endpoint: Endpoint): void {
    const plan = keepAlivePlan(choice);
    if (endpoint !== "device") {
      this.#wantedKeepAlive = plan;
      this.#session?.links.wantKeepAlive(plan);
    }
    if (endpoint !== "server") this.#follow(plan);
  }

  prepareWay(options: DeviceWay): PreparedWay {
    if (options.profile !== "v2") throw new RangeError("Cannot go another way: it is of v1");
    const way = new Way(options, this.#settings.engine.tls);
    const goesOn = this.#serverKey === undefined || sameBytes(options.serverKey, this.#serverKey);
    return { goesOn, commit: () => void (this.#way = way) };
  }

  setAllow(rules: readonly ServiceRule[]): boolean {
    const wasAnyAllowed = this.#targets.isAnyAllowed;
    this.#targets.rules = rules;
    this.#session?.endForbidden();
    return this.#targets.isAnyAllowed !== wasAnyAllowed;
  }

  askGrants(): Promise<readonly GrantCode[]> {
    return this.#question.ask(this.#board.offers(), (asked) => this.#session?.state.listen(asked));
  }

  drop(): void {
    this.#session?.links.drop();
  }

  setMode(mode: Exclude<DeviceMode, "init">, drain: number): void {
    this.#changes.setMode(mode, drain);
  }

  putService(service: NamedService): void {
    this.#changes.put(service);
    tellLacks(this.#settings.logger, this.#board.status.filter(({ name }) => name === service.name));
  }

  takeService(name: string): boolean {
    return this.#changes.take(name);
  }

  async close(): Promise<void> {
    await Promise.all([this.#board.close(), this.#changes.close()]);
  }

  async #make(way: Way, signal: AbortSignal, onConnected: () => void): Promise<MadeLink> {
    const { clock } = this.#settings;
    const transport = await this.#dial(way, signal);
    onConnected();
    const giveUp = () => transport.duplex.close();
    signal.addEventListener("abort", giveUp);
    try {
      return await within(clock, HANDSHAKE_TIMEOUT_MS, giveUp, () => this.#greet(way, transport, signal));
    } catch (error) {
      giveUp();
      this.#session?.links.letGo();
      if (error instanceof HandshakeError && error.byPeer && !PASSING.has(error.goodbye.code)) {
        this.#session?.close("goodbye", `${error.goodbye.code}: ${error.message}`);
      }
      if (signal.aborted) throw signal.reason;
      throw handshakeFailure(error);
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
  }

  async #greet(way: Way, transport: Transport, signal: AbortSignal): Promise<MadeLink> {
    const { clock, logger } = this.#settings;
    const { identity } = this.#options;
    const { demandsBinding, options: { serverKey } } = way;
    const exporter = exporterOf(transport, demandsBinding);
    const before = { interruptedAt: 0, moved: false };
    const isUp = this.#session?.resumable === true && this.#session.interruptedAt === undefined;
    const greeting = await this.#outside.greet(transport.duplex, {
      signer: identity,
      serverKey,
      nonce: this.#outside.randomBytes(32),
      instance: this.#instance,
      wallClock: clock.wall(),
      software: SOFTWARE,
      // A token is of one server, and no other may see it.
      enrolment: sameBytes(serverKey, this.#options.serverKey) ? this.#options.enrolment : undefined,
      exporter,
      demandsBinding,
      nextEpoch: () => this.#epochs.next(),
      capabilities: (this.#settings.expiration > 0 ? CAN_RESUME : 0) | (isUp ? IS_MOVING : 0) | ADAPTS | CAN_DATAGRAMS |
        (this.#targets.isAnyAllowed ? CAN_NAME_ADDRESSES : 0),
      resume: () => {
        before.moved = isUp && this.#session?.interruptedAt === undefined;
        before.interruptedAt = this.#session?.interruptedAt ?? clock.now();
        return this.#session?.resumable ? this.#session.offerResume() : undefined;
      },
    });
    signal.throwIfAborted();
    const { welcome, rest } = greeting;
    this.#name = welcome.name;
    this.#isBound = greeting.bound;
    tellBinding(logger, transport, exporter, greeting.bound);
    this.#certificate.saw(transport);
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
    this.#board.meet((greeting.capabilities & CAN_DATAGRAMS) !== 0, logger);
    const link = new V2Session({
      id: welcome.session,
      expiration: Math.min(this.#settings.expiration, welcome.expiration ?? 0),
      settings: this.#settings,
      board: this.#board,
      targets: this.#targets,
      outside: this.#outside,
      keepAlive: this.#keepAlive,
      adapts: greeting.adapts,
      wanted: this.#wantedKeepAlive,
      onBytes: (bytes, carried) => this.#bytes.add(bytes, carried),
      onGrants: (results) => this.#onGrants(results),
      onSettings: (said) => this.#onSettings(said),
      emit: this.#emit,
    });
    this.#session = link;
    this.#serverKey = serverKey;
    link.start(transport, rest);
    return { ...made, link };
  }

  /** Whether the server has seen a later link of this device than the one that it was offered: then the next is later still. */
  #lagsBehind(error: unknown): boolean {
    if (!(error instanceof HandshakeError) || !error.byPeer || error.goodbye.code !== "replaced") return false;
    const { epoch } = error.goodbye;
    if (epoch === undefined || !this.#epochs.seen(epoch)) return false;
    const { logger } = this.#settings;
    logger.info(
      "the server has seen a later link of this device: was its clock set back, or does another machine use its key?",
      { epoch },
    );
    return true;
  }

  /** The address whose turn it is; while a session waits, all of them, and the first that answers. */
  async #dial(way: Way, signal: AbortSignal): Promise<Transport> {
    const { clock, via, logger } = this.#settings;
    const waits = this.#session?.resumable === true;
    const timeout = waits ? RESUME_DIAL_TIMEOUT_MS : DIAL_TIMEOUT_MS;
    const { transport, index } = await dialUplinks(via, logger, signal, (uplink) => {
      const maxSegment = this.#segments.after(this.#session?.links.fruitless ?? 0);
      return this.#outside.dial(way.targets(waits, { maxSegment, uplink }), clock, timeout, signal);
    });
    way.turn(index);
    return transport;
  }

  #onGrants(results: readonly ServiceGrantResult[]): void {
    const { logger } = this.#settings;
    const answers = this.#board.learn(results);
    const services = this.#board.status;
    for (const { service: { name }, result } of answers) {
      const granted = result.code === "granted";
      if (granted && result.text === "") continue; // withdrawn, as we asked for
      const hostAddress = granted ? result.text : undefined;
      const error = grantError(name, result);
      if (granted) {
        logger.info("service {service} is open at {hostAddress} of the server", { service: name, hostAddress });
      } else tellNotOpen(logger, name, services, this.#name);
      this.#emit({ type: "service", service: name, hostAddress, error });
    }
    this.#question.learn(results);
  }

  /** Keep-alive of this side from now on. */
  #follow(plan: KeepAlivePlan): void {
    this.#keepAlive = plan;
    this.#session?.links.setKeepAlive(plan);
  }

  #onSettings(said: Settings): void {
    const { wantedKeepAlive: waiting, wantedIdleKeepAlive: idle = waiting } = said;
    if (waiting && idle) this.#follow({ waiting, idle });
    if (said.wantedMode && said.wantedMode !== "init") this.setMode(said.wantedMode, 0);
  }
}
