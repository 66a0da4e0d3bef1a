/**
 * The payloads of v2 control frames on a link that is up; `v2.md`, "Commands" and "Services". Those of the handshake are in
 * `handshake.ts`.
 *
 * @module
 */

import { V2_MAX_NAME, V2_MAX_SERVICES, V2_MAX_TEXT } from "../limits.ts";
import { concat } from "../../bytes.ts";
import { ProtocolError } from "../../errors.ts";
import { type KeepAliveSettings, normalKeepAlive } from "../../keep_alive.ts";
import { isName } from "../../name.ts";
import type { ChannelEndReason } from "../../reasons.ts";
import { V2Command } from "./commands.ts";
import { v2Frame } from "./codec.ts";
import { decodeText, encodeText, FieldReader, FieldWriter, readUint, writeUint } from "./fields.ts";

/** The reasons that travel, by their number. */
const REASONS = [
  "connected",
  "client-closed",
  "client-reset",
  "service-closed",
  "service-reset",
  "service-unreachable",
  "connect-timeout",
  "not-allowed",
  "too-many-channels",
  "shutting-down",
  "idle-timeout",
  "service-withdrawn",
  "service-down",
  "service-refused",
  "stalled",
] as const satisfies readonly ("connected" | ChannelEndReason)[];

/** A reason that CLOSE and RESULT can carry. */
export type WireReason = Exclude<(typeof REASONS)[number], "connected">;

/** Ends by a rule of the server, which the device hears as one that is a reset; the text says which. */
const RULED: ReadonlySet<string> = new Set<ChannelEndReason>([
  "time-limit",
  "outside-hours",
  "access-closed",
  "draining",
]);

function reasonNumber(reason: ChannelEndReason | "connected", otherwise: WireReason): number {
  // To the peer it is as if the client had gone, with a reset.
  const told = reason === "closed-by-admin" ? "client-reset" : reason;
  const number = (REASONS as readonly string[]).indexOf(told);
  return number < 0 ? REASONS.indexOf(otherwise) : number;
}

/** CLOSE; an end by a rule goes as `not-allowed`, any other reason that does not travel as `service-closed`. */
export function closeFrame(channel: number, reason: ChannelEndReason, text = ""): Uint8Array {
  if (RULED.has(reason)) return closeFrame(channel, "not-allowed", text || reason);
  return v2Frame(V2Command.CLOSE, channel, withText(Uint8Array.of(reasonNumber(reason, "service-closed")), text));
}

/** What CLOSE says; an unknown reason counts as `service-closed`. */
export function readClose(payload: Uint8Array): { readonly reason: WireReason; readonly text: string } {
  if (payload.length < 1) throw new ProtocolError("bad-size", "CLOSE has no reason");
  return { reason: readReason(payload[0]!, "service-closed") ?? "service-closed", text: readText("CLOSE", payload, 1) };
}

function readReason(number: number, otherwise: WireReason): WireReason | undefined {
  const reason = REASONS[number] ?? otherwise;
  return reason === "connected" ? undefined : reason;
}

/** How a CONNECT went. */
export interface ConnectResult {
  /** Why not, or `undefined` if the service is connected. */
  readonly reason: WireReason | undefined;
  /** Credit for the way to the service. */
  readonly credit: number;
  /** More for people. */
  readonly text: string;
}

export function resultFrame(
  channel: number,
  reason: ChannelEndReason | "connected",
  credit: number,
  text = "",
): Uint8Array {
  const head = new Uint8Array(5);
  head[0] = reasonNumber(reason, "service-unreachable");
  writeUint(head, 1, 4, credit);
  return v2Frame(V2Command.RESULT, channel, withText(head, text));
}

/** What RESULT says; an unknown reason counts as `service-unreachable`. */
export function readResult(payload: Uint8Array): ConnectResult {
  if (payload.length < 5) throw new ProtocolError("bad-size", `RESULT has ${payload.length} bytes`);
  const reason = readReason(payload[0]!, "service-unreachable");
  return { reason, credit: readUint(payload, 1, 4), text: readText("RESULT", payload, 5) };
}

/** A service that the server names, with its address: only to a device that has the capability. */
export interface ServiceTarget {
  /** Its name, for logs. */
  readonly name: string;
  /** What to dial, `HOST:PORT`. */
  readonly address: string;
}

/** What a CONNECT asks for. */
export interface ConnectRequest {
  /** The service's number in the device's LISTEN, or what the server names. */
  readonly service: number | ServiceTarget;
  /** The client's address, `HOST:PORT`. */
  readonly client: string;
  /** The host address that it came to, `HOST:PORT`. */
  readonly hostAddress: string;
  /** Credit for the way to the client. */
  readonly credit: number;
}

export function connectFrame(channel: number, request: ConnectRequest): Uint8Array {
  const { service, client, hostAddress, credit } = request;
  const fields = new FieldWriter();
  if (typeof service === "number") fields.uint(1, 2, service);
  fields.text(2, client).text(3, hostAddress).uint(4, 4, credit);
  if (typeof service !== "number") fields.text(5, service.address).text(6, service.name, V2_MAX_NAME);
  return v2Frame(V2Command.CONNECT, channel, fields.end());
}

/** What CONNECT says. @throws {ProtocolError} `bad-field` if it has both a number and an address, or neither. */
export function readConnectRequest(payload: Uint8Array): ConnectRequest {
  const fields = new FieldReader("CONNECT", payload, [1, 2, 3, 4, 5, 6]);
  const number = fields.has(5) ? fields.optionalUint(1, 2) : fields.uint(1, 2);
  if (number !== undefined && (fields.has(5) || fields.has(6))) {
    throw new ProtocolError("bad-field", "CONNECT has the number of a service, and names another");
  }
  const service = number ?? { address: fields.text(5), name: fields.text(6, V2_MAX_NAME) };
  if (typeof service === "object" && !isName(service.name)) {
    throw new ProtocolError("bad-field", "CONNECT names a service with what is no name");
  }
  return { service, client: fields.text(2), hostAddress: fields.text(3), credit: fields.uint(4, 4) };
}

/** A service in a device's LISTEN. */
export interface ServiceOffer {
  /** Its number in CONNECTs. */
  readonly number: number;
  /** Whether it is offered, or withdrawn. */
  readonly offered: boolean;
  readonly name: string;
  /** Whether it is over UDP: its channels carry records; only between two that have the capability. */
  readonly datagrams?: true;
  /** Whether the server is asked if it would open it; only of one that is not offered. */
  readonly asked?: true;
}

const OFFERED = 1;
const DATAGRAMS = 2;
const ASKED = 4;

/** A device's LISTEN. */
export function listenFrame(offers: readonly ServiceOffer[]): Uint8Array {
  const entries = offers.map(({ number, offered, name, datagrams, asked }) => {
    const flags = (offered ? OFFERED : 0) | (datagrams ? DATAGRAMS : 0) | (asked ? ASKED : 0);
    const text = encodeText(name, V2_MAX_NAME);
    return Uint8Array.of(number >> 8, number, flags, text.length, ...text);
  });
  return v2Frame(V2Command.LISTEN, 0, concat(entries));
}

/**
 * What a device's LISTEN says; it names a service once, so that reading it opens and closes a host port once at most.
 *
 * @throws {ProtocolError} `bad-size`, or `bad-field` for a name that is none or that stands there twice.
 */
export function readListen(payload: Uint8Array): ServiceOffer[] {
  const offers: ServiceOffer[] = [];
  const names = new Set<string>();
  for (let at = 0; at < payload.length;) {
    const number = entryNumber(payload, at, offers.length);
    const flags = payload[at + 2]!;
    const [name, next] = entryText(payload, at + 3);
    if (!isName(name)) throw new ProtocolError("bad-field", "LISTEN names a service with what is no name");
    if (names.has(name)) throw new ProtocolError("bad-field", "LISTEN names a service twice");
    names.add(name);
    const offered = (flags & OFFERED) !== 0;
    const isUdp = (flags & DATAGRAMS) !== 0;
    const isAsked = !offered && (flags & ASKED) !== 0;
    offers.push({ number, offered, name, ...(isUdp && { datagrams: true }), ...(isAsked && { asked: true }) });
    at = next;
  }
  return offers;
}

/** What became of a service: where it is bound, or why not. */
export interface ServiceGrantResult {
  /** Its number in CONNECTs. */
  readonly number: number;
  /** `granted`, or what is in the way. */
  readonly code: GrantCode;
  /** The host address really bound; empty for one that was withdrawn; or more about what is in the way. */
  readonly text: string;
}

/** How a server answers for one service; `closed`: until somebody opens it for a time. */
export const GRANT_CODES = ["granted", "not-granted", "port-unavailable", "too-many-services", "closed"] as const;

/** One of {@linkcode GRANT_CODES}. */
export type GrantCode = (typeof GRANT_CODES)[number];

/** A server's LISTEN. */
export function grantsFrame(results: readonly ServiceGrantResult[]): Uint8Array {
  const entries = results.map(({ number, code, text }) => {
    const bytes = encodeText(text);
    return Uint8Array.of(number >> 8, number, GRANT_CODES.indexOf(code), bytes.length, ...bytes);
  });
  return v2Frame(V2Command.LISTEN, 0, concat(entries));
}

/** What a server's LISTEN says; an unknown code counts as `not-granted`. */
export function readGrants(payload: Uint8Array): ServiceGrantResult[] {
  const results: ServiceGrantResult[] = [];
  for (let at = 0; at < payload.length;) {
    const number = entryNumber(payload, at, results.length);
    const code = GRANT_CODES[payload[at + 2]!] ?? "not-granted";
    const [text, next] = entryText(payload, at + 3);
    results.push({ number, code, text });
    at = next;
  }
  return results;
}

function entryNumber(payload: Uint8Array, at: number, count: number): number {
  if (payload.length - at < 4) throw new ProtocolError("bad-size", "LISTEN ends inside an entry");
  if (count >= V2_MAX_SERVICES) throw new ProtocolError("bad-size", `LISTEN has more than ${V2_MAX_SERVICES} services`);
  return readUint(payload, at, 2);
}

function entryText(payload: Uint8Array, at: number): [string, number] {
  const end = at + 1 + payload[at]!;
  if (end > payload.length) throw new ProtocolError("bad-size", "LISTEN ends inside an entry");
  return [decodeText(payload.subarray(at + 1, end)), end];
}

/** The modes of a device; design, "Modes of a device". */
export const DEVICE_MODES = ["init", "config", "run"] as const;

/** One of {@linkcode DEVICE_MODES}. */
export type DeviceMode = (typeof DEVICE_MODES)[number];

/** What SETTINGS can say. */
export interface Settings {
  /** In force with the sender. */
  readonly keepAlive?: KeepAliveSettings | undefined;
  /** Wanted of the receiver. */
  readonly wantedKeepAlive?: KeepAliveSettings | undefined;
  /** In force with the sender while nobody waits; with both sides' `ADAPTS` alone, as the two that follow. */
  readonly idleKeepAlive?: KeepAliveSettings | undefined;
  /** Wanted of the receiver while nobody waits. */
  readonly wantedIdleKeepAlive?: KeepAliveSettings | undefined;
  /** Somebody waits at the sender's, for so many milliseconds from now on. */
  readonly attention?: number | undefined;
  /** The device's mode. */
  readonly mode?: DeviceMode | undefined;
  /** Wanted of the device. */
  readonly wantedMode?: DeviceMode | undefined;
}

/** SETTINGS; times in milliseconds here, in whole seconds on the wire. */
export function settingsFrame(settings: Settings): Uint8Array {
  const fields = new FieldWriter();
  if (settings.keepAlive) fields.bytes(1, keepAliveBytes(settings.keepAlive));
  if (settings.wantedKeepAlive) fields.bytes(2, keepAliveBytes(settings.wantedKeepAlive));
  if (settings.mode) fields.uint(3, 1, DEVICE_MODES.indexOf(settings.mode));
  if (settings.wantedMode) fields.uint(4, 1, DEVICE_MODES.indexOf(settings.wantedMode));
  if (settings.idleKeepAlive) fields.bytes(5, keepAliveBytes(settings.idleKeepAlive));
  if (settings.wantedIdleKeepAlive) fields.bytes(6, keepAliveBytes(settings.wantedIdleKeepAlive));
  if (settings.attention !== undefined) fields.uint(7, 4, settings.attention);
  return v2Frame(V2Command.SETTINGS, 0, fields.end());
}

/** What SETTINGS says. `adapts`: whether both sides have `ADAPTS`; without, its fields are not known. */
export function readSettings(payload: Uint8Array, adapts = false): Settings {
  const fields = new FieldReader("SETTINGS", payload, adapts ? [1, 2, 3, 4, 5, 6, 7] : [1, 2, 3, 4]);
  const mode = (tag: number): DeviceMode | undefined => {
    const number = fields.optionalUint(tag, 1);
    if (number === undefined) return undefined;
    const known = DEVICE_MODES[number];
    if (!known) throw new ProtocolError("bad-field", `SETTINGS has the unknown mode ${number}`);
    return known;
  };
  return {
    keepAlive: readKeepAlive(fields.optionalBytes(1, 5)),
    wantedKeepAlive: readKeepAlive(fields.optionalBytes(2, 5)),
    mode: mode(3),
    wantedMode: mode(4),
    ...(adapts && {
      idleKeepAlive: readKeepAlive(fields.optionalBytes(5, 5)),
      wantedIdleKeepAlive: readKeepAlive(fields.optionalBytes(6, 5)),
      attention: fields.optionalUint(7, 4),
    }),
  };
}

function keepAliveBytes(settings: KeepAliveSettings): Uint8Array {
  const { idleTimeout, probeInterval, probeCount } = normalKeepAlive(settings);
  const bytes = new Uint8Array(5);
  const view = new DataView(bytes.buffer);
  view.setInt16(0, idleTimeout < 0 ? -1 : idleTimeout / 1000);
  view.setInt16(2, probeInterval < 0 ? -1 : probeInterval / 1000);
  view.setUint8(4, probeCount);
  return bytes;
}

function readKeepAlive(bytes: Uint8Array | undefined): KeepAliveSettings | undefined {
  if (!bytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  return normalKeepAlive({
    idleTimeout: view.getInt16(0) * 1000,
    probeInterval: view.getInt16(2) * 1000,
    probeCount: view.getUint8(4),
  });
}

function withText(head: Uint8Array, text: string): Uint8Array {
  return text === "" ? head : concat([head, encodeText(text)]);
}

function readText(command: string, payload: Uint8Array, at: number): string {
  const size = payload.length - at;
  if (size > V2_MAX_TEXT) throw new ProtocolError("bad-size", `${command} has a text of ${size} bytes`);
  return decodeText(payload.subarray(at));
}
