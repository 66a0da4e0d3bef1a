/**
 * What a CAN service tells its subscribers. Times are milliseconds.
 *
 * @module
 */

import type { WireName } from "../wire.ts";

/** A client, as it is when asked. */
export interface CanClient {
  /** Where it comes from, `HOST:PORT`. */
  readonly address: string;
  /** Which protocol it speaks; `undefined` while that is not known. */
  readonly wire: WireName | undefined;
  /** When it connected, in milliseconds since 1970. */
  readonly since: number;
  /** Whether frames reach it. */
  readonly isOpen: boolean;
  /** Frames that it has sent to the bus. */
  readonly received: number;
  /** Frames that were sent to it. */
  readonly sent: number;
  /** Frames that it did not take in time. */
  readonly lost: number;
}

/** A client has the bus. */
export interface CanClientEvent {
  /** Which event this is. */
  readonly type: "client";
  /** The client. */
  readonly client: CanClient;
}

/** A client is gone, whether it had the bus or not. */
export interface CanClientEndedEvent {
  /** Which event this is. */
  readonly type: "client-ended";
  /** The client, as it was at its end. */
  readonly client: CanClient;
  /** Why, for people. */
  readonly reason: string;
}

/** The bus was opened, for the first client. */
export interface CanBusOpenEvent {
  /** Which event this is. */
  readonly type: "bus-open";
  /** What people call it. */
  readonly bus: string;
  /** Bits per second that it was told; `undefined` if it was told none. */
  readonly bitrate: number | undefined;
}

/** Something is wrong with the bus; clients that can be told are. */
export interface CanBusTroubleEvent {
  /** Which event this is. */
  readonly type: "bus-trouble";
  /** What people call it. */
  readonly bus: string;
  /** What is wrong, for people. */
  readonly error: string;
  /** Whether it is closed for that. */
  readonly gone: boolean;
}

/** The bus was closed, behind the last client or after trouble. */
export interface CanBusClosedEvent {
  /** Which event this is. */
  readonly type: "bus-closed";
  /** What people call it. */
  readonly bus: string;
}

/** What a CAN service tells. */
export type CanEvent =
  | CanClientEvent
  | CanClientEndedEvent
  | CanBusOpenEvent
  | CanBusTroubleEvent
  | CanBusClosedEvent;
