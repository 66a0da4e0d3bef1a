/**
 * The server's resources, as the admin API shows them.
 *
 * Times of day are texts, as in 2026-01-31T12:00:00.000Z; spans are milliseconds; what is not known is null.
 *
 * @module
 */

import { count, Datagrams, KeepAlive, Tcp, Time } from "../../app/admin/shared.ts";
import { closed, nullable, type Static, Type, words } from "../../app/admin/schema.ts";
import { SELECTOR_PATTERN } from "../../app/admin/selector.ts";
import { MAX_SELECTOR } from "../../app/limits.ts";
import { DEVICE_MODES } from "../../protocol/v2/wire/messages.ts";

/** Names with stars. */
export const Selector = Type.String({
  pattern: SELECTOR_PATTERN,
  maxLength: MAX_SELECTOR,
  description: "A name, with * for any part of it; or tag= and a tag, likewise.",
});

/** What links cost in a day. */
export const BytesOfDay = closed({
  day: Type.String({ description: "The day, as in 2027-01-31." }),
  idle: count("Bytes on the wire, both ways, while no client was there; about"),
  carried: count("Bytes while there was one"),
});

/** The link of a v1 device. */
const V1Link = closed({
  device: Type.String({ description: "Where the device came from." }),
  since: Time,
  clients: count("Clients that are served."),
  keepAlive: nullable(KeepAlive, "What is accepted of the device, as the system has it."),
  tcp: nullable(Tcp, "Its TCP; null where the system cannot be asked."),
});

const V1Service = closed({
  localAddress: Type.String({ description: "The service, as the device dials it." }),
  hostAddress: Type.String({ description: "Where clients reach it; as configured while no device is linked." }),
  open: Type.Boolean({ description: "Whether its host port is open." }),
  error: nullable(Type.String(), "Why not, if a device is linked and it is not."),
  clients: count("Clients that are there."),
});

/** A listener for devices. */
export const ListenerFacts = closed({
  address: Type.String({ description: "The address really bound." }),
  profile: words(["v1", "v2"]),
  security: words(["plain", "pinned", "pki"], "How TLS proves the server; plain: not at all."),
  device: nullable(Type.String(), "v1: where the device that is linked came from."),
  link: nullable(V1Link, "v1: its link, if there is one."),
  services: Type.Array(V1Service, { description: "v1: its forwards; on v2 services are those of devices." }),
});

/** What is bounded. */
export const Limit = closed({
  name: Type.String(),
  used: count("How much of it is in use."),
  most: nullable(Type.Integer(), "The most there can be, if that is known."),
  reached: Type.Boolean({ description: "Whether it is reached now." }),
  since: nullable(Time, "Since when, as far as anybody looked; null: it is not reached."),
  refused: count("Newcomers that it refused since the server runs, where that is counted."),
});

/** That new clients are refused. */
export const Draining = nullable(
  closed({ since: Time, until: nullable(Time, "When those who are there are ended; null: never.") }),
  "Whether new clients are refused, while those who are there finish.",
);

/** The server. */
export const ServerFacts = closed({
  version: Type.String(),
  engine: Type.String({ description: "What sockets are made with." }),
  pid: Type.Integer(),
  since: Time,
  ready: Type.Boolean({ description: "Whether every listener is bound." }),
  listeners: Type.Array(ListenerFacts),
  counts: closed({
    devices: count("Devices that may link up, or came."),
    online: count("Devices with a link."),
    interrupted: count("Devices whose session waits for another link."),
    clients: count("Clients that are there."),
    clientsEver: count("Clients since the server runs."),
    enrolments: count("Enrolment strings that wait."),
    draining: count("Devices that take no new clients, while those who are there finish."),
  }),
  limits: Type.Array(Limit),
  limit: nullable(Type.String(), "The limit that was reached first, of those that are; null: none is."),
  draining: Draining,
  trouble: nullable(Type.String(), "Why devices.toml is not in force as it stands, if it is not."),
}, "The server as it is now.");

/** The same, as a type. */
export type ServerState = Static<typeof ServerFacts>;

/** Until when a service is open, and for whom. */
export const Opening = closed({
  since: Time,
  until: Time,
  from: Type.Array(Type.String(), { description: "Networks that it is open to; none: all that its rules let in." }),
  reason: nullable(Type.String(), "Why, for people."),
  by: nullable(Type.String(), "Who opened it, for people."),
  keepClients: Type.Boolean({ description: "Whether clients who are there when it closes may stay." }),
}, "That it is open for a time.");

/** A service of a device. */
export const DeviceService = closed({
  name: Type.String(),
  granted: nullable(Type.String(), "Where it may be opened: HOST:PORT, or a range of ports."),
  hostAddress: nullable(Type.String(), "Where clients reach it, if it is open."),
  open: Type.Boolean({ description: "Whether its host port is open." }),
  error: nullable(Type.String(), "Why not, if it is not and that is known."),
  maxClients: nullable(Type.Integer(), "The most clients at once."),
  idleTimeout: nullable(Type.Number(), "Milliseconds without a byte that a client may stay."),
  closed: Type.Boolean({ description: "Whether it is closed by its rules, but while somebody opens it for a time." }),
  opening: nullable(Opening, "Until when it is open, if it is so for a time."),
  datagrams: nullable(Datagrams, "What became of its datagrams, if it is over UDP and open."),
});

/** What may be said of the link of a device. */
export const LINK_STATES = ["online", "interrupted", "offline"] as const;

/** What may be said of its rights. */
export const DEVICE_STATES = ["active", "disabled", "expired"] as const;

/** A device. */
export const Device = closed({
  name: Type.String(),
  key: Type.String({ description: "Its public key." }),
  state: words(DEVICE_STATES, "Whether it may link up."),
  link: words(LINK_STATES, "interrupted: its session waits for another link."),
  since: nullable(Time, "Since when the link is as it is, if it came since the server runs."),
  losses: count("Times within the last hour that its link or its session was lost; 99 at most."),
  sessionSince: nullable(Time, "Since when its session is, over however many links."),
  remote: nullable(Type.String(), "Where it dialled from."),
  security: nullable(words(["plain", "tls"]), "Whether its link is encrypted."),
  bound: nullable(Type.Boolean(), "Whether both sides signed the TLS connection of its link."),
  software: nullable(Type.String(), "Its program, as it said."),
  versions: nullable(Type.Array(Type.Integer()), "The lowest and the highest version that it speaks, as it said."),
  incompatible: nullable(
    closed({
      versions: Type.Array(Type.Integer()),
      software: Type.String(),
      remote: Type.String(),
      at: Time,
    }),
    "Set if it came last with versions that this server does not speak, and was turned away; nothing of that is proved.",
  ),
  mode: words(DEVICE_MODES, "Its mode, as it said."),
  modeChange: nullable(
    words(["runToConfig", "configToRun"]),
    "On its way to another mode: clients may finish; host ports are still being opened, or the device has not answered.",
  ),
  draining: Draining,
  services: Type.Array(DeviceService),
  clients: count("Clients that are served."),
  clockOffset: nullable(Type.Number(), "Its wall clock less the server's, in milliseconds."),
  roundTrip: nullable(Type.Number(), "The last round trip, in milliseconds."),
  tcp: nullable(Tcp, "Its link's TCP; null without a link, and where the system cannot be asked."),
  keepAlive: nullable(KeepAlive, "What the server accepts of it."),
  deviceKeepAlive: nullable(KeepAlive, "What it accepts of the server, as it said."),
  bytesToday: nullable(BytesOfDay, "What its links have cost since the day began (UTC)."),
  bytesBefore: nullable(BytesOfDay, "The same of the day before that was counted."),
  conflict: nullable(Type.String(), "Which two machines use its key, if two did within the last minute."),
  expires: nullable(Time, "Until when it may link up; null: for ever."),
  expiration: nullable(Type.Number(), "Milliseconds that its session outlives a link, if not as for all."),
  tags: Type.Array(Type.String(), { description: "To select it by: tag=site:berlin." }),
  comment: nullable(Type.String(), "For people."),
}, "A device that may link up, as it is now.");

/** The same, as a type. */
export type Device = Static<typeof Device>;

/** A client. */
export const Client = closed({
  id: Type.Integer({ minimum: 1, description: "Its number, while the server runs." }),
  address: Type.String({ description: "Where it came from." }),
  device: nullable(Type.String(), "The device's name; v1 has none."),
  service: Type.String({ description: "The service: its name, or on v1 as the device dials it." }),
  hostAddress: Type.String({ description: "Where it came to." }),
  since: Time,
  state: words(["waiting", "open", "leaving"], "leaving: it has ended, and takes what came for it."),
  bytesUp: count("Bytes from the client to the service."),
  bytesDown: count("Bytes from the service to the client."),
  datagrams: nullable(Datagrams, "What became of its datagrams, if it is one of UDP that has been served."),
}, "A client's connection.");

/** The same, as a type. */
export type Client = Static<typeof Client>;

/** An enrolment string that waits. Its text is told once, when it is made. */
export const Enrolment = closed({
  device: Type.String(),
  services: Type.Array(closed({ name: Type.String(), granted: Type.String() })),
  validUntil: Time,
  expires: nullable(Time),
  comment: nullable(Type.String()),
  replace: Type.Boolean({ description: "Whether it gives a device that is there a new key." }),
});
