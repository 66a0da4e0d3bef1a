/**
 * The system calls that the runtime does not offer, where they can be had: on Linux with glibc, with the permission
 * `ffi`. Whoever asks has to do without them elsewhere. All but one run at once, on the thread that calls.
 *
 * @module
 */

/** Whether numbers of more than a byte begin with the lowest, as they do on all machines that there are binaries for. */
export const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** Address families, types, flags, levels and sizes of Linux, the same on x86-64 and arm64. */
export const AF_UNIX = 1;
/** See {@linkcode AF_UNIX}. */
export const AF_INET = 2;
/** See {@linkcode AF_UNIX}. */
export const AF_INET6 = 10;
/** See {@linkcode AF_UNIX}. */
export const SOL_SOCKET = 1;
/** See {@linkcode AF_UNIX}. */
export const IPPROTO_TCP = 6;
/** See {@linkcode AF_UNIX}. */
export const AF_NETLINK = 16;
/** See {@linkcode AF_UNIX}. */
export const SOCK_STREAM = 1;
/** See {@linkcode AF_UNIX}. */
export const SOCK_DGRAM = 2;
/** See {@linkcode AF_UNIX}. */
export const SOCK_RAW = 3;
/** A descriptor on which no call waits: of files, sockets and all others. */
export const NONBLOCK = 0o4000;
/** A descriptor that no other program is given. */
export const CLOEXEC = 0o2000000;
/** A write to a connection that has failed is an error, and no signal. */
export const MSG_NOSIGNAL = 0x4000;
/** This one call does not wait. */
export const MSG_DONTWAIT = 0x40;
/** Ends a socket's writing side. */
export const SHUT_WR = 1;
/** Of a `struct sockaddr_storage`, in bytes. */
export const SOCKADDR_SIZE = 128;

const LIBRARY = "libc.so.6";
const SYMBOLS = {
  // Sockets.
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32" },
  poll_aside: { name: "poll", parameters: ["buffer", "u64", "i32"], result: "i32", nonblocking: true },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  accept4: { parameters: ["i32", "buffer", "buffer", "i32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
  // Readiness. The size of a piece is 32 bits wide: more is never passed, and 64 cost twelve times as much.
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "buffer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "pointer", "i32", "i32"], result: "i32" },
  epoll_wait_aside: {
    name: "epoll_wait",
    parameters: ["i32", "pointer", "i32", "i32"],
    result: "i32",
    nonblocking: true,
  },
  timerfd_create: { parameters: ["i32", "i32"], result: "i32" },
  timerfd_settime: { parameters: ["i32", "i32", "buffer", "pointer"], result: "i32" },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  recvmsg: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  sendmsg: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  sendNow: { name: "send", parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  recvNow: { name: "recv", parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  if_nametoindex: { parameters: ["buffer"], result: "u32" },
  getrlimit: { parameters: ["i32", "buffer"], result: "i32" },
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  ioctlNumber: { name: "ioctl", parameters: ["i32", "u64", "u64"], result: "i32" },
  kill: { parameters: ["i32", "i32"], result: "i32" },
  // Files.
  close: { parameters: ["i32"], result: "i32" },
  open: { parameters: ["buffer", "i32", "u32"], result: "i32" },
  openat: { parameters: ["i32", "buffer", "i32", "u32"], result: "i32" },
  mkdirat: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  renameat: { parameters: ["i32", "buffer", "i32", "buffer"], result: "i32" },
  unlinkat: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  readlinkat: { parameters: ["i32", "buffer", "buffer", "usize"], result: "isize" },
  fdopendir: { parameters: ["i32"], result: "pointer" },
  readdir: { parameters: ["pointer"], result: "pointer" },
  closedir: { parameters: ["pointer"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  lseek: { parameters: ["i32", "i64", "i32"], result: "i64" },
  ftruncate: { parameters: ["i32", "i64"], result: "i32" },
  fchmod: { parameters: ["i32", "u32"], result: "i32" },
  fsync: { parameters: ["i32"], result: "i32", nonblocking: true }, // the only one that takes its time
  flock: { parameters: ["i32", "i32"], result: "i32" },
  statx: { parameters: ["i32", "buffer", "i32", "u32", "buffer"], result: "i32", optional: true }, // glibc 2.28
  malloc_trim: { parameters: ["usize"], result: "i32" },
  // Whose rights are used.
  setfsuid: { parameters: ["u32"], result: "i32" },
  setfsgid: { parameters: ["u32"], result: "i32" },
  getegid: { parameters: [], result: "u32" },
  getgroups: { parameters: ["i32", "buffer"], result: "i32" },
  getpwuid: { parameters: ["u32"], result: "pointer" },
  getgrouplist: { parameters: ["pointer", "u32", "buffer", "buffer"], result: "i32" },
  syscall: { parameters: ["i64", "i64", "buffer"], result: "i64" },
  __errno_location: { parameters: [], result: "pointer" },
} as const;

export type Calls = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** The library, for as long as the process lives: a flood of strangers would have it opened a thousand times a second. */
const library = load();

function load(): Calls | undefined {
  try {
    return isAllowed() ? Deno.dlopen(LIBRARY, SYMBOLS).symbols : undefined;
  } catch {
    return undefined; // musl has another name for it
  }
}

function isAllowed(): boolean {
  return Deno.build.os === "linux" && Deno.permissions.querySync({ name: "ffi" }).state === "granted";
}

/** The calls, or `undefined` where they cannot be had. Never asks the user. */
export function libc(): Calls | undefined {
  return library;
}

/** The number of the last call's error (`errno`, which belongs to this thread). */
export function lastErrno({ __errno_location }: Pick<Calls, "__errno_location">): number {
  const at = __errno_location();
  return at === null ? 0 : new Deno.UnsafePointerView(at).getInt32();
}
