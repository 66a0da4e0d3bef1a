/**
 * Every bound on memory, time and number that the net layer imposes, by name. What is a default can be set.
 *
 * @module
 */

/** Bytes that wait for one slow receiver at most; then the link's reading pauses (v1 has no credit). */
export const MAX_CHANNEL_BACKLOG = 1024 * 1024;

/** A paused link reads on when the receiver's backlog has come down to this. */
export const RESUME_CHANNEL_BACKLOG = MAX_CHANNEL_BACKLOG / 2;

/** Clients that come while a session is interrupted, and wait for it to go on; beyond, they are ended at once. */
export const MAX_CLIENTS_INTERRUPTED = 256;

/** Default of the time that a session outlives its link, in milliseconds (seed 002, "expiration time"). */
export const EXPIRATION_MS = 15_000;

/** Links of a session in a row that carry nothing, after which the next one is suffered longer. */
export const FRUITLESS_LINKS = 2;

/** Milliseconds that such a link has lived at least. */
export const FRUITLESS_MS = 1_000;

/** Silence that is suffered of a link after them, in milliseconds: so that the kernel may find what the path carries. */
export const PATIENT_SILENCE_MS = 60_000;

/** Bytes of TCP in a packet for links after them: for paths that carry 1,280 bytes, and 576 if that was not enough. */
export const SMALL_SEGMENT = 1_160;
/** See {@linkcode SMALL_SEGMENT}. */
export const SMALLEST_SEGMENT = 516;

/** Milliseconds for which a device's links keep to them, before it tries what is usual again. */
export const SMALL_SEGMENT_MS = 600_000;

/** Bytes that wait for the link before senders wait; every channel can add one more read. */
export const LINK_HIGH_WATER = 256 * 1024;

/** Bytes of control frames after which the link's reading waits until what was sent before is written. */
export const LINK_CONTROL_HIGH_WATER = 64 * 1024;

/** A piece up to this size is copied and lets its owner go on; a larger one is written from where it was read. */
export const COPY_MAX = 4096;

/** A link that sent more than this since it last heard its peer is loaded: silence then proves nothing for a while. */
export const LOADED_LINK_BYTES = 64 * 1024;

/** That while, in milliseconds from the last byte sent. */
export const LOADED_LINK_GRACE_MS = 60_000;

/** First and largest size of a link's receive chunk; it grows while reads fill it. */
export const MIN_LINK_CHUNK = 16 * 1024;
/** See {@linkcode MIN_LINK_CHUNK}. */
export const MAX_LINK_CHUNK = 256 * 1024;

/** Control frames that a link sends for one read; with more, the next read is smaller. */
export const MAX_ANSWERS_A_READ = 2_048;

/** Bytes of receive chunks that blocked writes may hold before a link's smaller pieces are copied out of theirs. */
export const MAX_LEFT_CHUNKS = 2 * 1024 * 1024;

/** First and largest size of a connection's read buffer; it grows while reads fill it. */
export const MIN_READ = 1 * 1024;
/** See {@linkcode MIN_READ}. */
export const MAX_READ = 64 * 1024;

/** Default of the time that a link's peer may take nothing, in milliseconds. */
export const LINK_WRITE_TIMEOUT_MS = 60_000;

/** Default of the silence after which a client or a service that does not answer is gone, in milliseconds. */
export const TCP_KEEP_ALIVE_MS = 120_000;

/** Probes of TCP keep-alive that a peer may leave unanswered. */
export const TCP_KEEP_ALIVE_PROBES = 6;

/** How often a peer with bytes under way is looked at within that time: it is given up a quarter late at most. */
export const PEER_LOOKS = 4;

/** Times in a row that the system has sent something again, or has asked, before silence means that the peer is gone. */
export const PEER_TRIES = 3;

/** Default of the time that a receiver may hold its link, in milliseconds. */
export const STALL_TIMEOUT_MS = 10_000;

/** Default of the time without a byte after which a client that shut down its writing side is ended, in milliseconds. */
export const HALF_CLOSE_TIMEOUT_MS = 5_000;

/** Time between two looks at such a client: whether it has reset its connection, in milliseconds. */
export const HALF_CLOSE_LOOK_MS = 250;

/** Time without progress after which a receiver whose channel has ended loses what still waits for it. */
export const DRAIN_TIMEOUT_MS = 60_000;

/** Channels of a link that have ended and whose receivers still take what came; beyond, no new ones are opened. */
export const MAX_LEAVING_CHANNELS = 256;

/** Time that a peer has to close after this side's FIN and its own last byte; {@linkcode DRAIN_TIMEOUT_MS} at most. */
export const LINGER_MS = 2_000;

/** First and longest time between two looks whether what a connection was sent has arrived, before it is reset, in milliseconds. */
export const TAKEN_LOOK_MS = 5;
/** See {@linkcode TAKEN_LOOK_MS}. */
export const MAX_TAKEN_LOOK_MS = 160;

/** Default of the time for reaching a service, in milliseconds. */
export const CONNECT_TIMEOUT_MS = 10_000;

/** Dials under way in the process, those given up included until the runtime lets go of them. */
export const MAX_DIALS = 1_024;

/** The same, but for the few that each address has of its own. */
export const MAX_SHARED_DIALS = 512;

/** An address may have one in so many of those that are free, so that one which does not answer leaves some for others. */
export const DIAL_SHARE = 2;

/** Dials to one address that those to others cannot take from it. */
export const MIN_DIALS_PER_ADDRESS = 2;

/** Time that a dial beyond those waits for its turn, in milliseconds. */
export const DIAL_WAIT_MS = 2_000;

/** Time for dialling the server, in milliseconds. */
export const DIAL_TIMEOUT_MS = 10_000;

/** The same while a session waits for another link, in milliseconds. */
export const RESUME_DIAL_TIMEOUT_MS = 4_000;

/** Time after which the next address of a server is dialled beside one that has not answered, in milliseconds. */
export const DIAL_STAGGER_MS = 250;

/** Addresses of one name that a dial tries; DNS may say any number. */
export const MAX_DIAL_ADDRESSES = 8;

/** Look-ups of names under way in the process, of the 32 threads that the runtime has for all that waits. */
export const MAX_LOOKUPS = 16;

/** The same of names that have not been answered before, or that are not answered now. */
export const MAX_DOUBTFUL_LOOKUPS = 8;

/** The same of one name. */
export const MAX_LOOKUPS_PER_NAME = 4;

/** Time for which others join a look-up of the same name; after that it is doubtful, in milliseconds. */
export const LOOKUP_SHARED_MS = 1_000;

/** Names that are remembered as answered at most. */
export const MAX_NAMES_ANSWERED = 1_024;

/** Milliseconds between two looks at the machine's way to its server. */
export const NETWORK_POLL_MS = 500;

/** Bytes of the routing table that are read where the kernel cannot be asked for one route. */
export const ROUTES_READ = 4_096;

/** Longest pause in the reading of a link whose peer makes too much work, in milliseconds; then it is looked at again. */
export const MAX_REST_MS = 100;

/** A timer that comes later than this, in milliseconds, says nothing of the silence of a peer. */
export const LATE_TURN_MS = 500;

/** Time from an accepted connection to a whole LISTEN, in milliseconds. */
export const FIRST_FRAME_TIMEOUT_MS = 10_000;

/** Connections of one v1 listener that may be on their way to a LISTEN; see `server/door/pending.ts` for who makes room. */
export const MAX_PENDING_LINKS = 512;

/** Time after which one of them may have to make room, in milliseconds: LISTEN follows the connection at once. */
export const LISTEN_GRACE_MS = 500;

/** Time that a graceful end may take, in milliseconds. */
export const SHUTDOWN_TIMEOUT_MS = 5_000;

/** Descriptors that sockets leave to files, at most; see `kernel/descriptor_room.ts`. */
export const DESCRIPTORS_FOR_FILES = 32;
/** The same where there are few descriptors: one in so many. */
export const FILES_PART = 16;

/** Descriptors that clients leave to devices' links, at most. */
export const DESCRIPTORS_FOR_LINKS = 128;
/** The same where there are few descriptors: one in so many. */
export const LINKS_PART = 8;

/** Descriptors that are looked at for the one of a new socket. */
export const MAX_LOOKS = 256;
/** The same from where it most probably is; the others are looked at from the lowest on. */
export const MAX_LOOKS_AHEAD = 64;

/** Accepts in a row that may fail before the loop pauses: clients that reset are a crowd, and a broken socket is none. */
export const MAX_FAILED_ACCEPTS = 64;
/** That pause, in milliseconds. */
export const FAILED_ACCEPTS_PAUSE_MS = 5;

/** First and longest pause of an accept loop that has run out of descriptors, in milliseconds. */
export const MIN_ACCEPT_PAUSE_MS = 50;
/** See {@linkcode MIN_ACCEPT_PAUSE_MS}. */
export const MAX_ACCEPT_PAUSE_MS = 1_000;

/** Time between two looks at the files of a certificate, in milliseconds; a change is taken up at the second. */
export const CERTIFICATE_POLL_MS = 1_000;

/** Largest file of certificates or of a key that is read, in bytes: all CAs of a system take a quarter of it. */
export const MAX_PEM_FILE = 1024 * 1024;

/** Looks for which a certificate has to stand still that has fewer blocks than the one in use: it may be half written. */
export const CERTIFICATE_CUT_LOOKS = 10;

/** Head of an HTTP proxy's answer to CONNECT. */
export const MAX_PROXY_ANSWER = 8192;

/** Largest header of the PROXY protocol v1, its end of line included. */
export const MAX_PROXY_V1_HEADER = 107;

/** Largest header of the PROXY protocol v2 that is taken, with what follows the addresses in it. */
export const MAX_PROXY_V2_HEADER = 536;

/** What all channels of a v2 link may be granted at once, in bytes. */
export const LINK_WINDOW_BOUND = 64 * 1024 * 1024;

/** What all channels of a process may be granted at once, in bytes. */
export const PROCESS_WINDOW_BOUND = 512 * 1024 * 1024;

/** Frames of a v2 link up to this size are gathered while a write is pending. */
export const GATHER_MAX = 16 * 1024 + 8;

/** Time from an accepted connection to the end of its v2 handshake, in milliseconds. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Connections of one v2 listener that may be in their handshake; see `server/door/pending.ts` for who makes room. */
export const MAX_HANDSHAKES = 1_400;

/** Time without a step of its handshake after which a connection may have to make room, in milliseconds. */
export const HANDSHAKE_GRACE_MS = 1_000;

/** Devices that have proved to have an enrolment string, and wait to be let in. */
export const MAX_ENROLLING = 1_024;

/** The same from one address, or one /56 of IPv6: a fleet may be behind it. */
export const MAX_ENROLLING_PER_ADDRESS = 512;

/** The same with one string, which lets in one of them. */
export const MAX_ENROLLING_PER_STRING = 8;

/** Time for which an address is remembered from which a device proved its key, in milliseconds. */
export const PROVED_ADDRESS_MS = 600_000;

/** Such addresses at most. */
export const MAX_PROVED_ADDRESSES = 4_096;

/** Connections from such an address that weigh as much as one from any other, when somebody has to make room. */
export const PROVED_ADDRESS_WEIGHT = 4;
/** Connections of one v2 listener that may wait for the beginning of their handshake. */
export const MAX_WAITING_HANDSHAKES = 2_048;

/** Handshakes that begin in one turn of the event loop; each costs about a millisecond of work in all. */
export const HANDSHAKES_A_TURN = 4;

/** Handshakes from one address, or one /56 of IPv6, that are under way at a time; the others wait for their beginning. */
export const MAX_HANDSHAKES_UNDER_WAY = 128;

/** One that takes longer than this, in milliseconds, does not count any more: it waits for its peer, and others need not. */
export const MIN_HANDSHAKE_TURN_MS = 500;

/** The same when handshakes that went well took long lately: then there is much to do. */
export const MAX_HANDSHAKE_TURN_MS = 2_000;

/** The same from an address whose handshakes fail one and all: those who are silent hold up few. */
export const STRANGER_TURN_MS = 50;

/** A wait for the beginning of a handshake, in milliseconds, from which those who came last have every other turn. */
export const LONG_HANDSHAKE_WAIT_MS = 1_000;

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

/** Time that a device has to hear why its link ends, in milliseconds; its socket is closed then. */
export const FAREWELL_MS = 500;

/** Time for the PROXY protocol header of a load balancer, in milliseconds. */
export const PROXY_HEADER_TIMEOUT_MS = 5_000;

/** How often a channel is looked at within its idle time: it ends that much late at most. */
export const IDLE_LOOKS = 4;

/** Milliseconds between two looks at a service whose host port is closed while it is down. */
export const WATCH_INTERVAL_MS = 2_000;

/** Milliseconds that such a look may take. */
export const WATCH_TIMEOUT_MS = 2_000;
