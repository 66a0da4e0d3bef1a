/**
 * What a device tells its subscribers. Addresses are texts, `HOST:PORT`; times are milliseconds.
 *
 * @module
 */

import type { ChannelEndReason, LinkEndReason } from "../protocol/reasons.ts";

/** The device dials the server. */
export interface ConnectingEvent {
  /** Which event this is. */
  readonly type: "connecting";
  /** The server, as configured. */
  readonly server: string;
  /** Tries since the last link that lasted, from 1. */
  readonly attempt: number;
}

/** The server could not be reached. */
export interface DialFailedEvent {
  /** Which event this is. */
  readonly type: "dial-failed";
  /** The server, as configured. */
  readonly server: string;
  /** What the system said. */
  readonly error: string;
  /** Milliseconds until the next try. */
  readonly retryIn: number;
}

/** The link is up: LISTEN is sent. */
export interface OnlineEvent {
  /** Which event this is. */
  readonly type: "online";
  /** The server, as configured. */
  readonly server: string;
  /** This device's end of the link. */
  readonly local: string;
}

/** The link is over: its channels are closed. */
export interface LostEvent {
  /** Which event this is. */
  readonly type: "lost";
  /** The server, as configured. */
  readonly server: string;
  /** Why, in one word. */
  readonly reason: LinkEndReason;
  /** More about it for people, where there is more. */
  readonly detail: string | undefined;
  /** Its life in milliseconds. */
  readonly duration: number;
  /** When the next try is, or `undefined` if this was the end. */
  readonly retryIn: number | undefined;
}

/** A channel is over. */
export interface ChannelEndEvent {
  /** Which event this is. */
  readonly type: "channel-end";
  /** The client id on the link. */
  readonly id: number;
  /** The service, as the server asked for it. */
  readonly service: string;
  /** Why, in one word. */
  readonly reason: ChannelEndReason;
  /** What the system said when the service could not be reached. */
  readonly error: string | undefined;
  /** Bytes from the client to the service. */
  readonly bytesUp: number;
  /** Bytes from the service to the client. */
  readonly bytesDown: number;
  /** Its life in milliseconds. */
  readonly duration: number;
}

/** Any event of a device. */
export type DeviceEvent = ConnectingEvent | DialFailedEvent | OnlineEvent | LostEvent | ChannelEndEvent;
