/**
 * The newest lines of an audit, read from its end: however long it is, no more than `AUDIT_READ` bytes of it at once.
 *
 * @module
 */

import type { Clock } from "../../base/clock.ts";
import { inSlices, type Steps } from "../../base/slices.ts";
import { ConfigError } from "../toml/config_error.ts";
import { whyUnreadable } from "../../base/errors.ts";
import { AUDIT_READ } from "../limits.ts";

/** Lines, and where to go on. */
export interface AuditPage {
  /** The newest first. */
  readonly lines: Record<string, unknown>[];
  /** Where older ones are; `undefined` at the beginning of the file. */
  readonly cursor: string | undefined;
}

/** Which lines. */
export interface AuditQuery {
  /** How many at most. */
  readonly limit: number;
  /** Where to go on, if not at the end. */
  readonly cursor?: string | undefined;
  /**
   * None from before this time, in milliseconds since 1970. What is older is passed over, as a clock may have been wrong for a
   * while; the end is where all that is read at once is older.
   */
  readonly since?: number | undefined;
  /** Whether a line is wanted; all are, if that is not said. */
  isWanted?(line: Record<string, unknown>): boolean;
}

/** The file is another one by now. */
export class AuditMoved extends Error {
  override readonly name = "AuditMoved";
}

/**
 * Reads lines, from the end or from where a cursor leads. Without a file there is none. A page may have few lines, or none,
 * and a cursor all the same, where none of those that were read is wanted.
 *
 * @throws {AuditMoved} if the cursor is one of another file. {ConfigError} if the file cannot be read.
 */
export async function readAuditEnd(path: string, query: AuditQuery, clock: Clock): Promise<AuditPage> {
  let file: Deno.FsFile;
  try {
    if (!(await Deno.stat(path)).isFile) return { lines: [], cursor: undefined }; // a pipe would wait for its writer
    file = await Deno.open(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return { lines: [], cursor: undefined };
    throw new ConfigError(`Cannot read ${path}: ${whyUnreadable(error)}`, { cause: error });
  }
  try {
    const { size, ino } = await file.stat();
    const end = query.cursor === undefined ? size : placeOf(query.cursor, ino ?? 0, size);
    const start = Math.max(0, end - AUDIT_READ);
    const bytes = await readAt(file, start, end - start);
    const { lines, first } = await inSlices(takeLines(bytes, start, query), clock);
    return { lines, cursor: first > 0 ? `${ino ?? 0}-${first}` : undefined };
  } finally {
    file.close();
  }
}

function placeOf(cursor: string, ino: number, size: number): number {
  const [, run, at] = /^(\d{1,20})-(\d{1,15})$/.exec(cursor) ?? [];
  if (run !== String(ino) || Number(at) > size) throw new AuditMoved("the audit file was put aside; begin anew");
  return Number(at);
}

async function readAt(file: Deno.FsFile, start: number, size: number): Promise<Uint8Array> {
  await file.seek(start, Deno.SeekMode.Start);
  const bytes = new Uint8Array(size);
  let fill = 0;
  while (fill < size) {
    const count = await file.read(bytes.subarray(fill));
    if (count === null) break;
    fill += count;
  }
  return bytes.subarray(0, fill);
}

const OPENING_BRACE = 0x7b;

/**
 * The last whole lines of some bytes that stand at `start`; what is no JSON is passed over. `first`: where the oldest of
 * those begins that were looked at; 0 if no older ones are wanted.
 */
function* takeLines(
  bytes: Uint8Array,
  start: number,
  { limit, since = -Infinity, isWanted = () => true }: AuditQuery,
): Steps<{ lines: Record<string, unknown>[]; first: number }> {
  const lines: Record<string, unknown>[] = [];
  let end = bytes.lastIndexOf(10) + 1; // what is behind it is being written
  let first = start + end;
  let isAny = false;
  let [older, newer] = [false, false];
  while (end > 0 && lines.length < limit) {
    const before = end < 2 ? -1 : bytes.lastIndexOf(10, end - 2);
    if (before < 0 && start > 0) break; // its beginning was not read
    const line = parse(bytes.subarray(before + 1, end - 1));
    const isOlder = line !== undefined && Date.parse(String(line["time"])) < since;
    older ||= isOlder;
    newer ||= line !== undefined && !isOlder;
    if (line && !isOlder && isWanted(line)) lines.push(line);
    isAny = true;
    end = before + 1;
    first = start + end;
    yield;
  }
  if (older && !newer) return { lines, first: 0 };
  // One line that is longer than all that is read at once is left out.
  return { lines, first: isAny ? first : start };
}

/** An object, if it is one: most of what is none is told by its first byte, as a mistake of the parser costs much. */
function parse(bytes: Uint8Array): Record<string, unknown> | undefined {
  if (bytes[0] !== OPENING_BRACE) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? value as Record<string, unknown>
      : undefined;
  } catch {
    return undefined;
  }
}
