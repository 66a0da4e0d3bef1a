/**
 * What a device tells its subscribers. Addresses are texts, `HOST:PORT`; times are milliseconds.
 *
 * @module
 */

import type { ChannelEndReason, LinkEndReason } from "../protocol/reasons.ts";

/** The device dials the server. */
export interface ConnectingEvent {
  readonly type: "connecting";
  readonly server: string;
  /** Tries since the last link that lasted, from 1. */
  readonly attempt: number;
}

/** The server could not be reached. */
export interface DialFailedEvent {
  readonly type: "dial-failed";
  readonly server: string;
  readonly error: string;
  readonly retryIn: number;
}

/** The link is up: LISTEN is sent. */
export interface OnlineEvent {
  readonly type: "online";
  readonly server: string;
  /** This device's end of the link. */
  readonly local: string;
}

/** The link is over: its channels are closed. */
export interface LostEvent {
  readonly type: "lost";
  readonly server: string;
  readonly reason: LinkEndReason;
  readonly detail: string | undefined;
  readonly duration: number;
  /** When the next try is, or `undefined` if this was the end. */
  readonly retryIn: number | undefined;
}

/** A channel is over. */
export interface ChannelEndEvent {
  readonly type: "channel-end";
  readonly id: number;
  readonly service: string;
  readonly reason: ChannelEndReason;
  /** What the system said when the service could not be reached. */
  readonly error: string | undefined;
  /** Bytes from the client to the service. */
  readonly bytesUp: number;
  /** Bytes from the service to the client. */
  readonly bytesDown: number;
  readonly duration: number;
}

/** Any event of a device. */
export type DeviceEvent = ConnectingEvent | DialFailedEvent | OnlineEvent | LostEvent | ChannelEndEvent;
