/**
 * Errors of the system's calls on sockets, as the runtime throws them: those who look at an error need not ask who threw it.
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
/** The connection is being made. */
export const EINPROGRESS = 115;

type ErrorClass = new (message: string, options?: ErrorOptions) => Error;

const { errors } = Deno;
const ERRORS: Readonly<Record<number, readonly [code: string, text: string, of?: ErrorClass]>> = {
  1: ["EPERM", "Operation not permitted", errors.PermissionDenied],
  2: ["ENOENT", "No such file or directory", errors.NotFound],
  4: ["EINTR", "Interrupted system call", errors.Interrupted],
  5: ["EIO", "Input/output error"],
  9: ["EBADF", "Bad file descriptor", errors.BadResource],
  11: ["EAGAIN", "Resource temporarily unavailable", errors.WouldBlock],
  12: ["ENOMEM", "Cannot allocate memory"],
  13: ["EACCES", "Permission denied", errors.PermissionDenied],
  19: ["ENODEV", "No such device"],
  20: ["ENOTDIR", "Not a directory", errors.NotADirectory],
  22: ["EINVAL", "Invalid argument", errors.InvalidData],
  23: ["ENFILE", "Too many open files in system"],
  24: ["EMFILE", "Too many open files"],
  32: ["EPIPE", "Broken pipe", errors.BrokenPipe],
  71: ["EPROTO", "Protocol error"],
  91: ["EPROTOTYPE", "Protocol wrong type for socket"],
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
};

/** The error of number `errno`. It has the system's word for it as `code`. */
export function socketError(errno: number): Error {
  const [code, text, Class = Error] = ERRORS[errno] ?? [`E${errno}`, "Socket error"];
  return Object.assign(new Class(`${text} (os error ${errno})`), { code });
}

/** What a pending call on a socket fails with when this process closes it. */
export function closedError(): Error {
  return new errors.BadResource("the socket is closed");
}
