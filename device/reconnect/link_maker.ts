/**
 * How a device gets from a dial to a link, by profile.
 *
 * @module
 */

import type { DatagramCounts } from "../../net/udp/counts.ts";
import type { Address } from "../../protocol/address.ts";
import type { BytesOfDay } from "../../relay/link/day_bytes.ts";
import type { Endpoint, KeepAliveChoice, KeepAliveSettings } from "../../protocol/keep_alive.ts";
import type { Goodbye } from "../../protocol/v2/wire/goodbye.ts";
import type { LinkEndReason } from "../../protocol/reasons.ts";
import type { DeviceMode, GrantCode } from "../../protocol/v2/wire/messages.ts";
import type { LinkEnd } from "../../relay/link/end.ts";
import type { TcpFacts } from "../../net/socket.ts";
import type { NamedService } from "../v2/named_service.ts";
import type { DeviceWay } from "../options.ts";
import type { ServiceRule } from "../services.ts";
import type { ServiceStatus } from "../v2/service_board.ts";

/** A link of any profile, as the device's loop sees it; or the session that goes on from one to the next. */
export interface LinkLife {
  /** Resolves when the link is down; never rejects. */
  readonly down: Promise<LinkEnd>;
  /** Resolves when nothing of it can go on over another link; never rejects. */
  readonly over: Promise<LinkEnd>;
  /** Since when no link is up, on the clock, while it waits for the next; on v1 never. */
  readonly interruptedAt: number | undefined;
  /** Whether it may go on over another link. */
  readonly resumable: boolean;
  /** Whether the server has opened a channel on the link. */
  readonly served: boolean;
  /** What the server said last, if it took its leave. */
  readonly goodbye?: Goodbye | undefined;
  /** Ends in order. */
  shutdown(): Promise<void>;
  /** Resolves when it is over and the connections to its services are closed. */
  ended(): Promise<void>;
  /** Ends at once. Idempotent. */
  close(reason: LinkEndReason): void;
}

/** What came of a dial. */
export interface MadeLink {
  readonly link: LinkLife;
  /** This device's end of it. */
  readonly local: string;
  /** The other end of its connection: the server's, or a proxy's. */
  readonly remote: string;
  /** The device's name on the server; v1 has none. */
  readonly device: string | undefined;
  /** Set if a session goes on. */
  readonly resumed?: {
    /** Milliseconds without a link. */
    readonly interrupted: number;
    /** Bytes that were sent again. */
    readonly replayed: number;
    /** Whether the link before was still up. */
    readonly moved?: boolean;
  };
}

/** What a device can say of itself, as far as its profile knows it. */
export interface LinkFacts {
  /** The mode; a v1 device is always in `run`. */
  readonly mode: DeviceMode;
  /** On the way to another mode (seed 002): clients may finish, or the server has not answered for the services yet. */
  readonly modeChange: "runToConfig" | "configToRun" | undefined;
  /** Its services by name; on v1 what the server may ask for. */
  readonly services: readonly ServiceStatus[];
  /** What became of the datagrams of all services over UDP, since the device runs. */
  readonly datagrams: DatagramCounts;
  /** The longest silence that it accepts from the server; on v1, while there is a link, as the system has it. */
  readonly keepAlive: KeepAliveSettings;
  /** The longest silence that the server accepts from it, as the server said. */
  readonly serverKeepAlive: KeepAliveSettings | undefined;
  /** What its links have cost today; not known on v1. */
  readonly bytesToday: BytesOfDay | undefined;
  /** The same of the day before that was counted, if there was one. */
  readonly bytesBefore: BytesOfDay | undefined;
  /**
   * Whether both sides have signed the TLS connection of the link, so that nobody can sit between two of them; `undefined`
   * without a session, and on v1.
   */
  readonly bound: boolean | undefined;
  /** The server's wall clock less the device's, in milliseconds. */
  readonly clockOffset: number | undefined;
  /** The last round trip of a PING, in milliseconds. */
  readonly roundTrip: number | undefined;
  /** What the system says of the link's TCP; `undefined` without a link, and where it cannot be asked. */
  readonly tcp: TcpFacts | undefined;
}

/** Another way to the server, which is prepared. */
export interface PreparedWay {
  /** Whether the session that there is can go on over it: it leads to the same server, as far as one can tell. */
  readonly goesOn: boolean;
  /** The next dial goes by it. */
  commit(): void;
}

/** Makes links of one profile, one after the other. */
export interface LinkMaker {
  /** Where the next link is dialled to. */
  readonly server: Address;
  /** What is known. */
  readonly facts: LinkFacts;
  /** Begins. */
  start(): void;
  /**
   * Dials, and does what the profile asks for before a link is up. `onConnected` is called in between.
   *
   * @throws What went wrong; `HandshakeError` with the server's goodbye.
   */
  make(signal: AbortSignal, onConnected: () => void): Promise<MadeLink>;
  /** The link that was made last is down. */
  lost(): void;
  /** Prepares another way. @throws {UnprovableError} or {RangeError} for one that cannot be. */
  prepareWay(way: DeviceWay): PreparedWay;
  /** The server may name other addresses, where the profile has that; clients beyond are ended. @returns whether the server has to hear of it, over another link. */
  setAllow(rules: readonly ServiceRule[]): boolean;
  /** Changes the longest silence accepted, where the profile can. */
  setKeepAlive(settings: KeepAliveChoice, endpoint: Endpoint): void;
  /**
   * Asks the server which services it would open, without offering any, where the profile has that. Resolves with an answer
   * for each, unless the link ends before.
   */
  askGrants(): Promise<readonly GrantCode[]>;
  /** Ends the link that is up, if one is; what can goes on over the next. */
  drop(): void;
  /** Changes the mode, where the profile has modes; to `config` only when clients have gone, or `drain` milliseconds are over. */
  setMode(mode: Exclude<DeviceMode, "init">, drain: number): void;
  /** Offers one more service, or another in the place of that of its name, where the profile has services by name. */
  putService(service: NamedService): void;
  /** Offers one no more, and ends its clients. @returns whether there was one. */
  takeService(name: string): boolean;
  /** No more links. Resolves when nothing is left of what their clients had of services. */
  close(): Promise<void>;
}
