/**
 * Which wire a client speaks, by its first bytes, or by what the service is set to.
 *
 * @module
 */

import { oneLine } from "../text.ts";
import { type Wire, WireError } from "../wire.ts";
import { CannelloniWire } from "./cannelloni.ts";
import { RemoteWire } from "./remote.ts";
import { RemoteWebSocketWire } from "./remote_websocket.ts";
import { SlcanWire } from "./slcan.ts";
import { SocketcandWire } from "./socketcand.ts";

/** What a service may be set to. */
export const WIRE_CHOICES = ["auto", "remote", "cannelloni", "socketcand", "slcan"] as const satisfies WireChoice[];
/** See {@linkcode WIRE_CHOICES}. */
export type WireChoice = "auto" | "remote" | "cannelloni" | "socketcand" | "slcan";

/** Whether who says nothing is a client of socketcand, which waits for its greeting. */
export function greetsSilence(choice: WireChoice): boolean {
  return choice === "auto";
}

/** The wire, where it is known before the client has said anything. */
export function wireFor(choice: WireChoice): Wire | undefined {
  switch (choice) {
    case "cannelloni":
      return new CannelloniWire();
    case "socketcand":
      return new SocketcandWire();
    case "slcan":
      return new SlcanWire();
    default:
      return undefined;
  }
}

/** The wire of a client that said nothing for a while. */
export function wireOfSilence(): Wire {
  return new SocketcandWire();
}

/**
 * The wire that a client speaks whose first bytes these are.
 *
 * @returns `undefined` if it takes more of them.
 * @throws {WireError} if none of them begins so.
 */
export function detectWire(bytes: Uint8Array, choice: WireChoice): Wire | undefined {
  switch (bytes[0]) {
    case undefined:
      return undefined;
    case 0x01: // version 4 or 5, or what will be refused
    case 0x07: // version 4: a client that only sends
      return new RemoteWire();
    case 0x47: // "GET "
      return begins(bytes, "GET ") ? new RemoteWebSocketWire() : undefined;
  }
  if (choice === "auto") {
    if (bytes[0] === 0x43) return begins(bytes, "CANN") ? new CannelloniWire() : undefined;
    if (bytes[0] === 0x3c) return new SocketcandWire();
  }
  throw unknown(bytes);
}

/** Whether bytes begin so; `false` if there are too few of them to say. */
function begins(bytes: Uint8Array, word: string): boolean {
  const have = text(bytes).slice(0, word.length);
  if (!word.startsWith(have)) throw unknown(bytes);
  return have.length === word.length;
}

function unknown(bytes: Uint8Array): WireError {
  const said = text(bytes);
  const hint = /^[CSOLVNtTrRdDbB\r]/.test(said) ? "; slcan needs wire=slcan" : "";
  return new WireError(`no client of CAN begins with "${oneLine(said, 16)}"${hint}`);
}

function text(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes.subarray(0, 16));
}
