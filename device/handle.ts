/**
 * What a running device is to a program that embeds it.
 *
 * @module
 */

import type { Goodbye } from "../protocol/v2/wire/goodbye.ts";
import type { Endpoint, KeepAliveChoice } from "../protocol/keep_alive.ts";
import type { DeviceMode } from "../protocol/v2/wire/messages.ts";
import type { DeviceConnectionEvent, DeviceConnectionLostEvent, DeviceEvent } from "./events.ts";
import type { DeviceClient } from "./clients.ts";
import type { LinkFacts } from "./reconnect/link_maker.ts";
import type { NamedService } from "./v2/named_service.ts";

/** Where a device stands. */
export type DeviceState = "connecting" | "handshaking" | "online" | "interrupted" | "waiting" | "closed";

/** A device as it is now. Times are milliseconds. */
export interface DeviceStatus extends LinkFacts {
  /** The wire profile that it speaks. */
  readonly profile: "v1" | "v2";
  /** Since when it stands there, by the wall clock, in milliseconds since 1970. */
  readonly since: number;
  /** Since when its session is, likewise, if it has one. */
  readonly sessionSince: number | undefined;
  /** This device's end of the link, `HOST:PORT`, if one is up. */
  readonly local: string | undefined;
  /** The other end of it: the server's, or a proxy's. */
  readonly remote: string | undefined;
  /** Where it stands. */
  readonly state: DeviceState;
  /** The server, as configured. */
  readonly server: string;
  /** Its name on the server; v1 has none. */
  readonly name: string | undefined;
  /** Whether the server speaks a version that this device does; `undefined` while that is not known (seed 002, IsCompatible). */
  readonly isCompatible: boolean | undefined;
  /** What the server said last when it refused this device or took its leave. */
  readonly goodbye: Goodbye | undefined;
  /** The time without a link, after one was lost or a try failed. */
  readonly outage: DeviceOutage | undefined;
}

/** The time without a link. Times are by the wall clock, in milliseconds since 1970. */
export interface DeviceOutage {
  /** Since when: the end of the last link, or the first try that failed. */
  readonly since: number;
  /** Tries that failed since. */
  readonly tries: number;
  /** What went wrong with the last of them. */
  readonly error: string | undefined;
  /** When the next one begins, or began; `undefined` if there will be none. */
  readonly nextTry: number | undefined;
}

/** A running device. */
export interface DeviceHandle extends AsyncDisposable {
  /** Resolves when the first link is up; rejects if the device is closed before. */
  readonly ready: Promise<void>;
  /** Resolves when nothing of the device is left: after `shutdown` or `close`, or without `reconnect` after its link. */
  readonly closed: Promise<void>;
  /** Where the device stands. */
  readonly state: DeviceState;
  /** All that is known of the device and its link. */
  readonly status: DeviceStatus;
  /**
   * Sets the longest silence accepted: by the device from the server, by the server from the device, or both (seed 002). What is in
   * force can be read back in {@linkcode DeviceHandle.status}. Those of the server take the server: without it the wish is kept,
   * each new session hears of it, and the promise rejects with a `ConnectionLostError`, or an `IncompatibleError` if the server
   * was there last with versions that do not fit. Whoever does not wait for the promise may leave it.
   *
   * @throws {RangeError} on v1 for another endpoint than `device`: each side sets its own there.
   */
  setKeepAliveSettings(settings: KeepAliveChoice, endpoint: Endpoint): Promise<void>;
  /**
   * Goes to mode `config` (services withdrawn, channels reset) or `run`, with or without a link. v2 only.
   *
   * @param drain Milliseconds that clients may stay on the way to `config`, while no others come. @default {0}
   */
  setMode(mode: Exclude<DeviceMode, "init">, drain?: number): void;
  /** The clients that are there, in the order of their coming, with the bytes that they have carried so far. */
  clients(): DeviceClient[];
  /** How many there have been. */
  readonly clientsEver: number;
  /** Ends one of them at once, as `closed-by-admin`. @returns whether it was there. */
  closeClient(id: number): boolean;
  /** Ends the link, if one is up, and dials at once; a v2 session goes on over the next link, with its clients. */
  reconnect(): void;
  /**
   * Offers one more service from now on, or another in the place of that of its name, whose clients stay. v2 only.
   *
   * @throws {TypeError} or {RangeError} for a service that cannot be, or one too many. {EngineError} for one that can never be
   *   served with this device's engine.
   */
  putService(service: NamedService): void;
  /** Offers a service no more, and ends its clients. v2 only. @returns whether there was one. */
  takeService(name: string): boolean;
  /**
   * Calls `subscriber` for each new connection, of a new session and of one that goes on, and also where the server turned out
   * to speak other versions (seed 002, SubscribeConnection). @returns what ends that.
   */
  subscribeConnection(subscriber: (event: DeviceConnectionEvent) => void): () => void;
  /**
   * Calls `subscriber` when the link is lost, at once and once: the session may still wait for another, as `interrupted` says,
   * and its clients with it (seed 002, SubscribeConnectionLost). @returns what ends that.
   */
  subscribeConnectionLost(subscriber: (event: DeviceConnectionLostEvent) => void): () => void;
  /** Calls `subscriber` for every event from now on. @returns what ends that. */
  subscribe(subscriber: (event: DeviceEvent) => void): () => void;
  /** Ends in order: CLOSE for each channel, what came is delivered; after 5 s at the latest, at once. */
  shutdown(): Promise<void>;
  /** Ends at once. Idempotent. */
  close(): void;
}
