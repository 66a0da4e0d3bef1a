/**
 * Every bound on memory, time and number that this room imposes, by name.
 *
 * @module
 */

/** Port of python-can's remote interface. */
export const REMOTE_PORT = 54_701;

/** Most bytes of data in a CAN frame, and in a CAN FD frame. */
export const MAX_CAN_DATA = 8;
/** See {@linkcode MAX_CAN_DATA}. */
export const MAX_FD_DATA = 64;

/** Silence of a new client after which it is taken for one of socketcand's, which waits to be greeted; in milliseconds. */
export const GREETING_WAIT_MS = 300;

/** Time that a new client has to open the bus, in milliseconds; slcan's may take any. */
export const CAN_OPEN_TIMEOUT_MS = 30_000;

/** Time after socketcand's answer to `rawmode` in which no frame is sent, in milliseconds: its clients want it alone. */
export const RAW_MODE_PAUSE_MS = 100;

/** Time that a client has to read what is left for it, and to close, when the service ends it; in milliseconds. */
export const CAN_LINGER_MS = 1_000;

/** Default of the clients of one bus. */
export const MAX_CAN_CLIENTS = 64;
/** What it may be set to. */
export const MOST_CAN_CLIENTS = 1_024;

/** Frames that wait for one client; beyond, the oldest go. About a second of a full bus of 1 Mbit/s. */
export const MAX_CLIENT_FRAMES = 8_192;

/** Bytes of frames that are written to a client at once, at least one frame. */
export const CAN_WRITE_SIZE = 32 * 1024;

/** Bytes that are read from a client at once. */
export const CAN_READ_SIZE = 16 * 1024;

/** Bytes of answers that wait for a client; its requests wait while there are more. */
export const MAX_CLIENT_ANSWERS = 64 * 1024;

/** Filters of one client. */
export const MAX_CAN_FILTERS = 512;

/** Periodic frames of one client. */
export const MAX_PERIODIC = 256;

/** Periodic frames on one bus in a second, by all clients: a full bus of 1 Mbit/s takes half of it. */
export const MAX_PERIODIC_RATE = 16_000;

/** Subscriptions of one client of socketcand in its mode BCM. */
export const MAX_SUBSCRIPTIONS = 256;

/** Time for which a frame is tried that a bus has no room for, in milliseconds. */
export const CAN_SEND_TIMEOUT_MS = 1_000;
/** Time between two such tries, in milliseconds: the queue of an interface holds ten frames, about as many as go in it. */
export const CAN_SEND_RETRY_MS = 1;

/** Bytes that a kernel's bus may keep until they are read, where it allows that: two seconds of a full bus. */
export const BUS_RECEIVE_BUFFER = 8 * 1024 * 1024;

/** Frames that are read from a bus in one go; others have their turn then. */
export const BUS_READ_FRAMES = 256;

/** Longest text of the remote interface's events, in bytes. */
export const MAX_REMOTE_TEXT = 255;

/** Longest reason of a WebSocket's end, in bytes. */
export const MAX_CLOSE_REASON = 123;

/** Longest head of a WebSocket's opening, in bytes. */
export const MAX_OPENING_HEAD = 8_192;

/** Longest message of a WebSocket that is taken, in bytes. */
export const MAX_SOCKET_MESSAGE = 64 * 1024;

/** Longest element of socketcand, from `<` to `>`, in characters. */
export const MAX_ELEMENT = 512;

/** Longest name of a bus that socketcand's clients may say, in characters. */
export const MAX_BUS_NAME = 16;

/** Longest line of slcan, in characters: an FD frame has 141. */
export const MAX_SLCAN_LINE = 256;

/** Time that an slcan adapter has to answer, in milliseconds; those that never do are taken, too. */
export const SLCAN_ANSWER_MS = 250;

/** Time in which an slcan adapter at a TCP port has to be reached, in milliseconds. */
export const SLCAN_DIAL_MS = 5_000;

/** Bytes that wait to be written to an slcan adapter; frames beyond find no room. */
export const MAX_SLCAN_OUTPUT = 4_096;

/** Longest wait in one system call for frames of a kernel's bus, in milliseconds; its end waits so long. */
export const POLL_MS = 500;
