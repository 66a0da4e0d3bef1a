/**
 * Files below an open folder, by system calls: what happens to the path of that folder meanwhile is of no consequence.
 *
 * @module
 */

import { errorCode } from "../../base/errors.ts";
import { CLOEXEC, NONBLOCK } from "./libc.ts";
import { cString, type SystemCalls, systemCalls, systemError } from "./system_calls.ts";

/** What is known of a file. */
export interface FileFacts {
  readonly isFile: boolean;
  readonly isDirectory: boolean;
  readonly isSymlink: boolean;
  /** `null` where there is no such thing; so with the other two. */
  readonly mode: number | null;
  readonly uid: number | null;
  readonly gid: number | null;
  readonly size: number;
  readonly nlink: number | null;
  readonly ino: number | null;
  /** Milliseconds since 1970. */
  readonly mtime: number | undefined;
  readonly ctime: number | undefined;
}

/** What else may stand at a path, and who may use it; `null` where there is no such thing. */
export interface NodeFacts extends Pick<FileFacts, "isFile" | "mode" | "uid" | "gid"> {
  readonly isSocket: boolean | null;
  readonly isCharDevice: boolean | null;
}

/** An open file. */
export interface StateFile extends Disposable {
  /** What is known of it. */
  facts(): FileFacts;
  /** Reads where it stands. @returns how many bytes, or `null` at the end. */
  read(into: Uint8Array): Promise<number | null>;
  /** Writes where it stands. @returns how many bytes. */
  write(bytes: Uint8Array): Promise<number>;
  /** Goes to the beginning. */
  rewind(): Promise<void>;
  /** Gives it the length `size`. */
  truncate(size: number): Promise<void>;
  /** Waits until it is on the disk. */
  sync(): Promise<void>;
}

/** Flags of `open`. Some differ between architectures. */
const isArm = Deno.build.arch === "aarch64";
export const O_RDONLY = 0;
export const O_WRONLY = 0o1;
export const O_RDWR = 0o2;
export const O_CREAT = 0o100;
export const O_EXCL = 0o200;
export const O_PATH = 0o10000000;
export const O_DIRECTORY = isArm ? 0o40000 : 0o200000;
export const O_NOFOLLOW = isArm ? 0o100000 : 0o400000;

const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const AT_SYMLINK_NOFOLLOW = 0x100;
const STATX_BASIC_STATS = 0x7ff;

/** Opens a file, without waiting for the other end of a pipe. @returns its descriptor. @throws what the system says. */
export function openAt(calls: SystemCalls, folder: number | undefined, path: string, flags: number, mode = 0): number {
  const fd = calls.openat(folder ?? AT_FDCWD, cString(path || "."), flags | NONBLOCK | CLOEXEC, mode);
  if (fd < 0) throw systemError(calls, "open", path);
  return fd;
}

/** Looks at a file below an open folder, or, without a path, at an open one. */
export function factsAt(calls: SystemCalls, fd: number, path: string, follow = true): FileFacts & NodeFacts {
  const bytes = new Uint8Array(256); // struct statx: the same on every architecture
  const flags = (path === "" ? AT_EMPTY_PATH : 0) | (follow ? 0 : AT_SYMLINK_NOFOLLOW);
  if (calls.statx(fd, cString(path), flags, STATX_BASIC_STATS, bytes) !== 0) throw systemError(calls, "stat", path);
  const view = new DataView(bytes.buffer);
  const mode = view.getUint16(28, true);
  const kind = mode & 0o170000;
  const time = (at: number) => Number(view.getBigInt64(at, true)) * 1000 + view.getUint32(at + 8, true) / 1e6;
  return {
    isFile: kind === 0o100000,
    isDirectory: kind === 0o040000,
    isSymlink: kind === 0o120000,
    isSocket: kind === 0o140000,
    isCharDevice: kind === 0o020000,
    mode: mode & 0o7777,
    uid: view.getUint32(20, true),
    gid: view.getUint32(24, true),
    size: Number(view.getBigUint64(40, true)),
    nlink: view.getUint32(16, true),
    ino: Number(view.getBigUint64(32, true)),
    mtime: time(112),
    ctime: time(96),
  };
}

/** What stands at a path, a link followed, also where a compiled program may not look; `undefined` if nothing does. */
export function factsNow(path: string): NodeFacts | undefined {
  const calls = systemCalls();
  try {
    return calls ? factsAt(calls, AT_FDCWD, path) : Deno.statSync(path);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Where a link leads. */
export function linkAt(calls: SystemCalls, folder: number, path: string): string {
  const bytes = new Uint8Array(4096);
  const size = Number(calls.readlinkat(folder, cString(path), bytes, BigInt(bytes.length)));
  if (size < 0) throw systemError(calls, "readlink", path);
  return new TextDecoder().decode(bytes.subarray(0, size));
}

/** The names in a folder. */
export function namesAt(calls: SystemCalls, folder: number, path: string): string[] {
  const stream = calls.fdopendir(openAt(calls, folder, path, O_RDONLY | O_DIRECTORY));
  if (stream === null) throw systemError(calls, "read", path);
  const names: string[] = [];
  // struct dirent of 64-bit systems: the name is behind 19 bytes
  for (let entry = calls.readdir(stream); entry !== null; entry = calls.readdir(stream)) {
    names.push(new Deno.UnsafePointerView(entry).getCString(19));
  }
  calls.closedir(stream);
  return names.filter((name) => name !== "." && name !== "..");
}

/** Reads an open file to its end, or to `limit` bytes. */
export function readDescriptor(calls: SystemCalls, fd: number, path: string, limit: number): Uint8Array {
  let bytes = new Uint8Array(16 * 1024);
  let size = 0;
  for (;;) {
    if (size === bytes.length) {
      const more = new Uint8Array(2 * size);
      more.set(bytes);
      bytes = more;
    }
    const count = Number(calls.read(fd, bytes.subarray(size), BigInt(Math.min(bytes.length, limit) - size)));
    if (count < 0) throw systemError(calls, "read", path);
    size += count;
    if (count === 0 || size >= limit) return bytes.subarray(0, size);
  }
}

/** How a file is opened to lock it: without a mode, what is there is opened to read: a folder, or a file that cannot be written. */
export function lockFlags(mode: number | undefined): number {
  return mode === undefined ? O_RDONLY | O_NOFOLLOW : O_RDWR | O_CREAT | O_NOFOLLOW;
}

/**
 * The text of a file, at once: what would have its reader wait, as a pipe does, is refused.
 *
 * @param limit The largest file that is read, in bytes.
 * @throws {Error} what the system says, or that it is not a file, or too large.
 */
export function readNow(path: string, limit: number): string {
  const calls = systemCalls();
  if (calls) return readThrough(calls, path, limit, openAt(calls, undefined, path, O_RDONLY));
  demandSmallFile(Deno.statSync(path), limit); // without system calls it may be another one a moment later
  return Deno.readTextFileSync(path);
}

const MIB = 1024 * 1024;

function demandSmallFile({ isFile, size }: Pick<FileFacts, "isFile" | "size">, limit: number): void {
  if (!isFile) throw new Error("it is not a file");
  if (size > limit) throw new Error(`it has ${size} bytes, more than ${limit < MIB ? limit : `${limit / MIB} MiB`}`);
}

/** The text of an open file, which is closed then. @throws {Error} as {@linkcode readNow} does. */
export function readThrough(calls: SystemCalls, path: string, limit: number, fd: number): string {
  try {
    demandSmallFile(factsAt(calls, fd, ""), limit);
    return new TextDecoder(undefined, { ignoreBOM: true }).decode(readDescriptor(calls, fd, path, limit));
  } finally {
    calls.close(fd);
  }
}

/** A file that was opened by a system call. */
export class NativeFile implements StateFile {
  readonly #calls: SystemCalls;
  readonly #path: string;
  #fd: number;

  /** Takes the descriptor `fd`; `path` is for messages. */
  constructor(calls: SystemCalls, fd: number, path: string) {
    this.#calls = calls;
    this.#fd = fd;
    this.#path = path;
  }

  facts(): FileFacts {
    return factsAt(this.#calls, this.#fd, "");
  }

  read(into: Uint8Array): Promise<number | null> {
    return this.#number("read", () => this.#calls.read(this.#fd, into as Uint8Array<ArrayBuffer>, BigInt(into.length)))
      .then((count) => count === 0 && into.length > 0 ? null : count);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.#number("write", () => {
      return this.#calls.write(this.#fd, bytes as Uint8Array<ArrayBuffer>, BigInt(bytes.length));
    });
  }

  async rewind(): Promise<void> {
    await this.#number("seek", () => this.#calls.lseek(this.#fd, 0n, 0));
  }

  async truncate(size: number): Promise<void> {
    await this.#number("truncate", () => this.#calls.ftruncate(this.#fd, BigInt(size)));
  }

  async sync(): Promise<void> {
    if (await this.#calls.fsync(this.#fd) !== 0) throw Object.assign(new Error("cannot be synced"), { code: "EIO" });
  }

  [Symbol.dispose](): void {
    if (this.#fd >= 0) this.#calls.close(this.#fd);
    this.#fd = -1;
  }

  #number(doing: string, call: () => number | bigint): Promise<number> {
    const result = Number(call());
    return result < 0 ? Promise.reject(systemError(this.#calls, doing, this.#path)) : Promise.resolve(result);
  }
}
