/**
 * A device on the server, for as long as it is authorized and wanted: its sessions, one at a time, and its host ports.
 *
 * @module
 */

import type { Turns } from "../../base/slices.ts";
import { TAKE_OVER_WINDOW_MS } from "../limits.ts";
import { type Goodbye, goodbye } from "../../protocol/v2/wire/goodbye.ts";
import {
  type Endpoint,
  type KeepAliveChoice,
  type KeepAlivePlan,
  keepAlivePlan,
  type KeepAliveSettings,
} from "../../protocol/keep_alive.ts";
import type { WindowBudget } from "../../protocol/v2/receive_windows.ts";
import type { DeviceMode, Settings } from "../../protocol/v2/wire/messages.ts";
import {
  ADAPTS,
  type Authenticated,
  CAN_BIND,
  CAN_RESUME,
  type ResumeOffer,
  type ResumeRefusal,
} from "../../protocol/v2/wire/handshake.ts";
import type { SharedBound } from "../../protocol/v2/send/shared_bound.ts";
import { sameBytes } from "../../protocol/bytes.ts";
import { DayBytes } from "../../relay/link/day_bytes.ts";
import type { LinkEnd } from "../../relay/link/end.ts";
import type { Transport } from "../../net/transport.ts";
import type { Opening } from "../access/openings.ts";
import type { AuthorizedDevice } from "../devices/authorized_devices.ts";
import { DeviceServices } from "./device_services.ts";
import type { ServerEvent } from "../events.ts";
import { tellBytes, tellDown, tellInterrupted, tellResumed, tellUp } from "./device_tidings.ts";
import { NewestLink } from "./newest_link.ts";
import type { KeptPort } from "../ports/kept_ports.ts";
import { namesAddresses, type ServedService } from "./open_service.ts";
import type { ServerSettings } from "../options.ts";
import { TakeOvers } from "./take_overs.ts";
import { type Resumption, V2Session } from "./session.ts";

export interface RegisteredDeviceOptions {
  /** Who the device is, and what it may open. */
  readonly device: AuthorizedDevice;
  readonly settings: ServerSettings;
  /** What the process may grant. */
  readonly budget: WindowBudget;
  /** What the sessions of the process may keep. */
  readonly logBudget: SharedBound;
  /** When a host port may be opened. */
  readonly turns: Turns;
  /** The port that a service's free port or range came to. */
  kept(service: string): KeptPort;
  emit(event: ServerEvent): void;
}

/** The life of a device on the server. */
export class RegisteredDevice {
  readonly settings: ServerSettings;
  /** What its links cost a day. */
  readonly bytes: DayBytes;
  /** Which of its links is the newest. */
  readonly newest: NewestLink = new NewestLink();

  readonly #options: RegisteredDeviceOptions;
  readonly #takeOvers: TakeOvers;
  readonly #services: DeviceServices;
  readonly #leaving = new Set<V2Session>();
  #link: V2Session | undefined;
  /** The session of which it was told that it waits. */
  #waits: V2Session | undefined;
  #peer: Authenticated | undefined;
  #since: number | undefined;
  #sessionSince: number | undefined;
  #conflict: { readonly text: string; readonly at: number } | undefined;
  #keepAlive: KeepAliveChoice;
  #isKeepAliveSet = false; // otherwise than the server's own
  /** The device's mode, as it said. */
  mode: DeviceMode = "init";

  /** A device without a link. */
  constructor(options: RegisteredDeviceOptions) {
    this.#options = options;
    this.settings = options.settings;
    this.#keepAlive = options.device.keepAlive ?? options.settings.keepAlive;
    const { settings } = options;
    const limit = () => settings.warnBytesADay;
    this.bytes = new DayBytes(settings.clock, limit, (today) => tellBytes(this, today, settings.warnBytesADay));
    this.#takeOvers = new TakeOvers(options.settings.clock);
    this.#services = new DeviceServices({
      device: options.device,
      settings: options.settings,
      link: () => this.link,
      namesAddresses: () => namesAddresses(this.#peer),
      turns: options.turns,
      kept: options.kept,
      emit: options.emit,
    });
  }

  get device(): AuthorizedDevice {
    return this.#services.device;
  }

  get deviceName(): string {
    return this.device.name;
  }

  /** The link, if it is up. */
  get link(): V2Session | undefined {
    return this.#link?.done ? undefined : this.#link;
  }

  /** What it said of itself when its link came up, or the last one did. */
  get peer(): Authenticated | undefined {
    return this.#peer;
  }

  emit(event: ServerEvent): void {
    this.#options.emit(event);
  }

  /** Whether both sides signed the TLS connection of the link that is up, or was last. */
  get isBound(): boolean {
    return ((this.#peer?.capabilities ?? 0) & CAN_BIND) !== 0;
  }

  /** When the link came up or went down, by the wall clock, if there was one. */
  get since(): number | undefined {
    return this.#since;
  }

  /** When its session began, by the wall clock, if it has one. */
  get sessionSince(): number | undefined {
    return this.link && this.#sessionSince;
  }

  /** The services that are open, or are to be. */
  get services(): ServedService[] {
    return this.#services.status;
  }

  /** Which two machines use the device's key, if one of them was turned away lately. */
  get conflict(): string | undefined {
    const { clock } = this.settings;
    return this.#conflict && clock.now() - this.#conflict.at < TAKE_OVER_WINDOW_MS ? this.#conflict.text : undefined;
  }

  /**
   * Whether a newcomer with this device's key may take over; the old link, if there is one, is fenced at once when
   * {@linkcode RegisteredDevice.start} is called.
   *
   * @returns the goodbye to say if not.
   */
  refuse(hello: Authenticated, remote: string): Goodbye | undefined {
    const { link } = this;
    if (!link || !isLive(link) || !this.#peer || !this.#takeOvers.tooMany(this.#peer.instance, hello.instance)) {
      return undefined;
    }
    const { remote: holder } = link.links.transport;
    const text =
      `two machines use the key of ${this.deviceName}: ${holder} has it now, ${remote} wants it; give each its own`;
    this.#conflict = { text, at: this.settings.clock.now() };
    return goodbye("duplicate", text);
  }

  /** Milliseconds that a session with `peer` outlives its link; 0: not at all. */
  expirationFor(peer: Authenticated): number {
    return (peer.capabilities & CAN_RESUME) === 0 ? 0 : this.device.expiration ?? this.settings.expiration;
  }

  /**
   * A device wants to go on with a session. If it can, the link that it may still have is fenced: nothing that comes
   * there is applied any more, and {@linkcode RegisteredDevice.resume} is due. `moving`: it said that this link is still up.
   */
  fence({ session, initiator, received }: ResumeOffer, moving = false): Resumption | ResumeRefusal {
    const { link } = this;
    if (!link || !sameBytes(link.id, session)) return "unknown-session";
    if (initiator && !sameBytes(initiator, this.#peer!.deviceKey)) return "unknown-session";
    if (!link.canReplayFrom(received)) return "bad-position";
    const { interruptedAt } = link.links;
    const since = interruptedAt ?? this.settings.clock.now();
    return { link, received, since, moved: moving && interruptedAt === undefined, ...link.fence() };
  }

  /** Goes on with a session, over the link of `hello`. @returns whether it could; if not, the device has to come anew. */
  resume(transport: Transport, hello: Authenticated, rest: Uint8Array, resumption: Resumption): boolean {
    const { link, received, since, moved, fences } = resumption;
    const replayed = this.link === link ? link.resume(transport, rest, received, fences) : undefined;
    if (replayed === undefined) return false;
    const isOther = namesAddresses(hello) !== namesAddresses(this.#peer);
    this.#peer = hello;
    this.#waits = undefined;
    this.#since = this.settings.clock.wall();
    tellResumed(this, transport, {
      interrupted: Math.round(this.settings.clock.now() - since),
      replayed,
      moved,
      clients: link.state.channelCount,
    });
    this.#services.resumed();
    if (isOther && this.mode === "run") this.#services.running();
    return true;
  }

  /** Takes a link whose handshake is done, for a new session named `id`. Host ports that are open stay so. */
  start(transport: Transport, hello: Authenticated, rest: Uint8Array, id: Uint8Array): void {
    const { logger, clock } = this.settings;
    const old = this.link;
    if (old && isLive(old) && this.#peer) this.#takeOvers.note(this.#peer.instance, hello.instance);
    const since = clock.now();
    this.#since = this.settings.clock.wall();
    this.#sessionSince = this.#since;
    this.#peer = hello;
    this.#services.linkUp();
    this.mode = "init";
    const link: V2Session = new V2Session({
      id,
      expiration: this.expirationFor(hello),
      logBudget: this.#options.logBudget,
      settings: this.settings,
      budget: this.#options.budget,
      keepAlive: keepAlivePlan(this.#keepAlive),
      adapts: (hello.capabilities & ADAPTS) !== 0,
      wanted: () => this.#wanted,
      onBytes: (bytes, carried) => this.bytes.add(bytes, carried),
      onOffers: (offers) => this.#services.offer(offers),
      onSettings: (settings) => this.#onSettings(settings),
      onInterrupted: (end) => this.#onInterrupted(link, end),
      onFruitless: (hint) => logger.warn("device {device}: {hint}", { device: this.deviceName, hint }),
    });
    this.#link = link;
    link.start(transport, rest);
    old?.dismiss("replaced", goodbye("replaced", `its device is back, from ${transport.remote}`));
    const tell = () => tellUp(this, transport, hello.software);
    if (old) old.links.over.then(tell); // its end is told first
    else tell();
    this.#leaving.add(link);
    link.links.over.then((end) => this.#onDown(link, end, Math.round(clock.now() - since)));
    link.ended().then(() => this.#leaving.delete(link));
  }

  /** Takes other grants and rules, without touching what stays; who may not be there any more is ended. */
  update(device: AuthorizedDevice): void {
    if (JSON.stringify(device.keepAlive) !== JSON.stringify(this.device.keepAlive)) {
      this.setKeepAlive(device.keepAlive ?? this.settings.keepAlive, "both");
    }
    const answers = this.#services.update(device);
    this.link?.sendGrants(answers);
  }

  /** A service was opened for a time, or is closed again. */
  accessChanged(opening: Opening, keepClients: boolean): void {
    const answers = this.#services.accessChanged(opening, keepClients);
    this.link?.sendGrants(answers);
  }

  /** The longest silence accepted from the device now; what the device itself wants holds for its session alone. */
  get keepAlive(): KeepAliveSettings {
    return this.link?.links.keepAlive ?? keepAlivePlan(this.#keepAlive).idle;
  }

  /** Changes the longest silence accepted: this side's now and for links to come, the device's for its session. */
  setKeepAlive(choice: KeepAliveChoice, endpoint: Endpoint): void {
    const plan = keepAlivePlan(choice);
    if (endpoint !== "device") {
      this.#keepAlive = choice;
      this.#isKeepAliveSet = JSON.stringify(choice) !== JSON.stringify(this.settings.keepAlive);
      this.link?.links.setKeepAlive(plan);
    }
    if (endpoint !== "server") this.link?.links.wantKeepAlive(plan);
  }

  /** The server's own is another now: it holds where neither the list, nor an act, nor the device has said otherwise. */
  followKeepAlive(): void {
    if (this.device.keepAlive !== undefined || this.#isKeepAliveSet) return;
    this.#keepAlive = this.settings.keepAlive;
    this.link?.followKeepAlive(keepAlivePlan(this.#keepAlive));
  }

  /** Somebody looks at the device for `ms` milliseconds from now on: its link is probed as if a client were there. */
  attend(ms: number): void {
    this.link?.links.attend(ms);
  }

  /** What the device's own keep-alive is to be: the file's word for this device, or a way that takes both sides. */
  get #wanted(): KeepAlivePlan | undefined {
    if (this.device.keepAlive !== undefined) return keepAlivePlan(this.device.keepAlive);
    return this.#keepAlive === "metered" ? keepAlivePlan("metered") : undefined;
  }

  /** Ends in order. */
  async shutdown(): Promise<void> {
    this.#services.close("shutting-down");
    await Promise.all([...this.#leaving].map((link) => link.shutdown()));
  }

  /** Ends at once, as the server is shutting down. */
  close(): void {
    this.#services.close("shutting-down");
    for (const link of this.#leaving) link.close("shutting-down");
  }

  /** Ends at once, as the device is not welcome any more; `word` tells it why. */
  revoke(word: Goodbye): void {
    this.#services.close("link-lost");
    for (const link of this.#leaving) link.dismiss("revoked", word);
  }

  /** Resolves when nothing is left of its links. */
  async ended(): Promise<void> {
    await Promise.all([...this.#leaving].map((link) => link.ended()));
    await this.#services.freed();
  }

  #onSettings(settings: Settings): void {
    if (settings.mode === "config") this.#services.withdraw();
    if (settings.mode === "run") this.#services.running();
    if (settings.mode && settings.mode !== this.mode) {
      this.mode = settings.mode;
      this.emit({ type: "mode", device: this.deviceName, mode: settings.mode });
    }
  }

  #onInterrupted(link: V2Session, end: LinkEnd): void {
    if (end.reason === "replaced") return; // its device is about to go on
    this.#since = this.settings.clock.wall();
    this.#waits = link;
    tellInterrupted(this, link.links.transport, link.state.channelCount, end, this.expirationFor(this.#peer!));
  }

  #onDown(link: V2Session, end: LinkEnd, duration: number): void {
    const replaced = this.#link !== link;
    if (!replaced) {
      this.#link = undefined;
      this.#since = this.settings.clock.wall();
      this.#services.linkDown();
    }
    tellDown(this, link.links.transport, end, duration, this.#waits === link);
    if (this.#waits === link) this.#waits = undefined;
  }
}

/** Whether a link of it is up: a session that only waits for its device is no sign of a second machine. */
function isLive(session: V2Session): boolean {
  return session.links.interruptedAt === undefined;
}
