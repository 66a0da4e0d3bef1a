/**
 * Every bound on memory, time and number that the net layer imposes, by name. What is a default can be set.
 *
 * @module
 */

/** Default of the time that a session outlives its link, in milliseconds (seed 002, "expiration time"). */
export const EXPIRATION_MS = 15_000;

/** Links of a session in a row that carry nothing, after which the next one may be silent for longer. */
export const FRUITLESS_LINKS = 2;

/** Milliseconds that such a link has lived at least. */
export const FRUITLESS_MS = 1_000;

/** The longest silence accepted on a link after them, in milliseconds: so that the kernel may find what the path carries. */
export const PATIENT_SILENCE_MS = 60_000;

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

/** Time that a peer has to close after this side's FIN and its own last byte; {@linkcode DRAIN_TIMEOUT_MS} at most. */
export const LINGER_MS = 2_000;

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

/** Descriptors that sockets leave to files, at most; see `kernel/descriptor_room.ts`. */
export const DESCRIPTORS_FOR_FILES = 32;
/** The same where there are few descriptors: one in so many. */
export const FILES_PART = 16;

/** Descriptors that clients leave to devices' links, at most. */
export const DESCRIPTORS_FOR_LINKS = 128;
/** The same where there are few descriptors: one in so many. */
export const LINKS_PART = 8;

/** Descriptors of a connection that the portable engine takes to TLS behind a PROXY header: its own, and a hop. */
export const DESCRIPTORS_A_HOP = 3;

/** Descriptors that are taken without a look at how many are left, at most; never more than an eighth of those. */
export const MAX_DESCRIPTOR_RESTS = 64;

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

/** How long before a certificate ends that is told, each day, in milliseconds: 30 days. */
export const CERTIFICATE_WARNING_MS = 2_592_000_000;

/** Looks, a quarter of a second apart, between two looks for memory that can be given back: 10 s. */
export const SPARE_LOOKS = 40;

/** Passes of the loop within that time, up to which it is a pause. */
export const QUIET_PASSES = 2_000;

/** Passes after which a pause is used to give back memory. */
export const WORKED_PASSES = 1_000;

/** Longest turn of an engine's loop that is nothing to tell of, in milliseconds. */
export const LONG_TURN_MS = 20;

/** Head of an HTTP proxy's answer to CONNECT. */
export const MAX_PROXY_ANSWER = 8192;

/** Largest header of the PROXY protocol v1, its end of line included. */
export const MAX_PROXY_V1_HEADER = 107;

/** Largest header of the PROXY protocol v2 that is taken, with what follows the addresses in it. */
export const MAX_PROXY_V2_HEADER = 536;

/** What all channels of a v2 link may be granted at once, in bytes. */
export const LINK_WINDOW_BOUND = 64 * 1024 * 1024;

/** Time from an accepted connection to the end of its v2 handshake, in milliseconds. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Connections of one v2 listener that may be in their handshake; see `server/door/pending_connections.ts` for who makes room. */
export const MAX_HANDSHAKES = 1_400;

/** Time for the PROXY protocol header of a load balancer, in milliseconds. */
export const PROXY_HEADER_TIMEOUT_MS = 5_000;

/** Longest piece of a proxy's answer that is quoted. */
export const MAX_QUOTE = 120;

/** Longest name of a scheme for logging in that is told. */
export const MAX_SCHEME = 20;

/** So many schemes are told at most. */
export const MAX_SCHEMES = 6;

/** Most groups of a process that are looked at; the kernel has 65,536 at most. */
export const MAX_GROUPS = 65_536;

/** Longest path of a Unix socket, in bytes: what the kernel has room for. */
export const MAX_UNIX_PATH = 107;

/** First pause before a Unix socket is tried again at which too many wait already, in milliseconds; it doubles. */
export const UNIX_RETRY_MS = 10;

/** The longest such pause, in milliseconds. */
export const MAX_UNIX_RETRY_MS = 200;

/** Longest name of an interface, in bytes (`IFNAMSIZ`, less the end). */
export const MAX_INTERFACE_NAME = 15;

/** Datagrams of one socket that the runtime may be sending at once; where the system is waited for by the runtime. */
export const MAX_PENDING_SENDS = 1_024;

/** Datagrams of one client that may wait each way. */
export const DATAGRAM_QUEUE = 1_024;

/** The same in bytes. */
export const DATAGRAM_QUEUE_BYTES = 1024 * 1024;

/** What one datagram that waits counts for beside its bytes. */
export const DATAGRAM_WEIGHT = 128;

/** What all clients of one service over UDP may have waiting each way, in bytes; each may have as much of it as is left. */
export const DATAGRAM_POOL = 16 * 1024 * 1024;

/** Bytes of datagrams that are put on a channel in one go, unless one is larger. */
export const DATAGRAM_BATCH = 8 * 1024;

/** Milliseconds that a datagram may be old when it is sent on, as long as nobody says otherwise. */
export const DATAGRAM_MAX_AGE_MS = 200;

/** The most that can be said, in milliseconds. */
export const MAX_DATAGRAM_AGE_MS = 60_000;
