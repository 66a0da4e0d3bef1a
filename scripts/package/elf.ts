/**
 * What a program's file says of the machine that it runs on.
 *
 * @module
 */

import { Buffer } from "node:buffer";

/** Platforms that there is a runtime for, by the number in the file. */
const PLATFORMS: Readonly<Record<number, Platform>> = {
  62: { debian: "amd64", machine: "x86_64", triple: "x86_64-linux-gnu" },
  183: { debian: "arm64", machine: "aarch64", triple: "aarch64-linux-gnu" },
};

/** A platform, in the words of others. */
export interface Platform {
  /** Debian's name, which containers use as well. */
  readonly debian: string;
  /** As `uname -m` says. */
  readonly machine: string;
  /** The folder of its libraries. */
  readonly triple: string;
}

/** The platform of a program. @throws {TypeError} if it is none for Linux, or for another one. */
export function platformOf(bytes: Uint8Array): Platform {
  const isElf64 = bytes[0] === 0x7f && bytes[1] === 0x45 && bytes[2] === 0x4c && bytes[3] === 0x46 && bytes[4] === 2;
  if (!isElf64) throw new TypeError("it is no 64-bit program for Linux");
  const machine = new DataView(bytes.buffer, bytes.byteOffset).getUint16(18, true);
  const platform = PLATFORMS[machine];
  if (!platform) throw new TypeError(`it is for machine ${machine}, neither x86-64 (62) nor arm64 (183)`);
  return platform;
}

/** The newest version of glibc that a program asks for, such as `2.27`, by the names of versions in it; at least `2.17`. */
export function glibcOf(bytes: Uint8Array): string {
  const minors = [...after(bytes, "GLIBC_2.", 8)].map((text) => Number(/^(\d{1,2})(?:\.\d+)?\0/.exec(text)?.[1] ?? 0));
  return `2.${minors.reduce((most, minor) => Math.max(most, minor), 17)}`;
}

/** The Deno in a program, where that names itself. @throws {TypeError} if it does not. */
export function runtimeOf(bytes: Uint8Array): string {
  for (const text of after(bytes, "Deno/", 16)) {
    const version = /^\d+\.\d+\.\d+/.exec(text);
    if (version) return version[0];
  }
  throw new TypeError("it does not say which Deno is in it; name that: --runtime VERSION");
}

/** The `size` characters behind each place of `mark`. */
function* after(bytes: Uint8Array, mark: string, size: number): Generator<string> {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = buffer.indexOf(mark); at >= 0; at = buffer.indexOf(mark, at + 1)) {
    yield buffer.toString("latin1", at + mark.length, at + mark.length + size);
  }
}
