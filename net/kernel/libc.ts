/**
 * The few system calls that the runtime does not offer, where they can be had: on Linux with glibc, with the permission
 * `ffi`.
 *
 * @module
 */

const LIBRARY = "libc.so.6";
const SYMBOLS = {
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  shutdown: { parameters: ["i32", "i32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32" },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
} as const;

/** The calls. */
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
