/**
 * The device's resources, as its admin API shows them.
 *
 * Times of day are texts, as in 2026-01-31T12:00:00.000Z; spans are milliseconds; what is not known is null.
 *
 * @module
 */

import { count, Datagrams, KeepAlive, Tcp, Time } from "../../app/admin/shared.ts";
import { closed, nullable, type Static, Type, words } from "../../app/admin/schema.ts";
import { GOODBYE_CODES } from "../../protocol/v2/wire/goodbye.ts";
import { DEVICE_MODES } from "../../protocol/v2/wire/messages.ts";

/** The device. */
export const DeviceFacts = closed({
  version: Type.String(),
  engine: Type.String({ description: "What sockets are made with." }),
  pid: Type.Integer(),
  started: Time,
  profile: words(["v1", "v2"]),
  state: words(["connecting", "handshaking", "online", "interrupted", "waiting", "closed"], "Where it stands."),
  since: Time,
  sessionSince: nullable(Time, "Since when its session is, over however many links."),
  name: nullable(Type.String(), "Its name on the server; v1 has none."),
  server: Type.String({ description: "The server, as configured." }),
  local: nullable(Type.String(), "This end of the link, if one is up."),
  remote: nullable(Type.String(), "The other end: the server's, or a proxy's."),
  bound: nullable(Type.Boolean(), "Whether both sides signed the TLS connection of the link."),
  isCompatible: nullable(Type.Boolean(), "Whether the server speaks a version that this device does."),
  mode: words(DEVICE_MODES),
  modeChange: nullable(
    words(["runToConfig", "configToRun"]),
    "On the way to another mode: clients may finish; the server has not answered for all services.",
  ),
  clockOffset: nullable(Type.Number(), "The server's wall clock less this one's, in milliseconds."),
  roundTrip: nullable(Type.Number(), "The last round trip, in milliseconds."),
  tcp: nullable(Tcp, "The TCP of the link, where the system tells it."),
  keepAlive: KeepAlive,
  serverKeepAlive: nullable(KeepAlive, "What the server accepts of this device, as it said."),
  goodbye: nullable(
    closed({ code: words(GOODBYE_CODES), text: Type.String() }),
    "What the server said last when it refused this device or took its leave.",
  ),
  outage: nullable(
    closed({
      since: Time,
      tries: count("Tries that failed since."),
      error: nullable(Type.String(), "What went wrong with the last of them."),
      nextTry: nullable(Time, "When the next one begins, or began; null if there will be none."),
    }),
    "The time without a link, after one was lost or a try failed.",
  ),
  servicesFrom: words(
    ["options", "state"],
    "Where its services stand: in its options (command line, environment, file), or in its state, as `join`, " +
      "`service add` and `move` store them.",
  ),
  clients: count("Clients that are served."),
  clientsEver: count("Clients since the device runs."),
}, "The device as it is now.");

/** The same, as a type. */
export type DeviceFacts = Static<typeof DeviceFacts>;

/** A service. */
export const Service = closed({
  name: Type.String(),
  kind: Type.String({ description: "The kind of endpoint: tcp, unix, exec, can, serial, udp." }),
  localAddress: Type.String({ description: "What stands behind it." }),
  offered: Type.Boolean({ description: "Whether it is offered to the server." }),
  up: nullable(Type.Boolean(), "Whether it is up, if it is watched (down=refuse)."),
  hostAddress: nullable(Type.String(), "Where clients reach it, if the server has opened it."),
  error: nullable(
    Type.String(),
    "Why not, as the server said; `not-offered` is said by this device, which cannot serve it.",
  ),
  clients: count("Clients that it has."),
  endpoint: closed({
    state: nullable(
      words(["open", "gone", "closed"]),
      "Of a serial line or a bus: gone is waited for, closed is used by nobody.",
    ),
    detail: nullable(Type.String(), "How it is set, or what went wrong last, for people."),
    counts: Type.Record(Type.String(), Type.Integer({ minimum: 0 }), {
      description: "Since it is offered: connections `reached` and `failed`. Now: `users` and `watchers` of a line, " +
        "`members` of a bus, `peers` of UDP, programs `running`. Bytes `lost` by clients of a line, frames `received`, " +
        "`sent` and `lost` of a bus.",
    }),
  }, "How what stands behind it is."),
  datagrams: nullable(Datagrams, "What became of its datagrams, if it is over UDP."),
}, "A service of this device.");

/** The same, as a type. */
export type Service = Static<typeof Service>;

/** A client. */
export const Client = closed({
  id: Type.Integer({ minimum: 1, description: "Its number, while the device runs." }),
  address: nullable(Type.String(), "Where it came from; v1 does not tell it."),
  service: Type.String({ description: "The service: its name, or on v1 its address." }),
  localAddress: Type.String({ description: "What stands behind it." }),
  hostAddress: nullable(Type.String(), "Where it came to, as the server says."),
  since: Time,
  state: words(["open", "leaving"], "leaving: it has ended, and the service takes what came for it."),
  bytesUp: count("Bytes from the client to the service."),
  bytesDown: count("Bytes from the service to the client."),
  datagrams: nullable(Datagrams, "What became of its datagrams, if it is one of UDP that has been served."),
}, "A client's connection.");

/** The same, as a type. */
export type Client = Static<typeof Client>;
