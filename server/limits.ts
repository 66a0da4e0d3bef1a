/**
 * Bounds that this room imposes, by name.
 *
 * @module
 */

/** Clients of a device that wait for a link, or for their service to be offered on it; beyond, see `server/ports/fair_line.ts`. */
export const MAX_CLIENTS_INTERRUPTED = 256;

/** Default of the time without a byte after which a client that shut down its writing side is ended, in milliseconds. */
export const HALF_CLOSE_TIMEOUT_MS = 5_000;

/** Time from an accepted connection to a whole LISTEN, in milliseconds; on v2 clients wait no longer for one. */
export const FIRST_FRAME_TIMEOUT_MS = 10_000;

/** Time after which one of them may have to make room, in milliseconds: LISTEN follows the connection at once. */
export const LISTEN_GRACE_MS = 500;

/** What all channels of a process may be granted at once, in bytes. */
export const PROCESS_WINDOW_BOUND = 512 * 1024 * 1024;

/** Time without a step of its handshake after which a connection may have to make room, in milliseconds. */
export const HANDSHAKE_GRACE_MS = 1_000;

/** Devices that have proved to have an enrolment string, and wait to be let in. */
export const MAX_ENROLLING = 1_024;

/** The same from one address, or one /56 of IPv6: a fleet may be behind it. */
export const MAX_ENROLLING_PER_ADDRESS = 512;

/** The same with one string, which lets in one of them. */
export const MAX_ENROLLING_PER_STRING = 8;

/** A device that is not welcome is asked to come back after this at first, in milliseconds. */
export const MIN_BARRED_COME_BACK_MS = 2_000;

/** Later on, after this part of the time for which it has not been welcome, up to what its goodbye says. */
export const BARRED_PATIENCE = 4;

/** Devices that are remembered as not welcome at most. */
export const MAX_BARRED = 65_536;

/** A port of a range that somebody else had when it was tried is passed over for this long, in milliseconds. */
export const BUSY_PORT_MS = 10_000;

/** Ports of a range that are tried in one turn of the event loop; those that follow have theirs in the next. */
export const MAX_BINDS_A_TURN = 32;

/** Milliseconds between two looks at the file. */
export const DEVICES_POLL_MS = 500;

/** Milliseconds that a changed file has to stand still before it counts: an editor may be half through. */
export const DEVICES_SETTLE_MS = 100;

/** Devices that one {@linkcode DevicesChange} is about, at most, but for those that take each other's names; what is more follows in others. */
export const DEVICES_A_CHANGE = 64;

/** Milliseconds for which what somebody asked for is remembered: a running server looks twice a second. */
export const CONSENT_KEPT_MS = 600_000;

/** Devices from which a fleet has a majority to lose: of fewer, each is looked after by hand. */
export const MASS_LOSS_FLEET = 4;

/** Milliseconds that a file has to stand still before a loss of most devices counts. */
export const MASS_LOSS_SETTLE_MS = 60_000;

/** Milliseconds that a file has to stand still that is the beginning of what it was, with fewer devices. */
export const CUT_SETTLE_MS = 10_000;

/** Milliseconds that a device which comes too often waits for its refusal. */
export const LINK_REFUSAL_HOLD_MS = 2_000;

/** Tries for a free port that was kept and is in use, before another one is picked. */
export const KEPT_PORT_TRIES = 3;

/** Ports that are kept at most; beyond, the one that was set longest ago is forgotten. */
export const MAX_KEPT_PORTS = 65_536;

/** Enrolments that wait to be redeemed at most; and as many that were. */
export const MAX_ENROLMENTS = 1024;

/** Milliseconds that `enroll` waits to be told the address of a name, at which a service is to open. */
export const ENROLL_LOOKUP_MS = 2_000;

/** Default of the time that an enrolment can be redeemed, in milliseconds. */
export const ENROLMENT_VALID_MS = 3600_000;

/** Milliseconds after its time for which an enrolment is still known, so that "too old" is not "unknown". */
export const ENROLMENT_KEPT_MS = 24 * 3600_000;

/** Devices that are let in with one writing of the files. */
export const MAX_REDEEMED_AT_ONCE = 128;

/** Milliseconds that those who redeem wait for the lock of the state: less than a handshake may take. */
export const REDEEM_LOCK_MS = 5_000;

/** Milliseconds from a change to its being written; more changes until then are written with it. */
export const LIVE_WRITE_MS = 200;

/** What each device that is told of adds to that, in milliseconds: a large file is not written as often. */
export const LIVE_WRITE_MS_A_DEVICE = 0.1;

/** Milliseconds from a change to its being written; more changes until then are written with it. */
export const KEPT_PORTS_WRITE_MS = 1_000;

/** Milliseconds that a writing waits for others who write: a server that ends must not wait long. */
export const KEPT_PORTS_LOCK_MS = 2_000;

/** Clients of a link that are held for the whole time; of more, each for its part of that. */
export const HELD_IN_FULL = 16;

/** The same of all links of a server. */
export const HELD_IN_FULL_BY_ALL = 256;

/** Time that the device of a live link has to answer when another one wants its place, in milliseconds. */
export const TAKE_OVER_PROBE_MS = 3_000;

/** While fewer ids than this are free, clients that only wait for what may still come make room. */
export const RESERVED_IDS = 32;

/** Clients of one service, and of one address, may be so many times as many as there are descriptors left for clients. */
export const CLIENT_SHARE = 3;

/** Clients of one service that are let in however few are left. */
export const MIN_CLIENTS = 8;

/** Client ids of a link that are kept for each of its services, while clients of others take all that they can. */
export const IDS_A_SERVICE = 8;

/** The same of all services: one in so many. */
export const SERVICE_IDS_PART = 4;

/** Milliseconds that a client waits for an id that is about to come free. */
export const MAX_ID_WAIT_MS = 2_000;

/** Milliseconds that a client waits when none is: some of the 256 may have gone, and their ends not been read yet. */
export const SHORT_ID_WAIT_MS = 200;

/** Clients that wait at most, on one link. */
export const MAX_WAITING_CLIENTS = 256;

/** Milliseconds between two looks for devices that have expired. */
export const EXPIRY_LOOK_MS = 500;

/** Take-overs between different machines after which the next newcomer is refused. */
export const MAX_TAKE_OVERS = 3;

/** Milliseconds in which they count. */
export const TAKE_OVER_WINDOW_MS = 60_000;

/** Milliseconds for which a server that starts asks whether it is the only one with its state. */
export const STATE_LOOK_MS = 200;

/** Milliseconds after which a held v1 client that is not quiet yet is looked at again. */
export const HELD_LOOK_MS = 100;

/** Milliseconds between two looks at least: each goes through all clients, so those that come together share one. */
export const MIN_HELD_LOOK_MS = 5;

/** Devices that have metrics of their own at most; of more, none has. */
export const MAX_METRICS_DEVICES = 4_096;

/** Mode of a Unix socket at which clients connect, where nothing is said of it: the server's own user alone. */
export const DEFAULT_UNIX_MODE = 0o600;

/** Milliseconds of age from which a folder that a killed process made a Unix socket in is removed: its work takes a few. */
export const UNIX_LEFTOVER_MS = 2_000;

/** Milliseconds between two looks for such folders at one place. */
export const UNIX_SWEEP_MS = 60_000;

/** Milliseconds without a datagram after which a client of a service over UDP is gone, as long as nobody says otherwise. */
export const UDP_IDLE_TIMEOUT_MS = 60_000;

/** Clients that a host port of UDP may have at once. */
export const MAX_UDP_CLIENTS = 1_024;

/** New clients in a second at a host port of UDP; anybody may write any address into a datagram. */
export const UDP_NEW_CLIENTS = 1_000;

/** The same from one address, or one /56 of IPv6. */
export const UDP_NEW_CLIENTS_PER_ADDRESS = 200;

/** Milliseconds for which what comes from a client that was refused is dropped without a word. */
export const UDP_REFUSED_MS = 1_000;

/** Such clients that are remembered. */
export const MAX_UDP_REFUSED = 1_024;

/** Addresses that one service remembers for `client-rate-per-address`; beyond, who was not there for longest is forgotten. */
export const MAX_RATED_ADDRESSES = 4_096;

/** Networks that one rule may name. */
export const MAX_RULE_NETWORKS = 1_024;

/** Ports of a range in one forward, and in one service. */
export const MAX_FORWARD_RANGE = 256;

/** Windows that one rule may have. */
export const MAX_HOURS = 32;

/** New clients that a rate may let in at once. */
export const MAX_CLIENT_RATE = 100_000;

/** The least bandwidth that a rule may give, in bytes a second: below, a client takes so long that it looks stalled. */
export const MIN_BANDWIDTH = 10_000;

/** A client of a service with a bandwidth has so much of a second of it in one go, */
export const TURN_PART = 0.05;

/** but no fewer bytes than this, */
export const MIN_TURN_BYTES = 1_024;

/** and no more. */
export const MAX_TURN_BYTES = 65_536;

/** Bandwidth that is saved up while nobody needs it, in parts of a second. */
export const BANDWIDTH_BURST_PART = 0.1;

/** Services that are open for a time at most. */
export const MAX_OPENINGS = 1_024;

/** Milliseconds for which an address of a device's network can be reached, if nobody says otherwise. */
export const CONNECT_FOR_MS = 3_600_000;

/** Milliseconds within which its host port has to be open. */
export const CONNECT_OPEN_MS = 5_000;

/** Milliseconds for which the socket of a `connect` by standard input and output takes new clients. */
export const CONNECT_STREAM_FOR_MS = 60_000;

/** Bytes that such a `connect` moves at once. */
export const CONNECT_STREAM_CHUNK = 65_536;

/** Milliseconds that it waits, after its end, for the server to say why. */
export const CONNECT_TOLD_MS = 1_000;

/** Milliseconds between two looks for that. */
export const CONNECT_TOLD_POLL_MS = 50;

/** Devices whose datagrams `clients` shows behind its table. */
export const MAX_UDP_DEVICES = 20;

/** Milliseconds between two looks whether one of them is to be closed. */
export const OPENING_LOOK_MS = 500;

/** Milliseconds for which a session has to be interrupted before the webhook is told, while it still waits for its device. */
export const WEBHOOK_INTERRUPTED_MS = 10_000;

/** Milliseconds between two looks for limits that are reached and certificates that end. */
export const WEBHOOK_LOOK_MS = 10_000;

/** Devices that have been away long enough of which a webhook is told in one turn of the event loop. */
export const ABSENCES_A_TURN = 64;

/** Services whose failure the webhook was told of, and that are not told of again while it lasts. */
export const MAX_FAILED_SERVICES = 4_096;

/** A limit that was reached is told of again when less than this part of it was in use in between. */
export const LIMIT_CLEAR_PART = 0.9;

/** Requests that `server dashboard` passes on at once. */
export const MAX_DOOR_REQUESTS = 64;

/** Connections that should be able to wait for a listener: below, `server doctor` warns. */
export const GOOD_BACKLOG = 1_024;
