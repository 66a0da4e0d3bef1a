/**
 * What a server tells its subscribers. Addresses are texts, `HOST:PORT`; times are milliseconds.
 *
 * @module
 */

import type { ChannelEndReason, LinkEndReason } from "../protocol/reasons.ts";

/** A listener for devices is open. */
export interface ListeningEvent {
  readonly type: "listening";
  /** The address really bound. */
  readonly address: string;
  readonly profile: "v1";
}

/** A device has a link. */
export interface LinkUpEvent {
  readonly type: "link-up";
  /** The listener that it came to. */
  readonly listen: string;
  /** Where it came from. */
  readonly device: string;
}

/** A host listener is open: clients can connect. */
export interface HostOpenEvent {
  readonly type: "host-open";
  /** The address really bound. */
  readonly hostAddress: string;
  readonly localAddress: string;
}

/** A host listener could not be opened; it is tried again while the link lives. */
export interface HostFailedEvent {
  readonly type: "host-failed";
  readonly hostAddress: string;
  readonly localAddress: string;
  readonly error: string;
}

/** A client's connection is over. */
export interface ClientEndEvent {
  readonly type: "client-end";
  readonly client: string;
  readonly hostAddress: string;
  readonly localAddress: string;
  readonly reason: ChannelEndReason;
  /** Bytes from the client to the service. */
  readonly bytesUp: number;
  /** Bytes from the service to the client. */
  readonly bytesDown: number;
  readonly duration: number;
}

/** A link is over: its clients and host listeners are closed. */
export interface LinkDownEvent {
  readonly type: "link-down";
  readonly listen: string;
  readonly device: string;
  readonly reason: LinkEndReason;
  readonly detail: string | undefined;
  readonly duration: number;
}

/** Somebody connected to a listener for devices and was turned away. */
export interface RefusedEvent {
  readonly type: "refused";
  readonly listen: string;
  readonly remote: string;
  readonly why: string;
}

/** Any event of a server. */
export type ServerEvent =
  | ListeningEvent
  | LinkUpEvent
  | HostOpenEvent
  | HostFailedEvent
  | ClientEndEvent
  | LinkDownEvent
  | RefusedEvent;
