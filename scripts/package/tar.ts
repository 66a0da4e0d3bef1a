/**
 * Tar archives (ustar), the same bytes for the same content, wherever and whenever they are made.
 *
 * @module
 */

/** What stands in an archive or a package. Paths have no slash in front; folders above are made as they are needed. */
export interface Entry {
  readonly path: string;
  /** Rights, such as `0o755`. */
  readonly mode: number;
  /** The content of a file; `undefined` for a folder, or a link. */
  readonly bytes?: Uint8Array;
  /** Where a symbolic link leads. */
  readonly link?: string;
  /** Number of its user and of its group. @default {0} */
  readonly owner?: number;
}

const BLOCK = 512;
const MAX_NAME = 100;
const MAX_PREFIX = 155;

/**
 * An archive of `entries`, in the order of their paths, with the folders that lead there.
 *
 * @param prefix Stands in front of every path: `./` in a package for Debian.
 * @param time Seconds since 1970, for every entry.
 * @throws {RangeError} if a path is too long.
 */
export function tar(entries: readonly Entry[], prefix: string, time: number): Uint8Array<ArrayBuffer> {
  const all = withFolders(entries).toSorted((a, b) => a.path < b.path ? -1 : 1);
  const size = all.reduce((sum, { bytes }) => sum + BLOCK + padded(bytes?.length ?? 0), 2 * BLOCK);
  const archive = new Uint8Array(size);
  let at = 0;
  for (const entry of all) {
    archive.set(header(entry, prefix, time), at);
    at += BLOCK;
    if (!entry.bytes) continue;
    archive.set(entry.bytes, at);
    at += padded(entry.bytes.length);
  }
  return archive;
}

/** The entries with the folders above them that are not named. */
export function withFolders(entries: readonly Entry[]): Entry[] {
  const known = new Map(entries.map((entry) => [entry.path, entry]));
  for (const { path } of entries) {
    for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1)) {
      const folder = path.slice(0, end);
      if (!known.has(folder)) known.set(folder, { path: folder, mode: 0o755 });
    }
  }
  return [...known.values()];
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

function header({ path, mode, bytes, link, owner = 0 }: Entry, prefix: string, time: number): Uint8Array {
  const head = new Uint8Array(BLOCK);
  const isFolder = bytes === undefined && link === undefined;
  const [above, name] = split(`${prefix}${path}${isFolder ? "/" : ""}`);
  const text = (at: number, value: string) => head.set(new TextEncoder().encode(value), at);
  const number = (at: number, size: number, value: number) => text(at, value.toString(8).padStart(size - 1, "0"));
  text(0, name);
  number(100, 8, mode);
  number(108, 8, owner);
  number(116, 8, owner);
  number(124, 12, bytes?.length ?? 0);
  number(136, 12, time);
  text(148, " ".repeat(8)); // the sum is made over blanks in its place
  text(156, link !== undefined ? "2" : isFolder ? "5" : "0");
  if (link !== undefined) text(157, link);
  text(257, "ustar\0" + "00");
  text(345, above);
  const sum = head.reduce((total, byte) => total + byte, 0);
  text(148, `${sum.toString(8).padStart(6, "0")}\0 `);
  return head;
}

/** A path in the two fields that there are for it. */
function split(path: string): [above: string, name: string] {
  if (path.length <= MAX_NAME) return ["", path];
  const at = path.indexOf("/", path.length - MAX_NAME - 1);
  if (at < 0 || at > MAX_PREFIX || at === path.length - 1) throw new RangeError(`${path} is too long for an archive`);
  return [path.slice(0, at), path.slice(at + 1)];
}
