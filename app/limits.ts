/**
 * Every bound on memory, time and number that this room imposes, by name.
 *
 * @module
 */

/** Milliseconds that somebody waits for the lock of a folder. */
export const LOCK_TIMEOUT_MS = 10_000;

/** Those of this process who may wait for one folder; beyond, they are turned away at once. */
export const MAX_LOCK_WAITERS = 1_024;

/** Milliseconds that the sweep waits for those who write: it can as well be done at the next start. */
export const SWEEP_LOCK_MS = 1_000;

/** Milliseconds after which a file on its way, in a folder that nobody locks, belongs to nobody any more. */
export const LEFTOVER_AGE_MS = 60_000;

/** Milliseconds between two tries to get a lock, at first and at most. */
export const LOCK_POLL_MS = [2, 50] as const;

/** Symbolic links that are followed at most, as by the kernel. */
export const MAX_LINKS = 40;

/** Largest file that is read, in bytes. */
export const MAX_STATE_FILE = 16 * 1024 * 1024;

/** Hooks of a process that run at once. */
export const MAX_HOOKS_RUNNING = 4;

/** Hooks of a process that wait for their turn; beyond, the oldest of whoever has most is left out. */
export const MAX_HOOKS_WAITING = 64;

/** Milliseconds that the hooks of a device took of late, from which they are slow. */
export const SLOW_HOOKS_MS = 5_000;

/** Hooks of such devices that run at once: they leave a place to others. */
export const MAX_SLOW_HOOKS = 3;

/** Milliseconds after the last hook of a device for which it counts what they took. */
export const HOOK_USE_KEPT_MS = 60_000;

/** Devices of which that is known at most; of more, of those whose hooks ended last. */
export const MAX_HOOK_USES = 1_024;

/** Milliseconds that a hook may take; it is sent SIGTERM then. */
export const HOOK_TIMEOUT_MS = 30_000;

/** Milliseconds from SIGTERM to SIGKILL. */
export const HOOK_KILL_MS = 2_000;

/** Milliseconds that the last hooks have at least, when the end of the daemon took all of its time. */
export const HOOK_LAST_MS = 1_000;

/** Characters of a value in a hook's environment. */
export const MAX_HOOK_VALUE = 1_024;

/** Milliseconds between two log lines about hooks that were left out. */
export const LEFT_OUT_LOG_MS = 60_000;

/** Bytes that wait for a reader at most, for each of the two; beyond, lines are dropped and counted. */
export const MAX_OUTPUT_BACKLOG = 1024 * 1024;

/** Lines of one turn of the event loop that leave in one write at most. */
export const MAX_LINES_JOINED = 64;

/** Milliseconds that the end of the process waits for its last lines. */
export const OUTPUT_FLUSH_MS = 500;

/** Largest configuration file that is read, in bytes. */
export const MAX_CONFIG_SIZE = 1024 * 1024;

/** Warnings, and errors, of one kind in a second. */
export const WARNINGS_PER_SECOND = 20;

/** Tables of a TOML file that may stand within each other. */
export const MAX_TOML_DEPTH = 32;

/** Characters of a line that a message about it shows; of more, those around the place. */
export const MAX_SHOWN_LINE = 160;

/** Characters of a file that are looked at for UTF-16: all of such a text is like its beginning. */
export const UTF16_LOOKED_AT = 1024;

/** Kinds of them that are counted at most; of more, the one that came first is forgotten. */
export const MAX_WARNING_KINDS = 1_024;

/**
 * Connections to one address of the admin API. Of more, one goes from where most came from: the oldest that was never answered,
 * else the one that is silent for longest.
 */
export const MAX_ADMIN_CONNECTIONS = 64;

/** Requests to the admin API that are worked on at once; others are asked to come back. */
export const MAX_ADMIN_REQUESTS = 32;

/** Streams of the admin API that are open at once, in all. */
export const MAX_ADMIN_STREAMS = 16;

/** Milliseconds from the first byte of a request to the first of its answer. */
export const ADMIN_REQUEST_MS = 15_000;

/** Milliseconds that a connection to the admin API may be silent both ways, and that one write to it may take. */
export const ADMIN_IDLE_MS = 60_000;

/** Milliseconds between two signs of life on a stream of the admin API. */
export const ADMIN_HEARTBEAT_MS = 15_000;

/** Milliseconds that a place of the admin API goes on when it has moved: whoever asked for that is answered there. */
export const ADMIN_LEAVE_MS = 1_000;

/** Bytes of a request's body. */
export const MAX_ADMIN_BODY = 64 * 1024;

/** Bytes that a request may have sent, with its head, before anything of its answer came. */
export const MAX_ADMIN_REQUEST = 512 * 1024;

/** Entries of a list in one answer. */
export const MAX_ADMIN_PAGE = 500;

/** The same, if nobody says how many. */
export const ADMIN_PAGE = 100;

/** Events that are kept for those who ask later. */
export const MAX_KEPT_EVENTS = 4_096;

/** Characters of a pattern that names are matched with. */
export const MAX_SELECTOR = 256;

/** The least characters of a token. */
export const MIN_TOKEN = 16;

/** Characters of a tag. */
export const MAX_TAG = 63;

/** Tags of one device. */
export const MAX_TAGS = 32;

/** Milliseconds between two looks of a command with `--watch`. */
export const WATCH_MS = 2_000;

/** Characters of metrics that are made at once, and then wait for their reader. */
export const METRICS_CHUNK = 32 * 1024;

/** Readers of metrics at once; others are asked to come back, unless one of these has had its time. */
export const MAX_METRICS_READERS = 8;

/** Milliseconds that a reader of metrics has; after that another may have its place. */
export const METRICS_READ_MS = 5_000;

/** Milliseconds that a connection to `--metrics` may be silent both ways, and that one write to it may take. */
export const METRICS_IDLE_MS = 10_000;

/** Milliseconds between two counts of descriptors, where the kernel does not keep one. */
export const DESCRIPTOR_LOOK_MS = 60_000;

/** Milliseconds for which the answer holds whether the state can be written. */
export const READY_LOOK_MS = 5_000;

/** Bytes that wait to be written to an audit file; beyond, lines are lost, and counted. */
export const MAX_AUDIT_BACKLOG = 1024 * 1024;

/** Bytes that are written to it at once, about. */
export const AUDIT_WRITE = 64 * 1024;

/** Bytes from which an audit file is put aside. */
export const AUDIT_FILE_SIZE = 16 * 1024 * 1024;

/** Audit files that are kept beside the one that is written; the oldest is removed. */
export const AUDIT_FILES_KEPT = 9;

/** Milliseconds between two tries to write an audit file that cannot be written. */
export const AUDIT_RETRY_MS = 2_000;

/** Milliseconds between two log lines that the audit file cannot be written. */
export const AUDIT_SAID_MS = 60_000;

/** Milliseconds between two looks whether the audit file is still the one that is written. */
export const AUDIT_LOOK_MS = 1_000;

/** Milliseconds that the end of the daemon waits for its last audit lines. */
export const AUDIT_FLUSH_MS = 1_000;

/** Characters of a text in an audit line; the rest of it is left out. */
export const MAX_AUDIT_TEXT = 1_024;

/**
 * Refusals in a second that have audit lines of their own, and clients that end without a byte; more are counted in one:
 * strangers cannot push out the rest.
 */
export const AUDITED_REFUSALS = 20;

/** Bytes of the audit file that one answer is made of. */
export const AUDIT_READ = 256 * 1024;

/** Events that wait for the webhook; of more, the oldest is dropped, and counted. */
export const MAX_WEBHOOK_WAITING = 1_024;

/** Milliseconds that one request to the webhook may take. */
export const WEBHOOK_REQUEST_MS = 10_000;

/** Milliseconds between two tries to tell the webhook, at first and at most. */
export const WEBHOOK_RETRY_MS = [1_000, 60_000] as const;

/** Milliseconds after which an event that could not be told is given up. */
export const WEBHOOK_GIVE_UP_MS = 900_000;

/** Milliseconds that the end of the daemon waits for what the webhook is still to be told. */
export const WEBHOOK_LAST_MS = 1_000;

/** Milliseconds between two log lines about events that the webhook was not told. */
export const WEBHOOK_LOG_MS = 60_000;

/** Milliseconds between two looks at whether the service manager has a new status to hear. */
export const STATUS_INTERVAL_MS = 2_000;

/** Characters of the status that it hears. */
export const MAX_STATUS_LINE = 240;

/** Milliseconds between two signs of life for the watchdog, at least: half of what `WATCHDOG_USEC` asks for. */
export const MIN_WATCHDOG_MS = 50;

/** The most characters of a token that is given to log in. */
export const MAX_ADMIN_TOKEN = 4_096;

/** Browsers that are logged in at once; of more, the one that asked least recently is out. */
export const MAX_LOGINS = 32;

/** Milliseconds that a login lasts. */
export const LOGIN_MS = 12 * 3600_000;

/** Milliseconds without a request after which a login is over. */
export const LOGIN_IDLE_MS = 3600_000;

/** Wrong tokens in a row that are answered at once, of all who come by TCP: they are all of this machine. */
export const LOGIN_TRIES = 10;

/** Milliseconds after which one more is. */
export const LOGIN_TRY_MS = 6_000;

/** Milliseconds that one check of `doctor` may take. */
export const CHECK_MS = 10_000;

/** Milliseconds that `doctor` waits for what the daemon that runs says of itself. */
export const DOCTOR_ASK_MS = 3_000;

/** Descriptors below which `doctor` warns. */
export const MIN_DESCRIPTORS = 4_096;

/** Free bytes for the state below which `doctor` warns. */
export const LOW_DISK = 16_777_216;

/** Milliseconds between two looks at a configuration file. */
export const CONFIG_POLL_MS = 1_000;

/** Looks for which a changed configuration file has to stand still: whoever changes several things is not cut short. */
export const CONFIG_SETTLE_LOOKS = 5;
