/**
 * What a device can be told, with the defaults.
 *
 * @module
 */

import type { Address } from "../protocol/address.ts";
import type { KeepAliveSettings } from "../protocol/keep_alive.ts";
import { type Clock, systemClock } from "../net/clock.ts";
import { CONNECT_TIMEOUT_MS, LINK_WRITE_TIMEOUT_MS, STALL_TIMEOUT_MS } from "../net/limits.ts";
import { type Logger, silentLogger } from "../net/logger.ts";
import type { ServiceRule } from "./services.ts";

/**
 * When a v1 device knocks at a silent server, in milliseconds. v1 has no ping: the knock is a CLOSE for an id that is not
 * in use, and silence counts against the server only once it has answered one on the link.
 */
export const V1_KEEP_ALIVE: KeepAliveSettings = { idleTimeout: 15_000, probeInterval: 5_000, probeCount: 3 };

/** Options of {@linkcode connectDevice}. */
export interface DeviceOptions {
  /** ServerAddress:ServerPort, where the device dials. */
  readonly server: Address;
  /** The wire profile to speak. */
  readonly profile: "v1";
  /** What may be dialled for clients; anything else is answered with CLOSE. */
  readonly services: readonly ServiceRule[];
  /**
   * Milliseconds for reaching a service.
   *
   * @default {10_000}
   */
  readonly connectTimeout?: number;
  /**
   * Milliseconds that a service may hold the link before its channel is ended.
   *
   * @default {10_000}
   */
  readonly stallTimeout?: number;
  /**
   * Milliseconds that the server may take nothing before the link is given up; negative for ever.
   *
   * @default {60_000}
   */
  readonly linkWriteTimeout?: number;
  /**
   * Silence that is suffered of the server, in milliseconds.
   *
   * @default {V1_KEEP_ALIVE}
   */
  readonly keepAlive?: KeepAliveSettings;
  /** Whether to dial again, for ever, when there is no link. @default {true} */
  readonly reconnect?: boolean;
  /** Where log lines go; nowhere by default. */
  readonly logger?: Logger;
  /** The time; this machine's by default. */
  readonly clock?: Clock;
  /** Numbers in [0, 1) for the jitter of reconnecting. */
  readonly random?: () => number;
}

/** {@linkcode DeviceOptions} with nothing left open. */
export type DeviceSettings = Required<DeviceOptions>;

/** Fills in the defaults. */
export function deviceSettings(options: DeviceOptions): DeviceSettings {
  return {
    server: options.server,
    profile: options.profile,
    services: options.services,
    connectTimeout: options.connectTimeout ?? CONNECT_TIMEOUT_MS,
    stallTimeout: options.stallTimeout ?? STALL_TIMEOUT_MS,
    linkWriteTimeout: options.linkWriteTimeout ?? LINK_WRITE_TIMEOUT_MS,
    keepAlive: options.keepAlive ?? V1_KEEP_ALIVE,
    reconnect: options.reconnect ?? true,
    logger: options.logger ?? silentLogger,
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
  };
}
