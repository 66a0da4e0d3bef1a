/**
 * Packages for Debian (deb(5)), the same bytes for the same content.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";
import { type Entry, tar } from "./tar.ts";

/** What a package is made of. */
export interface DebOptions {
  /** Fields of `control`, in their order, without `Installed-Size`. */
  readonly control: Readonly<Record<string, string>>;
  /** `postinst` and its like. */
  readonly scripts: Readonly<Record<string, string>>;
  /** What is installed; what lies below `etc` is configuration, and kept as it was changed. */
  readonly entries: readonly Entry[];
  /** Seconds since 1970. */
  readonly time: number;
}

/** A package. */
export function deb({ control, scripts, entries, time }: DebOptions): Uint8Array<ArrayBuffer> {
  const files = entries.filter((entry): entry is Entry & { bytes: Uint8Array } => entry.bytes !== undefined);
  const kib = files.reduce((sum, { bytes }) => sum + Math.ceil(bytes.length / 1024), 0);
  const fields = { ...control, "Installed-Size": `${kib}` };
  const text: Record<string, string> = {
    control: Object.entries(fields).map(([name, value]) => `${name}: ${value}\n`).join(""),
    conffiles: files.filter(({ path }) => path.startsWith("etc/")).map(({ path }) => `/${path}\n`).join(""),
    md5sums: files.filter(({ path }) => !path.startsWith("etc/"))
      .map(({ path, bytes }) => `${createHash("md5").update(bytes).digest("hex")}  ${path}\n`).toSorted().join(""),
    ...scripts,
  };
  const about = Object.entries(text).map(([path, content]): Entry => ({
    path,
    mode: path in scripts ? 0o755 : 0o644,
    bytes: new TextEncoder().encode(content),
  }));
  return ar([
    ["debian-binary", new TextEncoder().encode("2.0\n")],
    ["control.tar.gz", compress(tar(about, "./", time))],
    ["data.tar.gz", compress(tar(entries, "./", time))],
  ], time);
}

/** As gzip does it, without a name and a time. */
export function compress(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(gzipSync(bytes, { level: 9 }));
}

/** An archive of `ar`; names have 15 characters at most. */
export function ar(
  members: readonly (readonly [name: string, bytes: Uint8Array])[],
  time: number,
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [new TextEncoder().encode("!<arch>\n")];
  for (const [name, bytes] of members) {
    const head = [name.padEnd(16), `${time}`.padEnd(12), "0".padEnd(6), "0".padEnd(6), "100644".padEnd(8)].join("") +
      `${bytes.length}`.padEnd(10) + "`\n";
    parts.push(new TextEncoder().encode(head), bytes);
    if (bytes.length % 2 === 1) parts.push(new TextEncoder().encode("\n"));
  }
  const archive = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    archive.set(part, at);
    at += part.length;
  }
  return archive;
}
