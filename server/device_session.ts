/**
 * A device on the server, for as long as it is authorized and wanted: its links, one at a time, and its host ports.
 *
 * @module
 */

import { type Goodbye, goodbye } from "../protocol/goodbye.ts";
import { type KeepAliveSettings, normalKeepAlive } from "../protocol/keep_alive.ts";
import type { ChannelEndReason } from "../protocol/reasons.ts";
import type { WindowBudget } from "../protocol/receive_windows.ts";
import type { DeviceMode, ServiceGrantResult, ServiceOffer, Settings } from "../protocol/v2_messages.ts";
import type { Hello } from "../protocol/v2_handshake.ts";
import { V2_MAX_SERVICES } from "../protocol/limits.ts";
import type { ChannelPump, ChannelSummary } from "../net/channel_pump.ts";
import type { LinkEnd } from "../net/link_driver.ts";
import { closeQuietly, type Duplex, formatNetAddr, type Transport, tuneSocket } from "../net/transport.ts";
import type { AuthorizedDevice } from "./authorized_devices.ts";
import { formatGrantedAddress, type ServiceGrant } from "./service_grant.ts";
import { ClientDoor } from "./client_door.ts";
import type { ServerEvent } from "./events.ts";
import { HostPort, type HostPortOwner, type KeptPort } from "./host_port.ts";
import type { ServerSettings } from "./options.ts";
import { TAKE_OVER_WINDOW_MS, TakeOvers } from "./take_overs.ts";
import { V2LinkSession } from "./v2_link_session.ts";

/** What a session needs. */
export interface DeviceSessionOptions {
  /** Who the device is, and what it may open. */
  readonly device: AuthorizedDevice;
  /** The server's settings. */
  readonly settings: ServerSettings;
  /** What the process may grant. */
  readonly budget: WindowBudget;
  /** The port that a service's free port or range came to. */
  kept(service: string): KeptPort;
  /** Tells subscribers. */
  emit(event: ServerEvent): void;
}

/** A service that the device offers and may open. */
interface OpenService {
  /** The number that the device gave it on its link; none while a new link has not said. */
  number: number | undefined;
  readonly port: HostPort;
  readonly door: ClientDoor;
  readonly pumps: Set<ChannelPump>;
  /** Clients that wait for the number. */
  readonly waiting: { readonly duplex: Duplex; readonly address: string }[];
}

/** Clients of one service that wait while a new link has not offered it yet. */
export const MAX_CLIENTS_BEFORE_LISTEN = 256;

/** The life of a device on the server. */
export class DeviceSession implements HostPortOwner {
  /** The server's settings. */
  readonly settings: ServerSettings;

  readonly #options: DeviceSessionOptions;
  readonly #takeOvers: TakeOvers;
  readonly #services = new Map<string, OpenService>();
  readonly #leaving = new Set<V2LinkSession>();
  readonly #freeing = new Set<Promise<void>>();
  #offers = new Map<string, ServiceOffer>();
  #device: AuthorizedDevice;
  #link: V2LinkSession | undefined;
  #peer: Hello | undefined;
  #since = 0;
  #heardOffers = false;
  #conflict: { readonly text: string; readonly at: number } | undefined;
  #keepAlive: KeepAliveSettings;
  /** The last time that two machines with its key got in each other's way, for people. */
  duplicate: string | undefined;
  /** The device's mode, as it said. */
  mode: DeviceMode = "init";

  /** A device without a link. */
  constructor(options: DeviceSessionOptions) {
    this.#options = options;
    this.settings = options.settings;
    this.#device = options.device;
    this.#keepAlive = options.settings.keepAlive;
    this.#takeOvers = new TakeOvers(options.settings.clock);
  }

  /** Who the device is. */
  get device(): AuthorizedDevice {
    return this.#device;
  }

  /** See {@linkcode HostPortOwner}. */
  get deviceName(): string {
    return this.#device.name;
  }

  /** The link, if it is up. */
  get link(): V2LinkSession | undefined {
    return this.#link?.done ? undefined : this.#link;
  }

  /** The device's program, as it said. */
  get software(): string | undefined {
    return this.#peer?.software;
  }

  /** When the link came up, on the server's clock. */
  get since(): number {
    return this.#since;
  }

  /** The services that are open, with the host addresses really bound. */
  get services(): { name: string; hostAddress: string; open: boolean }[] {
    return [...this.#services].map(([name, { port }]) => ({ name, hostAddress: port.address, open: port.isOpen }));
  }

  /** Which two machines use the device's key, if one of them was turned away lately. */
  get conflict(): string | undefined {
    const { clock } = this.settings;
    return this.#conflict && clock.now() - this.#conflict.at < TAKE_OVER_WINDOW_MS ? this.#conflict.text : undefined;
  }

  /** Tells subscribers. */
  emit(event: ServerEvent): void {
    this.#options.emit(event);
  }

  /**
   * Whether a newcomer with this device's key may take over; the old link, if there is one, is fenced at once when
   * {@linkcode DeviceSession.start} is called.
   *
   * @returns the goodbye to say if not.
   */
  refuse(hello: Hello, remote: string): Goodbye | undefined {
    const { link } = this;
    if (!link || !this.#peer || !this.#takeOvers.tooMany(this.#peer.instance, hello.instance)) return undefined;
    const text =
      `two machines use the key of ${this.deviceName}: ${link.remote} has it now, ${remote} wants it; give each its own`;
    this.#conflict = { text, at: this.settings.clock.now() };
    return goodbye("duplicate", text);
  }

  /** Takes a link whose handshake is done. Host ports that are open stay so. */
  start(transport: Transport, hello: Hello, rest: Uint8Array): void {
    const { logger, clock } = this.settings;
    const old = this.link;
    if (old && this.#peer) this.#takeOvers.note(this.#peer.instance, hello.instance);
    const since = this.#since = clock.now();
    this.#peer = hello;
    this.#offers = new Map();
    this.#heardOffers = false;
    for (const service of this.#services.values()) service.number = undefined; // the device may count anew
    this.mode = "init";
    const link = new V2LinkSession({
      transport,
      settings: this.settings,
      budget: this.#options.budget,
      keepAlive: this.#keepAlive,
      onOffers: (offers) => this.#onOffers(offers),
      onSettings: (settings) => this.#onSettings(settings),
    }, rest);
    this.#link = link;
    old?.close("replaced", goodbye("replaced", `its device is back, from ${transport.remote}`));
    logger.info("link up: device {device} from {remote}, {transport}", {
      device: this.deviceName,
      remote: transport.remote,
      transport: transport.kind,
      software: hello.software,
    });
    this.emit({ type: "link-up", listen: transport.local, device: this.deviceName, remote: transport.remote });
    this.#leaving.add(link);
    link.down.then((end) => this.#onDown(link, end, Math.round(clock.now() - since)));
    link.ended.then(() => this.#leaving.delete(link));
  }

  onClient(conn: Deno.TcpConn, port: HostPort): void {
    const service = [...this.#services.values()].find((candidate) => candidate.port === port);
    if (!service) return conn.close();
    tuneSocket(conn);
    service.door.enter(conn, formatNetAddr(conn.remoteAddr));
  }

  onPortChanged(port: HostPort): void {
    for (const [name, service] of this.#services) {
      const offer = this.#offers.get(name);
      if (service.port === port && offer) this.link?.sendGrants([this.#answer(name, offer.number, port)]);
    }
  }

  /** Takes other grants, without touching what stays; limits hold for clients to come. */
  update(device: AuthorizedDevice): void {
    const before = this.#device;
    this.#device = device;
    for (const [name, { door }] of this.#services) {
      const grant = this.#grantFor(name);
      const stays = grant && formatGrantedAddress(grant.listen) === formatGrantedAddress(door.grant.listen);
      if (stays) door.grant = grant;
      else this.#closeService(name, "service-withdrawn");
    }
    const changed = [...this.#offers.values()].filter(({ name }) =>
      !this.#services.has(name) && JSON.stringify(grantOf(before, name)) !== JSON.stringify(this.#grantFor(name))
    );
    const answers = this.#answerAll(changed);
    this.link?.sendGrants(answers);
  }

  /** What is suffered of the device's silence. */
  get keepAlive(): KeepAliveSettings {
    return this.#keepAlive;
  }

  /** Changes that, now and for links to come. */
  set keepAlive(keepAlive: KeepAliveSettings) {
    this.#keepAlive = keepAlive;
    if (this.link) this.link.keepAlive = keepAlive;
  }

  /** Ends in order. */
  async shutdown(): Promise<void> {
    this.#closeServices("shutting-down");
    const word = goodbye("shutting-down", "the server is shutting down");
    await Promise.all([...this.#leaving].map((link) => link.shutdown("shutting-down", word)));
  }

  /** Ends at once. */
  close(word: Goodbye, reason: "shutting-down" | "revoked" = "shutting-down"): void {
    this.#closeServices(reason === "revoked" ? "link-lost" : reason);
    for (const link of this.#leaving) link.close(reason, word);
  }

  /** Resolves when nothing is left of its links. */
  async ended(): Promise<void> {
    await Promise.all([...this.#leaving].map((link) => link.ended));
    await Promise.all(this.#freeing);
  }

  #grantFor(name: string): ServiceGrant | undefined {
    return grantOf(this.#device, name);
  }

  /** Takes a LISTEN. What the first one on a link does not name is offered no more. */
  #onOffers(offers: readonly ServiceOffer[]): ServiceGrantResult[] {
    if (!this.#heardOffers) {
      this.#heardOffers = true;
      const named = new Set(offers.map(({ name }) => name));
      for (const name of [...this.#services.keys()]) if (!named.has(name)) this.#closeService(name, "link-lost");
    }
    return this.#answerAll(offers);
  }

  /** The answers; those for ports that are about to be free follow. */
  #answerAll(offers: readonly ServiceOffer[]): ServiceGrantResult[] {
    return offers.flatMap((offer): ServiceGrantResult | [] => {
      const { number, name } = offer;
      if (!offer.offered) {
        this.#offers.delete(name);
        this.#closeService(name, "service-withdrawn");
        return { number, code: "granted", text: "" };
      }
      if (!this.#offers.has(name) && this.#offers.size >= V2_MAX_SERVICES) {
        return { number, code: "too-many-services", text: `${V2_MAX_SERVICES} are the most` };
      }
      this.#offers.set(name, offer);
      const grant = this.#grantFor(name);
      if (!grant) {
        const known = this.#device.services.map((service) => service.name).join(", ") || "none";
        const { logger } = this.settings;
        logger.warn("device {device} offers {service}, which it was not granted", {
          device: this.deviceName,
          service: name,
        });
        return { number, code: "not-granted", text: `granted to ${this.deviceName}: ${known}` };
      }
      const service = this.#services.get(name) ?? this.#openService(name, grant);
      service.number = number;
      for (const { duplex, address } of service.waiting.splice(0)) this.#serve(name, duplex, address);
      return service.port.isSettled ? this.#answer(name, number, service.port) : [];
    });
  }

  #answer(name: string, number: number, port: HostPort): ServiceGrantResult {
    if (port.isOpen) return { number, code: "granted", text: port.address };
    return { number, code: "port-unavailable", text: `${name}: ${port.error ?? "not open"}` };
  }

  #openService(name: string, grant: ServiceGrant): OpenService {
    const { host, from, to } = grant.listen;
    const door = new ClientDoor(grant, this.settings, {
      serve: (duplex, address) => this.#serve(name, duplex, address),
      refused: (address, reason, error) => this.#refused(name, address, reason, error),
    });
    const port = new HostPort({
      host,
      ports: [from, to],
      localAddress: name,
      kept: this.#options.kept(name),
      after: this.#freeing.size > 0 ? Promise.all(this.#freeing).then(() => {}) : undefined,
    }, this);
    const service: OpenService = { number: undefined, port, door, pumps: new Set(), waiting: [] };
    this.#services.set(name, service);
    return service;
  }

  #closeServices(reason: ChannelEndReason): void {
    for (const name of [...this.#services.keys()]) this.#closeService(name, reason);
  }

  /** Frees its host port. Its clients go on, unless the device may not offer it any more. */
  #closeService(name: string, reason: ChannelEndReason): void {
    const service = this.#services.get(name);
    if (!service) return;
    this.#services.delete(name);
    service.door.close();
    const hostAddress = service.port.address;
    const freed = service.port.close().finally(() => this.#freeing.delete(freed));
    this.#freeing.add(freed);
    for (const { duplex, address } of service.waiting) {
      closeQuietly(duplex);
      this.#clientEnded(address, hostAddress, name, { reason, ...NOTHING_CARRIED }, undefined);
    }
    if (this.#offers.has(name) && reason === "service-withdrawn") {
      for (const pump of service.pumps) pump.abort(reason);
    }
  }

  /** Gives a client that the door let in a channel. */
  #serve(name: string, duplex: Duplex, address: string): void {
    const service = this.#services.get(name);
    const { link } = this;
    const hostAddress = service?.port.address ?? "";
    const onEnd = (summary: ChannelSummary, error: string | undefined) => {
      service?.door.left();
      this.#clientEnded(address, hostAddress, name, summary, error);
    };
    const full = service && service.waiting.length >= MAX_CLIENTS_BEFORE_LISTEN;
    if (!service || !link || full) {
      closeQuietly(duplex);
      return onEnd({ reason: full ? "too-many-channels" : "link-lost", ...NOTHING_CARRIED }, undefined);
    }
    if (service.number === undefined) return void service.waiting.push({ duplex, address });
    const pump = link.serve({ duplex, address, hostAddress, service: service.number, onEnd });
    if (!pump) return;
    service.pumps.add(pump);
    pump.done.then(() => service.pumps.delete(pump));
    service.door.watch(pump);
  }

  #refused(name: string, address: string, reason: ChannelEndReason, error: string | undefined): void {
    const hostAddress = this.#services.get(name)?.port.address ?? "";
    this.#clientEnded(address, hostAddress, name, { reason, ...NOTHING_CARRIED }, error);
  }

  #clientEnded(
    client: string,
    hostAddress: string,
    name: string,
    summary: ChannelSummary,
    error: string | undefined,
  ): void {
    const facts = {
      client,
      hostAddress,
      localAddress: name,
      device: this.deviceName,
      reason: summary.reason,
      error,
      bytesUp: summary.bytesSent,
      bytesDown: summary.bytesReceived,
      duration: Math.round(summary.duration),
    };
    const line = "client {client} of {hostAddress} for {device}/{localAddress} ended: {reason}" +
      (error ? " ({error})" : "") + ", {bytesUp} B up, {bytesDown} B down, {duration} ms";
    if (WARN.has(summary.reason)) this.settings.logger.warn(line, facts);
    else this.settings.logger.info(line, facts);
    this.emit({ type: "client-end", ...facts });
  }

  #onSettings(settings: Settings): void {
    if (settings.wantedKeepAlive) this.#keepAlive = normalKeepAlive(settings.wantedKeepAlive);
    if (settings.mode === "config") this.#closeServices("service-withdrawn");
    if (settings.mode && settings.mode !== this.mode) {
      this.mode = settings.mode;
      this.emit({ type: "mode", device: this.deviceName, mode: settings.mode });
    }
  }

  #onDown(link: V2LinkSession, end: LinkEnd, duration: number): void {
    const replaced = this.#link !== link;
    if (!replaced) {
      this.#link = undefined;
      this.#offers = new Map();
      this.#closeServices("link-lost");
    }
    const facts = { device: this.deviceName, remote: link.remote, reason: end.reason, detail: end.detail, duration };
    const line = end.detail
      ? "link down: device {device} from {remote}, {reason} ({detail})"
      : "link down: device {device} from {remote}, {reason}";
    if (ORDERLY.has(end.reason)) this.settings.logger.info(line, facts);
    else this.settings.logger.warn(line, facts);
    this.emit({ type: "link-down", listen: link.local, ...facts });
  }
}

/** The device's grant for a service, if it has one. */
function grantOf({ services }: AuthorizedDevice, name: string): ServiceGrant | undefined {
  return services.find((grant) => grant.name === name);
}

/** The rest of a summary of a client that was never served. */
const NOTHING_CARRIED = { bytesSent: 0, bytesReceived: 0, duration: 0 };

const WARN: ReadonlySet<string> = new Set(["too-many-channels", "stalled", "not-allowed"]);
const ORDERLY: ReadonlySet<string> = new Set(["peer-closed", "goodbye", "shutting-down", "replaced"]);
