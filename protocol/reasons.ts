/**
 * Why a channel or a link ended: one word, the same in logs, events, metrics and the library.
 *
 * @module
 */

/** Why a channel ended. */
export const CHANNEL_END_REASONS = [
  /** The client closed its connection. */
  "client-closed",
  /** The client shut down its writing side, and nothing more came for it within the half-close time. */
  "client-finished",
  /** The client's connection broke. */
  "client-reset",
  /** The service closed its connection (on the server, on v1: or the device ended it for any other reason). */
  "service-closed",
  /** The service's connection broke. */
  "service-reset",
  /** The service refused the connection. */
  "service-refused",
  /** The service could not be reached. */
  "service-unreachable",
  /** The device knows that the service is down. */
  "service-down",
  /** The device took the service back: it left mode `run`, or its owner withdrew it. */
  "service-withdrawn",
  /** The service did not answer within the connect time. */
  "connect-timeout",
  /** The device does not allow what the CONNECT asked for; or the client's network may not reach the service. */
  "not-allowed",
  /** As many clients of the service are there as may be, in all or from one address. */
  "too-many-clients",
  /** More new clients came in a short time than may, in all or from one address. */
  "client-rate",
  /** The client's connection was as long as it may be. */
  "time-limit",
  /** It is not the time of the week at which clients may be there. */
  "outside-hours",
  /** The service was opened for a time, and that is over. */
  "access-closed",
  /** The server, or the device on it, is drained: others come later. */
  "draining",
  /** A limit of the whole server was reached. */
  "server-limit",
  /** The CONNECT could not be read. */
  "bad-connect",
  /** Nothing went either way for the idle time of the service. */
  "idle-timeout",
  /** The receiver took nothing for the stall time while its link waited for it. */
  "stalled",
  /** The peer opened the client id anew while it was open. */
  "id-reused",
  /** Every client id of the link was in use. */
  "too-many-channels",
  /** Somebody closed it by hand, on the server. */
  "closed-by-admin",
  /** The link ended. */
  "link-lost",
  /** This side is shutting down. */
  "shutting-down",
] as const;

/** One of {@linkcode CHANNEL_END_REASONS}. */
export type ChannelEndReason = (typeof CHANNEL_END_REASONS)[number];

/** Why a link ended. */
export const LINK_END_REASONS = [
  /** The peer closed the connection in order. */
  "peer-closed",
  /** The connection broke. */
  "connection-lost",
  /** The peer took nothing for the write time. */
  "write-timeout",
  /** The peer did not answer keep-alive probes. */
  "keep-alive-timeout",
  /** The peer broke the wire protocol. */
  "protocol-error",
  /** Somebody dropped it by hand, on the server; its session waits for another. */
  "dropped",
  /** A newer link of the device took over. */
  "replaced",
  /** The peer said goodbye; the detail says why. */
  "goodbye",
  /** The session was not resumed within its expiration time. */
  "expired",
  /** The server does not know the session any more. */
  "not-resumed",
  /** The device was revoked, disabled or has expired. */
  "revoked",
  /** This side is shutting down. */
  "shutting-down",
] as const;

/** One of {@linkcode LINK_END_REASONS}. */
export type LinkEndReason = (typeof LINK_END_REASONS)[number];

/** Why a connection to a listener for devices came to nothing before the server could decide: it is no device, or it failed. */
export const HANDSHAKE_FAILURES = [
  /** It closed without a word, as health checks do. */
  "mute",
  /** It closed before the handshake was done. */
  "cut",
  /** It was not done in time. */
  "too-late",
  /** The PROXY protocol header that it owed was missing, or broken. */
  "bad-proxy-header",
  /** TLS came to no end. */
  "tls-failed",
  /** It did not begin as a device of this profile does. */
  "stranger",
  /** It took its leave: this server is not the one that it is looking for, or speaks no version of its own. */
  "said-goodbye",
  /** It broke the wire protocol. */
  "protocol-error",
  /** Its connection failed. */
  "connection-lost",
] as const;

/** Why the server turned a device away. */
export const REFUSALS = [
  /** Too many others are at the door, or it made room for them. */
  "no-room",
  /** On v1, another device has the listener. */
  "in-use",
  /** It comes too often, or the server has too much to do. */
  "too-busy",
  /** A limit of the whole server is reached. */
  "server-limit",
  /** Nobody authorized its key. */
  "unknown-device",
  /** Its signature is wrong. */
  "bad-credentials",
  /** Its enrolment string is used, too old, or unknown. */
  "bad-enrolment",
  /** It is disabled. */
  "disabled",
  /** Its time is over. */
  "expired",
  /** It was revoked. */
  "revoked",
  /** No version is common to both. */
  "incompatible",
  /** Two machines use its key. */
  "duplicate",
  /** A newer link of the same device came first. */
  "replaced",
  /** The server is shutting down. */
  "shutting-down",
] as const;

/** Why somebody who came to a listener for devices was turned away, or came to nothing. */
export const REFUSAL_REASONS = [...REFUSALS, ...HANDSHAKE_FAILURES] as const;

/** One of {@linkcode REFUSAL_REASONS}. */
export type RefusalReason = (typeof REFUSAL_REASONS)[number];
