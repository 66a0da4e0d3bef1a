/**
 * The device as a library: `connectDevice(options)` and its handle.
 *
 * @module
 */

import { formatAddress } from "../protocol/address.ts";
import { v1Codec } from "../protocol/v1_codec.ts";
import { Backoff } from "../net/backoff.ts";
import { sleep } from "../net/clock.ts";
import { dial } from "../net/dial.ts";
import { Emitter } from "../net/emitter.ts";
import { describeError } from "../net/errors.ts";
import { DIAL_TIMEOUT_MS, SHUTDOWN_TIMEOUT_MS } from "../net/limits.ts";
import { tcpTransport } from "../net/transport.ts";
import type { DeviceEvent } from "./events.ts";
import { LinkSession } from "./link_session.ts";
import { type DeviceOptions, type DeviceSettings, deviceSettings } from "./options.ts";

/** A link that lived this long, or carried a client, starts the backoff over; in milliseconds. */
export const LASTING_LINK_MS = 10_000;

/** Where a device stands. */
export type DeviceState = "connecting" | "online" | "waiting" | "closed";

/** A running device. */
export interface DeviceHandle extends AsyncDisposable {
  /** Resolves when the first link is up; rejects if the device is closed before. */
  readonly ready: Promise<void>;
  /** Resolves when nothing of the device is left: after `shutdown` or `close`, or without `reconnect` after its link. */
  readonly closed: Promise<void>;
  /** Where the device stands. */
  readonly state: DeviceState;
  /** Calls `subscriber` for every event from now on. @returns what ends that. */
  subscribe(subscriber: (event: DeviceEvent) => void): () => void;
  /** Ends in order: CLOSE for each channel, what came is delivered; after 5 s at the latest, at once. */
  shutdown(): Promise<void>;
  /** Ends at once. Idempotent. */
  close(): void;
}

/**
 * Dials the server, and again for ever when the link is lost.
 *
 * @example
 * ```ts
 * import { connectDevice } from "./device.ts";
 * import { parseService } from "./services.ts";
 *
 * const device = connectDevice({
 *   profile: "v1",
 *   server: { host: "127.0.0.1", port: 2065 },
 *   services: [parseService("127.0.0.1:22")],
 * });
 * device.close();
 * await device.closed;
 * ```
 */
export function connectDevice(options: DeviceOptions): DeviceHandle {
  return new Device(deviceSettings(options));
}

class Device implements DeviceHandle {
  readonly ready: Promise<void>;
  readonly closed: Promise<void>;
  state: DeviceState = "connecting";

  readonly #settings: DeviceSettings;
  readonly #emitter: Emitter<DeviceEvent>;
  readonly #backoff: Backoff;
  readonly #stop = new AbortController();
  readonly #ready = Promise.withResolvers<void>();
  readonly #server: string;
  #session: LinkSession | undefined;
  /** Sessions whose link is down and whose services still take what came. */
  readonly #leaving = new Set<LinkSession>();
  #attempt = 0;

  constructor(settings: DeviceSettings) {
    this.#settings = settings;
    this.#emitter = new Emitter(settings.logger);
    this.#backoff = new Backoff(settings.random);
    this.#server = formatAddress(settings.server);
    this.ready = this.#ready.promise;
    this.ready.catch(() => {}); // whoever does not wait for it sees `closed`
    this.closed = this.#run();
  }

  subscribe(subscriber: (event: DeviceEvent) => void): () => void {
    return this.#emitter.subscribe(subscriber);
  }

  async shutdown(): Promise<void> {
    const cancel = this.#settings.clock.after(SHUTDOWN_TIMEOUT_MS, () => this.close());
    this.#stop.abort();
    await Promise.all([this.#session, ...this.#leaving].map((session) => session?.shutdown()));
    cancel();
    await this.closed;
  }

  close(): void {
    this.#stop.abort();
    for (const session of [this.#session, ...this.#leaving]) session?.close("shutting-down");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.shutdown();
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    await undefined; // in a turn of its own, so that whoever subscribes to the handle hears of the first try
    while (!signal.aborted) {
      const retryIn = await this.#once();
      if (retryIn === undefined) break;
      this.state = "waiting";
      await sleep(this.#settings.clock, retryIn, signal);
    }
    await Promise.all([...this.#leaving].map((session) => session.ended()));
    this.state = "closed";
    this.#ready.reject(new Error("Cannot become ready: the device is closed"));
  }

  /** One dial, and one link if it succeeds. @returns how long to wait for the next, or `undefined` for no next. */
  async #once(): Promise<number | undefined> {
    const { clock, logger, server } = this.#settings;
    const { signal } = this.#stop;
    this.state = "connecting";
    this.#emitter.emit({ type: "connecting", server: this.#server, attempt: ++this.#attempt });
    let conn: Deno.TcpConn;
    try {
      conn = await dial(server, clock, DIAL_TIMEOUT_MS, signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      return this.#dialFailed(describeError(error));
    }
    const since = clock.now();
    const transport = tcpTransport(conn);
    const session = new LinkSession({
      transport,
      codec: v1Codec,
      settings: this.#settings,
      emit: (event) => this.#emitter.emit(event),
    });
    this.#session = session;
    if (signal.aborted) session.close("shutting-down");
    this.state = "online";
    logger.info("link up: server {server}", { server: this.#server, local: transport.local });
    this.#emitter.emit({ type: "online", server: this.#server, local: transport.local });
    this.#ready.resolve();
    const end = await session.down;
    this.#session = undefined;
    this.#leaving.add(session);
    session.ended().then(() => this.#leaving.delete(session));
    const duration = Math.round(clock.now() - since);
    if (duration >= LASTING_LINK_MS || session.served) {
      this.#backoff.reset();
      this.#attempt = 0;
    }
    const retryIn = this.#retryIn();
    const facts = { server: this.#server, reason: end.reason, detail: end.detail, duration, retryIn };
    const detail = end.detail ??
      (end.reason === "peer-closed" && !session.served && duration < QUICK_MS ? QUICKLY_CLOSED : undefined);
    logger.info(
      `link down: server {server}, {reason}${detail ? " ({detail})" : ""}, {duration} ms` +
        (retryIn === undefined ? "" : "; next try in {retryIn} ms"),
      { ...facts, detail },
    );
    this.#emitter.emit({ type: "lost", ...facts });
    return retryIn;
  }

  #dialFailed(error: string): number | undefined {
    const retryIn = this.#retryIn();
    const facts = { server: this.#server, error, retryIn: retryIn ?? 0 };
    this.#settings.logger.warn(
      retryIn === undefined
        ? "cannot reach {server}: {error}"
        : "cannot reach {server}: {error}; next try in {retryIn} ms",
      facts,
    );
    this.#emitter.emit({ type: "dial-failed", ...facts });
    return retryIn;
  }

  #retryIn(): number | undefined {
    if (this.#stop.signal.aborted || !this.#settings.reconnect) return undefined;
    return Math.round(this.#backoff.next());
  }
}

/** A v1 server says nothing when it refuses a device; it just hangs up, within this many milliseconds. */
const QUICK_MS = 1_500;
const QUICKLY_CLOSED = "the server hung up at once: is another device linked to that listener, or is it no v1 server?";
