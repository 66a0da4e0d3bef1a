/**
 * The device as a library: `connectDevice(options)` and its handle.
 *
 * @module
 */

import { formatAddress } from "../protocol/address.ts";
import type { Goodbye } from "../protocol/goodbye.ts";
import type { Endpoint, KeepAliveSettings } from "../protocol/keep_alive.ts";
import { HandshakeError } from "../protocol/v2_handshake.ts";
import type { DeviceMode } from "../protocol/v2_messages.ts";
import { sleep } from "../net/clock.ts";
import { Emitter } from "../net/emitter.ts";
import { describeError } from "../net/errors.ts";
import { formatDuration } from "../net/format.ts";
import { SHUTDOWN_TIMEOUT_MS } from "../net/limits.ts";
import * as check from "../net/option_check.ts";
import type { LinkEnd } from "../net/link_end.ts";
import type { DeviceEvent, LostEvent } from "./events.ts";
import type { DeviceHandle, DeviceState, DeviceStatus } from "./handle.ts";
import type { LinkLife, LinkMaker, MadeLink } from "./link_maker.ts";
import { checkDeviceOptions } from "./check_options.ts";
import { downOrChanged } from "./network_change.ts";
import { type DeviceOptions, type DeviceSettings, deviceSettings } from "./options.ts";
import { Retry } from "./retry.ts";
import { V1LinkMaker } from "./v1_link_maker.ts";
import { V2LinkMaker } from "./v2_link_maker.ts";

/** A link that lived this long, or carried a client, starts the backoff over; in milliseconds. */
export const LASTING_LINK_MS = 10_000;

/**
 * Dials the server, and again for ever when the link is lost. For a device that has a string of `server enroll` see
 * `joinFromString`.
 *
 * @throws {TypeError} or {RangeError} with the name and the value of an option that cannot be.
 *
 * @example A device that offers its ssh
 * ```ts
 * import { connectDevice, createIdentity, parseNamedService, parsePublicKey } from "@sallyport/sallyport";
 *
 * const device = connectDevice({
 *   profile: "v2",
 *   server: { host: "127.0.0.1", port: 7443 },
 *   serverKey: parsePublicKey("ed25519:48zjAWukORAAVe-hLFUprfiT0zIy9Du6_Db-rrl2caM"), // as `server key` prints it
 *   identity: await createIdentity(), // keep it: identityToPem, identityFromPem
 *   services: [parseNamedService("ssh=127.0.0.1:22")],
 * });
 * device.subscribe((event) => event.type === "service" && event.hostAddress); // where clients reach it
 * device.close();
 * await device.closed;
 * ```
 */
export function connectDevice(options: DeviceOptions): DeviceHandle {
  checkDeviceOptions(options);
  return new Device(options, deviceSettings(options));
}

class Device implements DeviceHandle {
  readonly ready: Promise<void>;
  readonly closed: Promise<void>;
  state: DeviceState = "connecting";

  readonly #settings: DeviceSettings;
  readonly #emitter: Emitter<DeviceEvent>;
  readonly #retry: Retry;
  readonly #stop = new AbortController();
  readonly #ready = Promise.withResolvers<void>();
  readonly #maker: LinkMaker;
  #link: LinkLife | undefined;
  #local: string | undefined; // this side's address of it
  /** Links, and what goes on without them: sessions that wait, services that still take what came. */
  readonly #leaving = new Set<LinkLife>();
  /** The link whose end {@linkcode Device.#stay} tells. */
  #watched: LinkLife | undefined;
  #attempt = 0;
  #name: string | undefined;
  #goodbye: Goodbye | undefined;
  #isCompatible: boolean | undefined;
  /** Whether it brings a token: until a server has taken it, it may be refused for good. */
  readonly #enrolling: boolean;

  constructor(options: DeviceOptions, settings: DeviceSettings) {
    this.#settings = settings;
    this.#emitter = new Emitter(settings.logger);
    this.#retry = new Retry(settings.random);
    this.#enrolling = options.profile === "v2" && options.enrolment !== undefined;
    const emit = (event: DeviceEvent) => this.#emitter.emit(event);
    this.#maker = options.profile === "v1"
      ? new V1LinkMaker(options, settings, emit)
      : new V2LinkMaker(options, settings, emit);
    this.ready = this.#ready.promise;
    this.ready.catch(() => {}); // whoever does not wait for it sees `closed`
    this.closed = this.#run();
  }

  get status(): DeviceStatus {
    return {
      state: this.state,
      server: this.#server,
      name: this.#name,
      isCompatible: this.#isCompatible,
      goodbye: this.#goodbye,
      ...this.#maker.facts,
    };
  }

  setKeepAliveSettings(settings: KeepAliveSettings, endpoint: Endpoint): void {
    check.keepAliveSettings(settings, "settings");
    check.endpoint(endpoint, "endpoint");
    this.#maker.setKeepAlive(settings, endpoint);
  }

  setMode(mode: Exclude<DeviceMode, "init">): void {
    check.word("config", "run")(mode, "mode");
    this.#maker.setMode(mode);
  }

  subscribe(subscriber: (event: DeviceEvent) => void): () => void {
    return this.#emitter.subscribe(subscriber);
  }

  subscribeConnectionLost(subscriber: (event: LostEvent) => void): () => void {
    return this.subscribe((event) => event.type === "lost" && subscriber(event));
  }

  async shutdown(): Promise<void> {
    const cancel = this.#settings.clock.after(SHUTDOWN_TIMEOUT_MS, () => this.close());
    this.#stop.abort();
    await Promise.all([...this.#leaving].map((link) => link.shutdown()));
    cancel();
    await this.closed;
  }

  close(): void {
    this.#stop.abort();
    for (const link of this.#leaving) link.close("shutting-down");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  get #server(): string {
    return formatAddress(this.#maker.server);
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    await undefined; // in a turn of its own, so that whoever subscribes to the handle hears of the first try
    this.#maker.start();
    while (!signal.aborted) {
      const retryIn = await this.#once();
      if (retryIn === undefined) break;
      if (this.state !== "interrupted" && !this.#link) this.state = "waiting";
      await sleep(this.#settings.clock, retryIn, signal);
    }
    this.#maker.close();
    await Promise.all([...this.#leaving].map((link) => link.ended()));
    this.state = "closed";
    this.#ready.reject(new Error("Cannot become ready: the device is closed"));
  }

  /** One dial, and one link if it succeeds. @returns how long to wait for the next, or `undefined` for no next. */
  async #once(): Promise<number | undefined> {
    const { logger } = this.#settings;
    const { signal } = this.#stop;
    const moving = this.#link; // still up: only its network has changed
    if (!moving) this.state = "connecting";
    const dialled = this.#server;
    this.#emitter.emit({ type: "connecting", server: dialled, attempt: ++this.#attempt });
    let made: MadeLink;
    try {
      made = await this.#maker.make(signal, () => {
        if (!moving) this.state = "handshaking";
        this.#emitter.emit({ type: "handshaking", server: dialled });
      });
    } catch (error) {
      if (signal.aborted) return undefined;
      if (!moving || moving.interruptedAt !== undefined) return this.#failed(dialled, error);
      logger.info("cannot move to another link: {error}; the old one goes on", { error: describeError(error) });
      return await this.#stay(dialled, moving, this.#local);
    }
    const { link, local, device, resumed } = made;
    const server = this.#server; // with several, the one that answered
    this.#link = link;
    this.#local = local;
    if (signal.aborted) link.close("shutting-down");
    this.state = "online";
    this.#name = device;
    this.#goodbye = undefined;
    this.#isCompatible = true;
    if (resumed) {
      logger.info("link resumed: server {server}, after {interrupted} ms, {replayed} B sent again", {
        server,
        local,
        ...resumed,
      });
      this.#emitter.emit({ type: "resumed", server, local, ...resumed });
    } else {
      logger.info(device ? "link up: server {server}, as {device}" : "link up: server {server}", {
        server,
        local,
        device,
      });
      this.#leaving.add(link); // before anybody hears of it, who may shut down at once
      this.#emitter.emit({ type: "online", server, local, device });
      link.over.then((end) => this.#onOver(server, link, end));
      link.ended().then(() => this.#leaving.delete(link));
    }
    this.#ready.resolve();
    return await this.#stay(server, link, local);
  }

  /**
   * Waits for the end of a link, or for a change of the network under a session that can move; `local` is this side's
   * address of the link.
   *
   * @returns how long to wait for the next link, or `undefined` for no next.
   */
  async #stay(server: string, link: LinkLife, local: string | undefined): Promise<number | undefined> {
    const { clock, logger } = this.#settings;
    const since = clock.now();
    this.#retry.linkUp();
    this.#watched = link;
    const end = await downOrChanged(link, this.#settings.reconnect ? local : undefined, this.#settings);
    if (end === "changed") {
      this.#watched = undefined;
      logger.info("the network has changed: dialling {server} anew, while the link goes on", { server });
      return 0;
    }
    this.#link = undefined;
    this.#maker.lost();
    const duration = Math.round(clock.now() - since);
    if (duration >= LASTING_LINK_MS || link.served) {
      this.#retry.reset();
      this.#attempt = 0;
    }
    this.#goodbye = link.goodbye;
    if (link.interruptedAt !== undefined && !this.#stop.signal.aborted && this.#settings.reconnect) {
      const retryIn = this.#retry.soon();
      const facts = { server, reason: end.reason, detail: end.detail, retryIn };
      this.#watched = undefined;
      this.state = "interrupted";
      logger.info(
        `link interrupted: server {server}, {reason}${end.detail ? " ({detail})" : ""}, {duration} ms; ` +
          `its clients wait; next try in ${formatDuration(retryIn)}`,
        { ...facts, duration },
      );
      this.#emitter.emit({ type: "interrupted", ...facts });
      return retryIn;
    }
    if (link.interruptedAt !== undefined) link.close(end.reason); // there will be no other link
    const retryIn = this.#retryIn(link.goodbye);
    const { reason, clients } = end;
    const goodbye = link.goodbye?.code;
    const facts = { server, reason, detail: end.detail, goodbye, duration, retryIn, clients };
    const hungUp = this.#name === undefined && end.reason === "peer-closed" && !link.served && duration < QUICK_MS;
    const detail = hungUp ? QUICKLY_CLOSED : end.detail;
    logger.info(
      `link down: server {server}, {reason}${detail ? " ({detail})" : ""}, {duration} ms` +
        (retryIn === undefined ? "" : `; next try in ${formatDuration(retryIn)}`),
      { ...facts, detail },
    );
    this.#emitter.emit({ type: "lost", ...facts });
    return retryIn;
  }

  /** A session is over; if it waited for a link, nobody has been told yet. */
  #onOver(server: string, link: LinkLife, { reason, detail, clients }: LinkEnd): void {
    if (this.#watched === link) return;
    const retryIn = this.#stop.signal.aborted ? undefined : 0;
    const why = reason === "not-resumed" ? "the server does not know the session any more" : detail;
    this.#settings.logger.warn(`session lost: server {server}, {reason}${why ? " ({detail})" : ""}`, {
      server,
      reason,
      detail: why,
    });
    this.#emitter.emit({
      type: "lost",
      server,
      reason,
      detail: why,
      goodbye: undefined,
      duration: 0,
      retryIn,
      clients,
    });
  }

  /** No link came about. */
  #failed(server: string, error: unknown): number | undefined {
    if (error instanceof HandshakeError) {
      this.#goodbye = error.goodbye;
      this.#isCompatible = error.goodbye.code !== "incompatible";
    }
    const word = error instanceof HandshakeError ? error.goodbye : undefined;
    const waits = [...this.#leaving].some((link) => link.interruptedAt !== undefined);
    const retryIn = waits && !word ? this.#retry.soon() : this.#retryIn(word);
    const refused = error instanceof HandshakeError && error.byPeer;
    const why = refused ? `${error.goodbye.code}: ${error.message}` : describeError(error);
    const facts = { server, error: why, retryIn: retryIn ?? 0 };
    const next = retryIn === undefined ? "" : `; next try in ${formatDuration(retryIn)}`;
    const what = refused ? "{server} refused this device: {error}" : "cannot reach {server}: {error}";
    this.#settings.logger.warn(what + next, facts);
    this.#emitter.emit({
      type: "dial-failed",
      server,
      error: why,
      goodbye: refused ? error.goodbye.code : undefined,
      retryIn: retryIn ?? 0,
    });
    return retryIn;
  }

  /** When to dial next, or `undefined` for no next. */
  #retryIn(word: Goodbye | undefined): number | undefined {
    if (this.#stop.signal.aborted || !this.#settings.reconnect) return undefined;
    // Nothing else ends a device: a word that anybody may have said must not cost somebody a journey to it.
    const isRefused = word?.code === "bad-enrolment" && word.comeBackAfter === Infinity;
    return isRefused && this.#enrolling && this.#name === undefined ? undefined : this.#retry.after(word);
  }
}

/** A v1 server says nothing when it refuses a device; it just hangs up, within this many milliseconds. */
const QUICK_MS = 1_500;
const QUICKLY_CLOSED =
  "the server hung up at once: is another device linked to that listener, or is it for profile v2, or no v1 server?";
