/**
 * A slow and obvious decoder of wire profile v1, written from the specification: it has the whole stream before it.
 *
 * It shares no code with `protocol/`, so that the two can be compared.
 *
 * @module
 */

import { isIP } from "node:net";

/** What a stream says: a line for each thing told, then how it ended. */
export interface Reading {
  /** For example `connect 1 10.0.0.1 23`, `data 1 68 69`, `close 1`. Neighbouring DATA of one id stands in one line. */
  readonly told: string[];
  /** The code of the protocol error that ended the stream. */
  readonly error: string | undefined;
  /** Whether the stream ended with a whole frame; `undefined` after an error. */
  readonly atBoundary: boolean | undefined;
}

/** Reads a whole stream, which may stop inside a frame. */
export function readStream(stream: Uint8Array): Reading {
  const told: string[] = [];
  const end = (error: string | undefined, atBoundary: boolean | undefined): Reading => ({
    told: joinData(told),
    error,
    atBoundary,
  });
  let at = 0;
  while (at < stream.length) {
    if (stream.length - at < 4) return end(undefined, false);
    const [high = 0, low = 0, command = 0, id = 0] = stream.subarray(at, at + 4);
    const size = high * 256 + low;
    const payload = stream.subarray(at + 4, at + 4 + size);
    const whole = payload.length === size;
    if (command === 3) {
      if (payload.length > 0) told.push(`data ${id} ${hex(payload)}`);
    } else if (command === 1) {
      if (whole) told.push(`${connectLine(id, payload)}`);
    } else if (command === 2 || command === 4) {
      if (size > 0) return end("bad-size", undefined);
      told.push(command === 2 ? `close ${id}` : "listen");
    } else {
      if (size > 0) return end("unknown-command", undefined);
      told.push(`ignored ${command} ${id}`);
    }
    if (!whole) return end(undefined, false);
    at += 4 + size;
  }
  return end(undefined, true);
}

/** Bytes as hexadecimal text. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ");
}

/** Lines with neighbouring DATA of one id made one. */
export function joinData(told: readonly string[]): string[] {
  const lines: string[] = [];
  let head = "";
  let run: string[] = [];
  const flush = () => {
    if (run.length > 0) lines.push(head + run.join(" "));
    run = [];
  };
  for (const line of told) {
    const match = /^data \d+ /.exec(line);
    if (!match) {
      flush();
      lines.push(line);
      continue;
    }
    if (match[0] !== head) flush();
    head = match[0];
    run.push(line.slice(head.length));
  }
  flush();
  return lines;
}

function connectLine(id: number, payload: Uint8Array): string {
  const bad = `bad-connect ${id}`;
  if (payload.length < 5 || payload.length > 259) return bad;
  const length = payload[0]! * 256 + payload[1]!;
  if (length !== payload.length - 4) return bad;
  const host = Array.from(payload.subarray(2, 2 + length), (byte) => String.fromCharCode(byte)).join("");
  const port = payload[2 + length]! * 256 + payload[3 + length]!;
  if (port === 0 || !isHostText(host)) return bad;
  return `connect ${id} ${host} ${port}`;
}

function isHostText(host: string): boolean {
  if (host.includes(":")) {
    const [address = "", zone, ...more] = host.split("%");
    return more.length === 0 && (zone === undefined || /^[A-Za-z0-9_.-]+$/.test(zone)) && isIP(address) === 6;
  }
  if ([...host].every((char) => "0123456789.".includes(char))) return isIP(host) === 4;
  const labels = (host.endsWith(".") ? host.slice(0, -1) : host).split(".");
  return labels.every((label) =>
    label.length <= 63 && /^[A-Za-z0-9_-]+$/.test(label) && !label.startsWith("-") && !label.endsWith("-")
  );
}
