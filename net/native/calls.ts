/**
 * The system calls that sockets take. Tests put their own in their place.
 *
 * @module
 */

import { type Calls, libc } from "../kernel/libc.ts";

/** The calls, and the error of the last one that failed. */
export interface SocketCalls extends
  Pick<
    Calls,
    | "accept4"
    | "bind"
    | "close"
    | "connect"
    | "epoll_create1"
    | "epoll_ctl"
    | "epoll_wait"
    | "epoll_wait_aside"
    | "eventfd"
    | "getpeername"
    | "getsockname"
    | "getsockopt"
    | "ioctl"
    | "listen"
    | "malloc_trim"
    | "recvNow"
    | "sendNow"
    | "setsockopt"
    | "shutdown"
    | "socket"
    | "timerfd_create"
    | "timerfd_settime"
    | "write"
  > {
  /** The error of the last call that failed (`errno`, which belongs to this thread). */
  errno(): number;
}

/** The system's, where they can be had. */
export function socketCalls(): SocketCalls | undefined {
  const calls = libc();
  const at = calls?.__errno_location();
  if (!calls || !at) return undefined;
  const view = new Deno.UnsafePointerView(at);
  return { ...calls, errno: () => view.getInt32() };
}
