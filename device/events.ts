/**
 * What a device tells its subscribers. Addresses are texts, `HOST:PORT`; times are milliseconds.
 *
 * @module
 */

import type { GoodbyeCode } from "../protocol/v2/wire/goodbye.ts";
import type { DeviceMode } from "../protocol/v2/wire/messages.ts";
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

/** The server is reached; both sides prove who they are. v1 has no handshake. */
export interface HandshakingEvent {
  /** Which event this is. */
  readonly type: "handshaking";
  /** The server, as configured. */
  readonly server: string;
}

/** The server could not be reached. */
export interface DialFailedEvent {
  /** Which event this is. */
  readonly type: "dial-failed";
  /** The server, as configured. */
  readonly server: string;
  /** What the system, or the server, said. */
  readonly error: string;
  /** The code of the server's goodbye, if it said one. */
  readonly goodbye: GoodbyeCode | undefined;
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
  /** The device's name on the server; v1 has none. */
  readonly device: string | undefined;
}

/** The link is down, and the session waits for another: clients and services are kept meanwhile. */
export interface InterruptedEvent {
  /** Which event this is. */
  readonly type: "interrupted";
  /** The server, as configured. */
  readonly server: string;
  /** Why, in one word. */
  readonly reason: LinkEndReason;
  /** More about it for people, where there is more. */
  readonly detail: string | undefined;
  /** When the next try is. */
  readonly retryIn: number;
}

/** A session goes on over another link: after it was interrupted, or as it moved there from one that was still up. */
export interface ResumedEvent {
  /** Which event this is. */
  readonly type: "resumed";
  /** The server, as configured. */
  readonly server: string;
  /** This device's end of the link. */
  readonly local: string;
  /** Milliseconds without a link. */
  readonly interrupted: number;
  /** Bytes that were sent again. */
  readonly replayed: number;
  /** Whether the link before was still up: nobody had to wait, and no interruption was told. */
  readonly moved?: boolean;
}

/** The link is over, and its session with it: its channels are closed. */
export interface LostEvent {
  /** Which event this is. */
  readonly type: "lost";
  /** The server, as configured. */
  readonly server: string;
  /** Why, in one word. */
  readonly reason: LinkEndReason;
  /** More about it for people, where there is more. */
  readonly detail: string | undefined;
  /** The code of the server's goodbye, if it said one. */
  readonly goodbye: GoodbyeCode | undefined;
  /** Its life in milliseconds. */
  readonly duration: number;
  /** When the next try is, or `undefined` if this was the end. */
  readonly retryIn: number | undefined;
  /** On v2, clients that were ended with it. */
  readonly clients?: number | undefined;
  /** Whether the link was lost before, and `interrupted` told it: what ended now is the session that waited. */
  readonly interrupted?: true;
}

/**
 * A new connection to the server (seed 002, SubscribeConnection): of a new session, of one that goes on, or to a server that
 * speaks other versions, and said so: a {@linkcode DialFailedEvent} with the goodbye `incompatible`.
 */
export type DeviceConnectionEvent = OnlineEvent | ResumedEvent | DialFailedEvent;

/** The loss of the link (seed 002, SubscribeConnectionLost); the session may still wait for another. */
export type DeviceConnectionLostEvent = InterruptedEvent | LostEvent;

/** A channel is over. */
export interface ChannelEndEvent {
  /** Which event this is. */
  readonly type: "channel-end";
  /** The client id on the link. */
  readonly id: number;
  /** The client's address, `HOST:PORT`; v1 does not tell it. */
  readonly client: string | undefined;
  /** The service: on v1 its address, as the server asked for it; on v2 its name. */
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

/** The server answered for a service. */
export interface ServiceGrantEvent {
  /** Which event this is. */
  readonly type: "service";
  /** Its name. */
  readonly service: string;
  /** Where clients reach it; `undefined` if they cannot. */
  readonly hostAddress: string | undefined;
  /** Why they cannot. */
  readonly error: string | undefined;
}

/** The device is in another mode. */
export interface DeviceModeEvent {
  /** Which event this is. */
  readonly type: "mode";
  /** Its mode. */
  readonly mode: DeviceMode;
}

/** Any event of a device. */
export type DeviceEvent =
  | ServiceGrantEvent
  | DeviceModeEvent
  | ConnectingEvent
  | HandshakingEvent
  | DialFailedEvent
  | OnlineEvent
  | InterruptedEvent
  | ResumedEvent
  | LostEvent
  | ChannelEndEvent;

/** Every type of them, once. */
export const DEVICE_EVENT_TYPES: readonly DeviceEvent["type"][] = Object.keys(
  {
    "connecting": 0,
    "handshaking": 0,
    "dial-failed": 0,
    "online": 0,
    "interrupted": 0,
    "resumed": 0,
    "lost": 0,
    "channel-end": 0,
    "service": 0,
    "mode": 0,
  } satisfies Record<DeviceEvent["type"], 0>,
) as DeviceEvent["type"][];
