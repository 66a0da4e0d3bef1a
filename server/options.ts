/**
 * What a server can be told, with the defaults.
 *
 * @module
 */

import { EXPIRATION_MS, LINK_WRITE_TIMEOUT_MS, STALL_TIMEOUT_MS, TCP_KEEP_ALIVE_MS } from "../net/limits.ts";
import { HALF_CLOSE_TIMEOUT_MS } from "./limits.ts";
import type { Address } from "../protocol/address.ts";
import type { KeepAliveChoice, KeepAliveSettings } from "../protocol/keep_alive.ts";
import { type EngineChoice, startEngine } from "../net/engines.ts";
import type { Engine } from "../net/socket.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { MAX_DURATION_MS } from "../base/limits.ts";
import type { Identity } from "../net/tls/identity.ts";
import { type Logger, silentLogger } from "../base/logger.ts";
import type { TlsSource } from "../net/tls/listening.ts";
import type { AuthorizedDevice, DevicesChange } from "./devices/authorized_devices.ts";
import type { HeldCount } from "./v1/held_clients.ts";
import { Capacity } from "./capacity/capacity.ts";
import { LinkCount } from "./capacity/link_count.ts";
import type { ServerLimits } from "./capacity/server_limits.ts";
import type { AccessRules } from "./access/rules.ts";
import { RefusalCounts } from "./access/refusal_counts.ts";
import { Openings } from "./access/openings.ts";
import { ClientRoom } from "./ports/client_room.ts";
import type { UnixHostAddress } from "./ports/unix_host.ts";
import { DatagramTotals } from "../net/udp/counts.ts";
import { ClientTable } from "./ports/client_table.ts";
import { Drains } from "./ports/drains.ts";
import type { ListenerCount } from "./door/door_room.ts";

/** A host address that clients reach, and the local address on the device's side that it stands for. */
export interface Forward {
  /** HostAddress:HostPort, where the server listens for clients; port 0 picks a free one. Or a Unix socket. */
  readonly hostAddress: Address | UnixHostAddress;
  /** LocalAddress:LocalPort, which the device dials; it resolves names. */
  readonly localAddress: Address;
  /** Who may come there; without `bandwidthDown` and `closed`, which v1 cannot have. */
  readonly access?: AccessRules;
}

/** A listener for v1 devices, one at a time. */
export interface V1ListenOptions {
  /** ServerAddress:ServerPort, where devices dial in. */
  readonly address: Address;
  /** The wire profile that it speaks. */
  readonly profile: "v1";
  /** What its device is reached for. */
  readonly forwards: readonly Forward[];
  /**
   * The longest silence accepted from the device's system, in milliseconds. It takes the native engine; with the portable one
   * the system's own pace holds.
   *
   * @default {V1_KEEP_ALIVE}
   */
  readonly keepAlive?: KeepAliveSettings;
  /** Networks of load balancers, whose connections begin with a PROXY protocol header that is believed; none by default. */
  readonly proxyFrom?: readonly string[];
}

/** A listener for v2 devices, any number of them. */
export interface V2ListenOptions {
  /** ServerAddress:ServerPort, where devices dial in. */
  readonly address: Address;
  /** The wire profile that it speaks. */
  readonly profile: "v2";
  /** How TLS proves the server, or plain TCP. */
  readonly security: TlsSource | { readonly kind: "plain" };
  /**
   * Networks of load balancers, whose connections begin with a PROXY protocol header that is believed; none by default.
   * With TLS every link then takes a second hop, over the loopback interface.
   */
  readonly proxyFrom?: readonly string[];
}

/** A listener for devices. */
export type ListenOptions = V1ListenOptions | V2ListenOptions;

/** Who may link up; `AuthorizedDevices` is one that is read from a file. */
export interface DeviceDirectory {
  /** The device with a public key, if there is one. */
  byKey(publicKey: Uint8Array): AuthorizedDevice | undefined;
  /** The rules for the services of all, unless a device or a service has its own; none by default. */
  readonly defaults?: AccessRules;
  /** How many there are; without it, `limits.devices` holds nobody off. */
  readonly count?: number;
  /** The device of a name, if there is one; without this method, those alone are known by name that came. */
  byName?(name: string): AuthorizedDevice | undefined;
  /** Calls `subscriber` for every change from now on. @returns what ends that. */
  subscribe(subscriber: (change: DevicesChange) => void): () => void;
}

/** Where devices enrol; `Enrolments` is one that is kept in files. */
export interface EnrolmentDesk {
  /** The SHA-256 of a token's secret, if there is such a token. */
  secretHash(token: Uint8Array): Promise<Uint8Array | undefined>;
  /**
   * Whether a token can still be redeemed: then a device that is known already redeems it too, for what else it brings.
   * Without this method, tokens of known devices are ignored.
   */
  waits?(token: Uint8Array): Promise<boolean>;
  /** Whether a token makes one device more, and not a new key for one that is there; without this method, every one does. */
  adds?(token: Uint8Array): Promise<boolean>;
  /** Makes the owner of `publicKey` the token's device. @returns it, or why not. */
  redeem(token: Uint8Array, publicKey: Uint8Array): Promise<AuthorizedDevice | { readonly refused: string }>;
}

/** The ports that free ones and ranges came to; by default they are kept as long as the server runs. */
export interface PortMemory {
  /** The port of a device's service, if there was one. */
  get(device: string, service: string): number | undefined;
  /** Keeps it. */
  set(device: string, service: string, port: number): void;
  /** Whether a port is somebody's for good, so that whoever picks a free one leaves it. */
  isReserved?(port: number): boolean;
  /** Whether a port is kept for another service than this, so that it is picked only if no other is left. */
  isKeptByOther?(port: number, device: string, service: string): boolean;
}

/** What v2 needs beside listeners. */
export interface V2Options {
  /** The server's own key. */
  readonly identity: Identity;
  /** Who may link up. */
  readonly devices: DeviceDirectory;
  /** Where devices enrol; nowhere by default. */
  readonly enrolments?: EnrolmentDesk;
  /** Ports that were picked; kept as long as the server runs by default. */
  readonly ports?: PortMemory;
  /** What is open for a time, which follows devices that are renamed; by default it is so as long as the server runs. */
  readonly openings?: Openings;
}

/** Options of {@linkcode serve}. */
export interface ServeOptions {
  /** Listeners for devices; a v1 listener serves one device at a time. */
  readonly listen: readonly ListenOptions[];
  /** What v2 listeners need. */
  readonly v2?: V2Options;
  /**
   * The longest silence accepted from a v2 device: settings in milliseconds, or a way by its name: `fast` is
   * {@linkcode V2_KEEP_ALIVE}, and `adaptive` and `metered` are that while somebody waits and slow while nobody does, on both
   * sides, if the device can.
   *
   * @default {"adaptive"}
   */
  readonly keepAlive?: KeepAliveChoice;
  /**
   * Milliseconds of silence after which a client that does not answer any more is ended: the system asks in the second half of
   * that time. Negative: never. Takes Linux and the permission `ffi`; elsewhere the system's own pace holds.
   *
   * @default {120_000}
   */
  readonly tcpKeepAlive?: number;
  /**
   * Milliseconds that a client may hold its link before it is ended.
   *
   * @default {10_000}
   */
  readonly stallTimeout?: number;
  /**
   * Milliseconds without a byte after which a client that shut down its writing side is ended; 0 ends it at once, as the
   * original peers do. On v1 only; when many are held, each is held for a part of that.
   *
   * @default {5_000}
   */
  readonly halfCloseTimeout?: number;
  /**
   * Milliseconds that a device may take nothing before its link is given up; negative for ever.
   *
   * @default {60_000}
   */
  readonly linkWriteTimeout?: number;
  /**
   * Bytes on the wire that the links of a v2 device may cost in a day (UTC) before a warning says so; 0: none.
   *
   * @default {0}
   */
  readonly warnBytesADay?: number;
  /**
   * The most that the whole server takes; newcomers beyond are refused with the reason `server-limit`.
   *
   * @default {{}}
   */
  readonly limits?: ServerLimits;
  /** Milliseconds that a v2 session outlives its link; 0: not at all (seed 002, "expiration time"). @default {15000} */
  readonly expiration?: number;
  /** Where log lines go; nowhere by default. */
  readonly logger?: Logger;
  /** The time; this machine's by default. */
  readonly clock?: Clock;
  /**
   * What sockets are made with: the kernel's own interface (`native`, on Linux), or the runtime's (`portable`).
   *
   * @default {"auto"} the best that can be had here
   */
  readonly engine?: EngineChoice;
}

/** {@linkcode ServeOptions} with nothing left open. */
export type ServerSettings = Required<Omit<ServeOptions, "listen" | "v2" | "engine">> & {
  readonly engine: Engine;
  readonly v2: V2Options | undefined;
  /** Its listeners for devices, whose doors share descriptors. */
  readonly listeners: ListenerCount;
  /** Clients of all v1 links that are held. */
  readonly heldCount: HeldCount;
  /** How many clients of all services there may be. */
  readonly clientRoom: ClientRoom;
  /** What the whole server takes, and how much of that is in use. */
  readonly capacity: Capacity;
  /** Clients that rules refused or ended. */
  readonly refusalCounts: RefusalCounts;
  /** What became of the datagrams of all services over UDP. */
  readonly datagrams: DatagramTotals;
  /** How often a host port could not be opened, also where it is tried again and again and that is told once. */
  readonly hostFailures: { count: number };
  /** What is open for a time. */
  readonly openings: Openings;
  /** Who they are. */
  readonly clients: ClientTable;
  /** Where new ones are refused for a while. */
  readonly drains: Drains;
};

/** What a server takes another value of while it runs: it holds for links and clients to come. */
export type Adjustable = Pick<
  ServerSettings,
  | "keepAlive"
  | "stallTimeout"
  | "tcpKeepAlive"
  | "halfCloseTimeout"
  | "linkWriteTimeout"
  | "warnBytesADay"
  | "expiration"
  | "limits"
>;

/** That, with the defaults. */
export function adjustable(options: Partial<Adjustable>): Adjustable {
  return {
    keepAlive: options.keepAlive ?? "adaptive",
    stallTimeout: options.stallTimeout ?? STALL_TIMEOUT_MS,
    tcpKeepAlive: options.tcpKeepAlive ?? TCP_KEEP_ALIVE_MS,
    halfCloseTimeout: options.halfCloseTimeout ?? HALF_CLOSE_TIMEOUT_MS,
    linkWriteTimeout: options.linkWriteTimeout ?? LINK_WRITE_TIMEOUT_MS,
    warnBytesADay: options.warnBytesADay ?? 0,
    expiration: Math.min(options.expiration ?? EXPIRATION_MS, MAX_DURATION_MS),
    limits: options.limits ?? {},
  };
}

/** Fills in the defaults. */
export function serverSettings(options: ServeOptions): ServerSettings {
  const clock = options.clock ?? systemClock;
  const logger = options.logger ?? silentLogger;
  const clients = new ClientTable(clock);
  const clientRoom = new ClientRoom();
  const limits = () => settings.limits;
  const settings: ServerSettings = {
    v2: options.v2,
    ...adjustable(options),
    logger,
    clock,
    engine: startEngine(options.engine ?? "auto", logger),
    listeners: { open: 0 },
    heldCount: { held: 0 },
    clientRoom,
    capacity: new Capacity({ clock, logger, limits, links: new LinkCount(), clients: clientRoom }),
    refusalCounts: new RefusalCounts(),
    datagrams: new DatagramTotals(),
    hostFailures: { count: 0 },
    openings: options.v2?.openings ?? new Openings(clock, options.logger),
    clients,
    drains: new Drains(clock, clients),
  };
  return settings;
}
