/**
 * The devices of a server: who may come in, and the session of each who did.
 *
 * @module
 */

import { PROCESS_LOG_BOUND } from "../../protocol/limits.ts";
import { V2_MAX_CHANNELS } from "../../protocol/v2/limits.ts";
import { EXPIRY_LOOK_MS, PROCESS_WINDOW_BOUND } from "../limits.ts";
import { goodbye } from "../../protocol/v2/wire/goodbye.ts";
import { WindowBudget } from "../../protocol/v2/receive_windows.ts";
import { SharedBound } from "../../protocol/v2/send/shared_bound.ts";
import {
  type Authenticated,
  CAN_BIND,
  HandshakeError,
  HAS_EPOCHS,
  IS_MOVING,
  welcomeFrame,
} from "../../protocol/v2/wire/handshake.ts";
import { randomBytes, type ServerGreeting, writeAll } from "../../relay/handshake.ts";
import { eachInSlices, Turns } from "../../base/slices.ts";
import { fingerprint, formatPublicKey } from "../../net/tls/identity.ts";
import type { Transport } from "../../net/transport.ts";
import { mergeRules } from "../access/rules.ts";
import type { AuthorizedDevice, DevicesChange } from "../devices/authorized_devices.ts";
import { notClosedText, unknownServiceText } from "../devices/grant_table.ts";
import { BarredDevices } from "./barred.ts";
import { RegisteredDevice } from "./registered_device.ts";
import { Enrolling } from "./enrolling/enrolling.ts";
import type { ServerEvent } from "../events.ts";
import { IncompatibleDevices } from "./incompatible_devices.ts";
import { LinkRates } from "../door/link_rate.ts";
import { ServerFull, TooManyLinks, unwelcomeAt } from "../door/unwelcome.ts";
import { tellOpening } from "../access/opening_tidings.ts";
import { grantOf } from "./open_service.ts";
import { Expiries } from "./expiries.ts";
import { keptPort, KeptPorts } from "../ports/kept_ports.ts";
import { PortsInUse } from "../ports/ports_in_use.ts";
import type { PortMemory, ServerSettings, V2Options } from "../options.ts";

/** What the sessions of all devices share; a simulation has its own. */
export interface SharedBySessions {
  /** What all together grant. */
  readonly budget: WindowBudget;
  /** What all together keep for replay. */
  readonly logBudget: SharedBound;
  /** A name for a session that no other has. */
  newId(): Uint8Array;
}

/** Admits devices, and ends those that are no longer welcome. */
export class DeviceRegistry {
  readonly #settings: ServerSettings;
  readonly #options: Omit<V2Options, "identity">;
  readonly #emit: (event: ServerEvent) => void;
  readonly #sessions = new Map<string, RegisteredDevice>();
  readonly #byName = new Map<string, RegisteredDevice>();
  readonly #expiries = new Expiries<RegisteredDevice>();
  /** Those that came with versions that would not do. */
  readonly incompatible: IncompatibleDevices;
  readonly #revoked = new Set<RegisteredDevice>();
  readonly #shared: SharedBySessions;
  readonly #ports: PortMemory;
  readonly #enrolling: Enrolling;
  readonly #rates: LinkRates;
  readonly #portsInUse = new PortsInUse();
  readonly #barred: BarredDevices;
  readonly #turns: Turns;
  readonly #unsubscribe: () => void;
  #cancelExpiry: () => void;
  #closed = false;
  #order = 0;

  /** Starts with nobody. */
  constructor(
    options: Omit<V2Options, "identity">,
    settings: ServerSettings,
    emit: (event: ServerEvent) => void,
    shared: SharedBySessions = {
      budget: new WindowBudget(PROCESS_WINDOW_BOUND),
      logBudget: new SharedBound(PROCESS_LOG_BOUND),
      newId: () => randomBytes(16),
    },
  ) {
    this.#options = options;
    this.#shared = shared;
    this.#settings = settings;
    this.#emit = emit;
    this.#ports = options.ports ?? new KeptPorts();
    this.#enrolling = new Enrolling(options, settings, emit);
    this.#rates = new LinkRates(settings.clock);
    this.#turns = new Turns(settings.clock);
    this.incompatible = new IncompatibleDevices(
      options.devices,
      (key) => this.#sessions.get(key),
      settings.clock,
      emit,
    );
    this.#barred = new BarredDevices(settings.clock);
    const subscriptions = [
      options.devices.subscribe((change) => this.#onChange(change)),
      settings.openings.subscribe((change) => {
        tellOpening(change, settings.logger, emit);
        const { device, keepClients = false } = change.opening;
        this.session(device)?.accessChanged(change.opening, keepClients);
      }),
    ];
    this.#unsubscribe = () => subscriptions.forEach((end) => end());
    this.#cancelExpiry = settings.clock.after(EXPIRY_LOOK_MS, () => this.#expire());
  }

  /** The sessions of devices that came since the server runs, by their key. */
  get sessions(): RegisteredDevice[] {
    return [...this.#sessions.values()];
  }

  /** How many there are. */
  get count(): number {
    return this.#sessions.size;
  }

  /** Bytes that are kept for replay, and that are granted, of the most for all sessions together. */
  get memory(): { readonly kept: number; readonly granted: number } {
    return { kept: this.#shared.logBudget.held, granted: this.#shared.budget.granted };
  }

  /** The session of the device of a name, if it came since the server runs. */
  session(name: string): RegisteredDevice | undefined {
    return this.#byName.get(name);
  }

  /** The session of the device of a key. */
  sessionOf(key: string): RegisteredDevice | undefined {
    return this.#sessions.get(key);
  }

  /** @throws {TypeError} if there is no such service, or it is not one that is closed until it is opened for a time. */
  demandClosed(name: string, service: string): void {
    const device = this.#options.devices.byName?.(name) ?? this.session(name)?.device;
    if (!device) throw new TypeError(`there is no device "${name}"`);
    const grant = grantOf(device, service);
    if (!grant) throw new TypeError(unknownServiceText(name, service, device.services));
    const { closed } = mergeRules(this.#options.devices.defaults, device.access, grant);
    if (!closed) throw new TypeError(notClosedText(name, service, device.services));
  }

  /** A number for a connection that was just accepted: greater than those of all before. */
  nextOrder(): number {
    return ++this.#order;
  }

  /**
   * Answers a device that has proved its key, and gives it its session.
   *
   * @param known Called once it has proved to be no stranger, before anything that takes long.
   * @throws {HandshakeError} with the goodbye to say, if it may not link up.
   */
  async admit(
    transport: Transport,
    { device: peer, rest }: ServerGreeting,
    order: number,
    known: () => void = () => {},
  ): Promise<void> {
    const { logger } = this.#settings;
    const device = await this.#enrolling.enrol(peer, transport.remote, known) ??
      this.#options.devices.byKey(peer.deviceKey);
    if (!device) {
      const key = formatPublicKey(peer.deviceKey);
      const text = `nobody authorized ${key} (${await fingerprint(peer.deviceKey)}); ` +
        "on the server: `enroll NAME`, or with --replace if it is there";
      throw new HandshakeError(this.#barred.refuse(key, goodbye("unknown-device", text)));
    }
    const unwelcome = unwelcomeAt(device, this.#settings.clock.wall());
    if (unwelcome) throw new HandshakeError(this.#barred.refuse(device.key, unwelcome));
    this.#barred.forget(device.key);
    this.incompatible.delete(device.key);
    const wait = this.#rates.take(device.key);
    if (wait > 0) throw new TooManyLinks(device.name, wait);
    const session = this.#sessions.get(device.key) ?? this.#newSession(device);
    this.#expiries.set(session, device.expires);
    const refused = session.refuse(peer, transport.remote);
    if (refused) throw new HandshakeError(refused);
    this.#demandRoom(session);
    // The network may bring the last words of a link that its device gave up long ago, after those of the next.
    demandNewest(session, peer, order);
    const id = this.#shared.newId();
    const resumed = peer.resume && session.fence(peer.resume, (peer.capabilities & IS_MOVING) !== 0);
    const goesOn = typeof resumed === "object";
    const welcome = welcomeFrame({
      session: goesOn ? resumed.link.id : id,
      initiator: (peer.capabilities & HAS_EPOCHS) === 0 ? undefined : peer.deviceKey,
      name: device.name,
      maxChannels: V2_MAX_CHANNELS,
      remote: transport.remote,
      expiration: session.expirationFor(peer),
      resumed: goesOn ? resumed.position : resumed,
    });
    await writeAll(transport.duplex, welcome);
    const turn = this.#turns.take(); // a session is the most work of all that a device costs when it comes
    if (turn) await turn;
    if (this.#closed) throw new HandshakeError(goodbye("shutting-down", "the server is shutting down"));
    demandNewest(session, peer, order);
    this.#demandRoom(session); // others came meanwhile
    const meanwhile = this.#sessions.get(device.key) === session
      ? unwelcomeAt(session.device, this.#settings.clock.wall())
      : goodbye("revoked", `${device.name} was revoked`);
    if (meanwhile) throw new HandshakeError(this.#barred.refuse(device.key, meanwhile));
    const binding = (peer.capabilities & CAN_BIND) === 0 ? "not bound" : "bound";
    logger.debug("device {device} proved its key; {binding} to its TLS connection", { device: device.name, binding });
    if (!goesOn) return session.start(transport, peer, rest, id);
    if (!session.resume(transport, peer, rest, resumed)) {
      throw new HandshakeError(goodbye("replaced", "the session ended, or went on over another link"));
    }
  }

  /** Ends all in order, a few milliseconds of it at a time: clients of others are still served. */
  async shutdown(): Promise<void> {
    this.#stop();
    const ends: Promise<void>[] = [];
    await eachInSlices(this.sessions, this.#settings.clock, (session) => void ends.push(session.shutdown()));
    await Promise.all(ends);
  }

  /** Ends all at once. Idempotent. */
  close(): void {
    this.#stop();
    for (const session of [...this.sessions, ...this.#revoked]) {
      session.close();
    }
  }

  /** Resolves when nothing is left of it. */
  async ended(): Promise<void> {
    await Promise.all([...this.sessions, ...this.#revoked].map((session) => session.ended()));
  }

  #stop(): void {
    this.#closed = true;
    this.#unsubscribe();
    this.#cancelExpiry();
    this.#turns.close();
    this.#settings.openings.stop();
  }

  /** A device that is in, if only by a session that waits for it, is let in whatever else there is. */
  #demandRoom({ link }: RegisteredDevice): void {
    const full = link ? undefined : this.#settings.capacity.link();
    if (full !== undefined) throw new ServerFull(full);
  }

  #newSession(device: AuthorizedDevice): RegisteredDevice {
    const session: RegisteredDevice = new RegisteredDevice({
      device,
      settings: this.#settings,
      budget: this.#shared.budget,
      logBudget: this.#shared.logBudget,
      turns: this.#turns,
      kept: (service) => keptPort(this.#ports, () => session.deviceName, service, this.#portsInUse),
      emit: this.#emit,
    });
    this.#sessions.set(device.key, session);
    this.#byName.set(device.name, session);
    return session;
  }

  #onChange({ removed, changed, defaults }: DevicesChange): void {
    if (defaults) eachInSlices(this.#sessions.values(), this.#settings.clock, (each) => each.update(each.device)); // rules for all
    for (const { name, key } of removed) {
      this.incompatible.delete(key);
      const session = this.#sessions.get(key);
      if (!session) continue;
      this.#sessions.delete(key);
      this.#expiries.delete(session);
      if (this.#byName.get(name) === session) this.#byName.delete(name);
      session.revoke(this.#barred.refuse(key, goodbye("revoked", `${name} was revoked`)));
      this.#revoked.add(session);
      session.ended().then(() => this.#revoked.delete(session));
    }
    for (const { before, after } of changed) {
      const session = this.#sessions.get(after.key);
      if (!session) continue;
      const unwelcome = unwelcomeAt(after, this.#settings.clock.wall());
      if (this.#byName.get(before.name) === session) this.#byName.delete(before.name);
      this.#byName.set(after.name, session);
      this.#expiries.set(session, after.expires);
      session.update(after);
      if (unwelcome) session.revoke(this.#barred.refuse(after.key, unwelcome));
    }
  }

  #expire(): void {
    const { clock } = this.#settings;
    eachInSlices(this.#expiries.take(clock.wall()), clock, (session) => {
      const unwelcome = unwelcomeAt(session.device, clock.wall());
      if (unwelcome && session.link) session.revoke(this.#barred.refuse(session.device.key, unwelcome));
    });
    this.#cancelExpiry = this.#settings.clock.after(EXPIRY_LOOK_MS, () => this.#expire());
  }
}

/** Refuses a link that its device made before one that took over; one that lags behind by mistake hears by how much. */
function demandNewest({ newest }: RegisteredDevice, { epoch }: Authenticated, order: number): void {
  if (newest.take(order, epoch)) return;
  const word = goodbye("replaced", "a newer link of the device came first");
  throw new HandshakeError(epoch === undefined ? word : { ...word, epoch: newest.highest });
}
