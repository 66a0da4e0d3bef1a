/**
 * What a device can be told, with the defaults.
 *
 * @module
 */

import { CONNECT_TIMEOUT_MS } from "./limits.ts";
import { EXPIRATION_MS, LINK_WRITE_TIMEOUT_MS, STALL_TIMEOUT_MS, TCP_KEEP_ALIVE_MS } from "../net/limits.ts";
import type { Address } from "../protocol/address.ts";
import type { KeepAliveChoice, KeepAliveSettings } from "../protocol/keep_alive.ts";
import { demandUplinks, type EngineChoice, startEngine } from "../net/engines.ts";
import type { Engine } from "../net/socket.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { MAX_DURATION_MS } from "../base/limits.ts";
import { type Logger, silentLogger } from "../base/logger.ts";
import { type ReadNetwork, readNetwork } from "../net/network_watch.ts";
import type { ProxyOptions } from "../net/dial/http_proxy.ts";
import type { Identity } from "../net/tls/identity.ts";
import { DatagramTotals } from "../net/udp/counts.ts";
import { DeviceClients } from "./clients.ts";
import type { NamedService } from "./v2/named_service.ts";
import { demandServable } from "./endpoints/registry.ts";
import type { ServiceRule } from "./services.ts";

/** What a device can be told on either profile. */
export interface CommonDeviceOptions {
  /**
   * Milliseconds for reaching a service.
   *
   * @default {10_000}
   */
  readonly connectTimeout?: number;
  /**
   * Milliseconds of silence after which a service that does not answer any more is ended: the system asks in the second half of
   * that time. Negative: never. Takes Linux and the permission `ffi`; elsewhere the system's own pace holds.
   *
   * @default {120_000}
   */
  readonly tcpKeepAlive?: number;
  /**
   * Milliseconds that a v1 service may hold the link before its channel is ended; on v2 nobody holds it.
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
   * Milliseconds that a v2 session outlives its link, if the server keeps it as long; 0: not at all (seed 002,
   * "expiration time").
   *
   * @default {15_000}
   */
  readonly expiration?: number;
  /**
   * From where links are dialled: addresses of this machine, or interfaces, tried in their order at each dial. Without any, as
   * the system likes. It takes the native engine: without, `connectDevice` throws an `EngineError`.
   *
   * @default {[]}
   */
  readonly via?: readonly string[];
  /** Whether to dial again, for ever, when there is no link. @default {true} */
  readonly reconnect?: boolean;
  /** Where log lines go; nowhere by default. */
  readonly logger?: Logger;
  /** The time; this machine's by default. */
  readonly clock?: Clock;
  /**
   * What sockets are made with: the kernel's own interface (`native`, on Linux), or the runtime's (`portable`). Services that it
   * can never serve, such as programs with a terminal on the portable one, have `connectDevice` throw an `EngineError`.
   *
   * @default {"auto"} the best that can be had here
   */
  readonly engine?: EngineChoice;
  /** Numbers in [0, 1) for the jitter of reconnecting. */
  readonly random?: () => number;
  /** The machine's way to its server, to see when a session had better move; the system's by default. */
  readonly readNetwork?: ReadNetwork;
}

/** Options of {@linkcode connectDevice} on v1. */
export interface V1DeviceOptions extends CommonDeviceOptions {
  /** ServerAddress:ServerPort, where the device dials. */
  readonly server: Address;
  /** The wire profile to speak. */
  readonly profile: "v1";
  /**
   * The longest silence accepted from the server's system, which the native engine has asked by TCP, and from a server that
   * answers knocks, in milliseconds.
   *
   * @default {V1_KEEP_ALIVE}
   */
  readonly keepAlive?: KeepAliveSettings;
  /** What may be dialled for clients; anything else is answered with CLOSE. */
  readonly services: readonly ServiceRule[];
}

/**
 * Options of {@linkcode connectDevice} on v2. It throws an `UnprovableError` where the runtime cannot tell the server from
 * others in the way that is asked for.
 */
export interface V2DeviceOptions extends CommonDeviceOptions {
  /** ServerAddress:ServerPort, where the device dials; several are tried in turn. */
  readonly server: Address | readonly Address[];
  /** The wire profile to speak. */
  readonly profile: "v2";
  /** The server's public key, 32 bytes. */
  readonly serverKey: Uint8Array;
  /** How TLS proves the server: by its key, by a CA's word, or plain TCP. @default {"pinned"} */
  readonly security?: "pinned" | "pki" | "plain";
  /**
   * The name to send in the TLS hello (SNI), for `pinned`, where a router or firewall goes by it.
   *
   * @default {"relay.sallyport.invalid"}
   */
  readonly sni?: string;
  /**
   * Whether the handshake has to be bound to its TLS connection, so that nobody can sit between two of them, whatever
   * certificate he has: `required` refuses a server that cannot, and takes an engine that can on both sides: without one here,
   * `connectDevice` throws an `UnprovableError`.
   *
   * @default {"auto"}, which binds where both sides can
   */
  readonly binding?: "auto" | "required";
  /** Certificates of a private CA, as PEM, for `pki`; no other CA counts then. */
  readonly caCerts?: readonly string[];
  /** The device's own key. */
  readonly identity: Identity;
  /** The token of an enrolment that has not been redeemed: its id, and the SHA-256 of its secret. */
  readonly enrolment?: { readonly id: Uint8Array; readonly key: Uint8Array };
  /**
   * The longest silence accepted from the server: settings in milliseconds, or a way by its name: `fast` is
   * {@linkcode V2_KEEP_ALIVE}, and `adaptive` and `metered` are that while somebody waits and slow while nobody does, if the
   * server can. A device that is `metered` asks the server for the same.
   *
   * @default {"adaptive"}
   */
  readonly keepAlive?: KeepAliveChoice;
  /** What is offered, by name. */
  readonly services: readonly NamedService[];
  /** What the server may name and reach by itself, as `parseAllow` has it; nothing by default. */
  readonly allow?: readonly ServiceRule[];
  /** The HTTP proxy to dial a server through, if any. */
  readonly proxyFor?: (server: Address) => ProxyOptions | undefined;
  /** The mode to go to: `config` offers nothing. @default {"run"} */
  readonly mode?: "config" | "run";
}

/** Where a v2 device dials, how its server proves itself, and what is between. */
export type V2Way = Pick<
  V2DeviceOptions,
  "server" | "serverKey" | "security" | "caCerts" | "sni" | "binding" | "proxyFor"
>;

/** The way of a device to its server. */
export type DeviceWay = Pick<V1DeviceOptions, "profile" | "server"> | V2Way & Pick<V2DeviceOptions, "profile">;

/** Options of {@linkcode connectDevice}. */
export type DeviceOptions = V1DeviceOptions | V2DeviceOptions;

/** What both profiles' options come to with nothing left open. */
export type DeviceSettings = Required<Omit<CommonDeviceOptions, "engine">> & {
  readonly engine: Engine;
  /** Who is served. */
  readonly clients: DeviceClients;
  /** What became of the datagrams of all services over UDP. */
  readonly datagrams: DatagramTotals;
};

/** What a device takes another value of while it runs: it holds for links and clients to come. */
export type DeviceAdjustable = Pick<
  DeviceSettings,
  "connectTimeout" | "stallTimeout" | "tcpKeepAlive" | "linkWriteTimeout" | "expiration" | "via"
>;

/** That, with the defaults. */
export function deviceAdjustable(options: Partial<DeviceAdjustable>): DeviceAdjustable {
  return {
    connectTimeout: options.connectTimeout ?? CONNECT_TIMEOUT_MS,
    stallTimeout: options.stallTimeout ?? STALL_TIMEOUT_MS,
    tcpKeepAlive: options.tcpKeepAlive ?? TCP_KEEP_ALIVE_MS,
    linkWriteTimeout: options.linkWriteTimeout ?? LINK_WRITE_TIMEOUT_MS,
    expiration: Math.min(options.expiration ?? EXPIRATION_MS, MAX_DURATION_MS),
    via: options.via ?? [],
  };
}

/**
 * Fills in the defaults.
 *
 * @param keepsAll Whether a service that its engine can never serve is kept, without being offered.
 * @throws {EngineError} for an engine that cannot be had, or that lacks what is asked for.
 */
export function deviceSettings(options: DeviceOptions, keepsAll = false): DeviceSettings {
  const clock = options.clock ?? systemClock;
  return {
    ...deviceAdjustable(options),
    reconnect: options.reconnect ?? true,
    logger: options.logger ?? silentLogger,
    clock,
    clients: new DeviceClients(clock),
    datagrams: new DatagramTotals(),
    engine: startEngine(options.engine ?? "auto", options.logger ?? silentLogger, (chosen) => {
      if (options.via?.length) demandUplinks(chosen, options.profile === "v2" && options.security !== "plain");
      if (!keepsAll) demandServable(options.services, chosen.engine);
    }),
    random: options.random ?? Math.random,
    readNetwork: options.readNetwork ?? readNetwork,
  };
}
