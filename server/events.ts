/**
 * What a server tells its subscribers. Addresses are texts, `HOST:PORT`; times are milliseconds.
 *
 * @module
 */

import type { DeviceMode } from "../protocol/v2/wire/messages.ts";
import type { ChannelEndReason, LinkEndReason, RefusalReason } from "../protocol/reasons.ts";

/** A listener for devices is open. */
export interface ListeningEvent {
  /** Which event this is. */
  readonly type: "listening";
  /** The address really bound. */
  readonly address: string;
  /** The wire profile. */
  readonly profile: "v1" | "v2";
  /** How TLS proves the server: by its key, or by a CA's word; `plain` without TLS. */
  readonly security: "plain" | "pinned" | "pki";
}

/** A device has a link. */
export interface LinkUpEvent {
  /** Which event this is. */
  readonly type: "link-up";
  /** The listener that it came to. */
  readonly listen: string;
  /** On v2 its name; on v1 where it came from. */
  readonly device: string;
  /** Where it came from. */
  readonly remote: string;
}

/** A link of a v2 device has ended, and its session waits for another: host ports and clients are kept meanwhile. */
export interface LinkInterruptedEvent {
  /** Which event this is. */
  readonly type: "link-interrupted";
  /** The listener that it came to. */
  readonly listen: string;
  /** The device's name. */
  readonly device: string;
  /** Where it came from. */
  readonly remote: string;
  /** Why, in one word. */
  readonly reason: LinkEndReason;
  /** One line more, where there is more to say. */
  readonly detail: string | undefined;
  /** Milliseconds that it waits at most. */
  readonly expiration: number;
  /** Clients that wait with it. */
  readonly clients: number;
}

/** A session goes on over another link: after it was interrupted, or as it moved there from one that was still up. */
export interface LinkResumedEvent {
  /** Which event this is. */
  readonly type: "link-resumed";
  /** The listener that it came to. */
  readonly listen: string;
  /** The device's name. */
  readonly device: string;
  /** Where it comes from now. */
  readonly remote: string;
  /** Milliseconds without a link. */
  readonly interrupted: number;
  /** Bytes that were sent again. */
  readonly replayed: number;
  /** Whether the link before was still up: nobody had to wait, and no interruption was told. */
  readonly moved?: boolean;
}

/** A host listener is open: clients can connect. */
export interface HostOpenEvent {
  /** Which event this is. */
  readonly type: "host-open";
  /** The address really bound. */
  readonly hostAddress: string;
  /** The service: on v1 as the device dials it, on v2 its name. */
  readonly localAddress: string;
  /** The device's name; v1 has none. */
  readonly device: string | undefined;
}

/** A host listener could not be opened; it is tried again while the link lives, and told again when another error comes. */
export interface HostFailedEvent {
  /** Which event this is. */
  readonly type: "host-failed";
  /** The host address: what was really bound, or what was asked for. */
  readonly hostAddress: string;
  /** The service: on v1 as the device dials it, on v2 its name. */
  readonly localAddress: string;
  /** The device's name; v1 has none. */
  readonly device: string | undefined;
  /** What the system said. */
  readonly error: string;
}

/** A host listener of a device that is linked is closed: its service was withdrawn, or may not be offered any more. */
export interface HostClosedEvent {
  /** Which event this is. */
  readonly type: "host-closed";
  /** The host address that was bound. */
  readonly hostAddress: string;
  /** The service's name. */
  readonly localAddress: string;
  /** The device's name. */
  readonly device: string;
}

/** A client's connection is over. */
export interface ClientEndEvent {
  /** Which event this is. */
  readonly type: "client-end";
  /** Where the client came from. */
  readonly client: string;
  /** The host address: what was really bound, or what was asked for. */
  readonly hostAddress: string;
  /** The service: on v1 as the device dials it, on v2 its name. */
  readonly localAddress: string;
  /** The device's name; v1 has none. */
  readonly device: string | undefined;
  /** Why, in one word. */
  readonly reason: ChannelEndReason;
  /** What the device said when the service could not be reached. */
  readonly error: string | undefined;
  /** Bytes from the client to the service. */
  readonly bytesUp: number;
  /** Bytes from the service to the client. */
  readonly bytesDown: number;
  /** Its life in milliseconds. */
  readonly duration: number;
}

/** A link is over: its clients and host listeners are closed. */
export interface LinkDownEvent {
  /** Which event this is. */
  readonly type: "link-down";
  /** The listener for devices that it came to. */
  readonly listen: string;
  /** On v2 its name; on v1 where it came from. */
  readonly device: string;
  /** Where it came from. */
  readonly remote: string;
  /** Why, in one word. */
  readonly reason: LinkEndReason;
  /** More about it for people, where there is more. */
  readonly detail: string | undefined;
  /** Its life in milliseconds. */
  readonly duration: number;
  /** On v2, clients that were ended with it. */
  readonly clients?: number | undefined;
  /** Whether the link was lost before, and `link-interrupted` told it: what ended now is the session that waited. */
  readonly interrupted?: true;
}

/** A device came that speaks no version of this server, and was turned away. What it says is not proved. */
export interface IncompatibleEvent {
  /** Which event this is. */
  readonly type: "incompatible";
  /** The listener that it came to. */
  readonly listen: string;
  /** The name of the device whose key it showed. */
  readonly device: string;
  /** Where it came from. */
  readonly remote: string;
  /** The lowest and the highest version that it speaks. */
  readonly versions: readonly [number, number];
  /** Its program, as it said. */
  readonly software: string;
}

/** A new connection of a device (seed 002, SubscribeConnection): of a new session, of one that goes on, or of no use. */
export type ConnectionEvent = LinkUpEvent | LinkResumedEvent | IncompatibleEvent;

/** The loss of a device's link (seed 002, SubscribeConnectionLost); its session may still wait for another. */
export type ConnectionLostEvent = LinkInterruptedEvent | LinkDownEvent;

/** Somebody connected to a listener for devices and was turned away, or ended by itself before it said who it is. */
export interface RefusedEvent {
  /** Which event this is. */
  readonly type: "refused";
  /** The listener for devices that it came to. */
  readonly listen: string;
  /** Where it came from. */
  readonly remote: string;
  /** What was wrong, in one word. */
  readonly reason: RefusalReason;
  /** The same, in one line. */
  readonly why: string;
  /** The name of the device whose key it showed, if one has that. */
  readonly device?: string;
  /** The key that it showed, as text. */
  readonly key?: string;
  /** Whether it proved the key to be its own: anybody can show that of another, and end there. */
  readonly proved?: boolean;
}

/** A device says that it is in another mode; v1 has none. */
export interface ModeEvent {
  /** Which event this is. */
  readonly type: "mode";
  /** The device's name. */
  readonly device: string;
  /** Its mode. */
  readonly mode: DeviceMode;
}

/** A device has used its enrolment string. */
export interface EnrolledEvent {
  /** Which event this is. */
  readonly type: "enrolled";
  /** The device's name. */
  readonly device: string;
  /** Its public key, as text. */
  readonly key: string;
}

/** A service that is closed by default was opened for a time, or an address of a device's network. */
export interface ServiceOpenedEvent {
  /** Which event this is. */
  readonly type: "service-opened";
  /** The device's name. */
  readonly device: string;
  /** The service's name. */
  readonly localAddress: string;
  /** Until when, in milliseconds since 1970. */
  readonly until: number;
  /** What the device dials for it, if it is an address that somebody asked for, and no service that it is granted. */
  readonly to: string | undefined;
  /** Networks that it is open to, if not to all that its rules let in. */
  readonly from: readonly string[] | undefined;
  /** Why, for people. */
  readonly reason: string | undefined;
  /** Who opened it, for people. */
  readonly by: string | undefined;
}

/** Its time is over, or somebody closed it. */
export interface ServiceClosedEvent {
  /** Which event this is. */
  readonly type: "service-closed";
  /** The device's name. */
  readonly device: string;
  /** The service's name. */
  readonly localAddress: string;
  /** Who closed it, for people; `undefined` for the clock. */
  readonly by: string | undefined;
  /** Who had opened it. */
  readonly openedBy: string | undefined;
  /** Why it had been opened. */
  readonly reason: string | undefined;
}

/** A limit of the whole server has refused newcomers: told for the first of them, and at most once a minute after that. */
export interface LimitReachedEvent {
  /** Which event this is. */
  readonly type: "limit-reached";
  /** Which limit, as the status names it. */
  readonly limit: string;
  /** How much of it is in use. */
  readonly used: number;
  /** The most there can be. */
  readonly most: number;
  /** Newcomers who were refused since it was told the last time. */
  readonly refused: number;
}

/** Any event of a server. */
export type ServerEvent =
  | ListeningEvent
  | LinkUpEvent
  | LinkInterruptedEvent
  | LinkResumedEvent
  | HostOpenEvent
  | HostFailedEvent
  | HostClosedEvent
  | ClientEndEvent
  | LinkDownEvent
  | IncompatibleEvent
  | RefusedEvent
  | ModeEvent
  | EnrolledEvent
  | LimitReachedEvent
  | ServiceOpenedEvent
  | ServiceClosedEvent;

/** Every type of them, once. */
export const SERVER_EVENT_TYPES: readonly ServerEvent["type"][] = Object.keys(
  {
    "listening": 0,
    "link-up": 0,
    "link-interrupted": 0,
    "link-resumed": 0,
    "link-down": 0,
    "host-open": 0,
    "host-failed": 0,
    "host-closed": 0,
    "client-end": 0,
    "incompatible": 0,
    "refused": 0,
    "mode": 0,
    "enrolled": 0,
    "limit-reached": 0,
    "service-opened": 0,
    "service-closed": 0,
  } satisfies Record<ServerEvent["type"], 0>,
) as ServerEvent["type"][];
