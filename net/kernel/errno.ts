/**
 * Errors of the system's calls, and those on sockets as the runtime throws them: those who look at one need not ask who threw it.
 *
 * @module
 */

/** Not now: the call would have had to wait. */
export const EAGAIN = 11;
/** A signal came first. */
export const EINTR = 4;
/** It is not allowed. */
export const EPERM = 1;
/** This machine does not have the address. */
export const EADDRNOTAVAIL = 99;
/** There is no such interface. */
export const ENODEV = 19;
/** There is no such file. */
export const ENOENT = 2;
/** There is no such process. */
export const ESRCH = 3;
/** The device does not answer any more. */
export const EIO = 5;
/** There is no such device behind the file. */
export const ENXIO = 6;
/** The file may not be opened. */
export const EACCES = 13;
/** Somebody else has it. */
export const EBUSY = 16;
/** The system does not take that. */
export const EINVAL = 22;
/** It is no terminal. */
export const ENOTTY = 25;
/** It is too large to be sent at once. */
export const EMSGSIZE = 90;
/** The system does not have the protocol. */
export const EPROTONOSUPPORT = 93;
/** The system does not have the address family. */
export const EAFNOSUPPORT = 97;
/** The interface is down. */
export const ENETDOWN = 100;
/** There is no room for it now. */
export const ENOBUFS = 105;
/** The connection is being made. */
export const EINPROGRESS = 115;

type ErrorClass = new (message: string, options?: ErrorOptions) => Error;

const { errors } = Deno;
/** What the system says, by its number, the same on x86-64 and arm64: its word, its text, and what the runtime throws of a socket. */
export const ERRORS: Readonly<Record<number, readonly [code: string, text: string, of?: ErrorClass]>> = {
  1: ["EPERM", "Operation not permitted", errors.PermissionDenied],
  2: ["ENOENT", "No such file or directory", errors.NotFound],
  3: ["ESRCH", "No such process"],
  4: ["EINTR", "Interrupted system call", errors.Interrupted],
  5: ["EIO", "Input/output error"],
  6: ["ENXIO", "No such device or address"],
  9: ["EBADF", "Bad file descriptor", errors.BadResource],
  11: ["EAGAIN", "Resource temporarily unavailable", errors.WouldBlock],
  12: ["ENOMEM", "Cannot allocate memory"],
  13: ["EACCES", "Permission denied", errors.PermissionDenied],
  16: ["EBUSY", "Device or resource busy"],
  17: ["EEXIST", "File exists"],
  18: ["EXDEV", "Cross-device link"],
  19: ["ENODEV", "No such device"],
  20: ["ENOTDIR", "Not a directory", errors.NotADirectory],
  21: ["EISDIR", "Is a directory"],
  22: ["EINVAL", "Invalid argument", errors.InvalidData],
  23: ["ENFILE", "Too many open files in system"],
  24: ["EMFILE", "Too many open files"],
  25: ["ENOTTY", "Inappropriate ioctl for device"],
  26: ["ETXTBSY", "Text file busy"],
  27: ["EFBIG", "File too large"],
  28: ["ENOSPC", "No space left on device"],
  30: ["EROFS", "Read-only file system"],
  32: ["EPIPE", "Broken pipe", errors.BrokenPipe],
  36: ["ENAMETOOLONG", "File name too long"],
  40: ["ELOOP", "It is a symbolic link"],
  71: ["EPROTO", "Protocol error"],
  91: ["EPROTOTYPE", "Protocol wrong type for socket"],
  93: ["EPROTONOSUPPORT", "Protocol not supported"],
  97: ["EAFNOSUPPORT", "Address family not supported by protocol"],
  98: ["EADDRINUSE", "Address already in use", errors.AddrInUse],
  99: ["EADDRNOTAVAIL", "Cannot assign requested address", errors.AddrNotAvailable],
  100: ["ENETDOWN", "Network is down"],
  101: ["ENETUNREACH", "Network is unreachable", errors.NetworkUnreachable],
  103: ["ECONNABORTED", "Software caused connection abort", errors.ConnectionAborted],
  104: ["ECONNRESET", "Connection reset by peer", errors.ConnectionReset],
  105: ["ENOBUFS", "No buffer space available"],
  107: ["ENOTCONN", "Transport endpoint is not connected", errors.NotConnected],
  110: ["ETIMEDOUT", "Connection timed out", errors.TimedOut],
  111: ["ECONNREFUSED", "Connection refused", errors.ConnectionRefused],
  112: ["EHOSTDOWN", "Host is down"],
  113: ["EHOSTUNREACH", "No route to host"],
  116: ["ESTALE", "Stale file handle"],
  122: ["EDQUOT", "Disk quota exceeded"],
};

/** The system's word for an error, for people. */
export function errnoName(errno: number): string {
  return ERRORS[errno]?.[0] ?? `error ${errno}`;
}

/** The error of number `errno`. It has the system's word for it as `code`. */
export function socketError(errno: number): Error {
  const [code, text, Class = Error] = ERRORS[errno] ?? [`E${errno}`, "Socket error"];
  return Object.assign(new Class(`${text} (os error ${errno})`), { code });
}

/** What a pending call on a socket fails with when this process closes it. */
export function closedError(): Error {
  return new errors.BadResource("the socket is closed");
}
