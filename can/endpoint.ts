/**
 * A CAN bus as users write it: `can0,bitrate=500000,wire=auto`, `slcan:/dev/ttyACM0,500000`, `virtual:NAME`.
 *
 * @module
 */

import { type Address, formatAddress, parseAddress } from "../protocol/address.ts";
import { MAX_INTERFACE_NAME } from "./bus/socketcan_frames.ts";
import { MAX_CAN_CLIENTS, MOST_CAN_CLIENTS } from "./limits.ts";
import { WIRE_CHOICES, type WireChoice } from "./wires/detect.ts";

/** Where a bus is. */
export type BusPlace =
  | { readonly kind: "socketcan"; readonly channel: string }
  | { readonly kind: "virtual"; readonly channel: string }
  /** `baud` is the speed of the serial line, which most USB adapters do without. */
  | { readonly kind: "slcan"; readonly channel: string; readonly baud: number }
  | { readonly kind: "slcan-tcp"; readonly channel: string; readonly address: Address };

/** A bus, and how it is offered. */
export interface CanEndpoint {
  /** Where the bus is. */
  readonly place: BusPlace;
  /** Bits per second, whatever clients ask for; `undefined`: the first client's. */
  readonly bitrate: number | undefined;
  /** The wire that clients speak; `auto` tells all but slcan by their first bytes. */
  readonly wire: WireChoice;
  /** Whether nothing that clients send goes to the bus. */
  readonly listenOnly: boolean;
  /** Clients that may have the bus at once. */
  readonly maxClients: number;
  /** Whether the bus has to have CAN FD; one that has it offers it in any case. */
  readonly fd: boolean;
}

/** Default speed of a serial adapter's line. */
const BAUD = 115_200;

const MAX_BITRATE = 1_000_000;
const MAX_BAUD = 12_000_000;

/**
 * Parses an endpoint; a `can:` in front of it may be there.
 *
 * @throws {SyntaxError} with what was wrong and what would do, on one line.
 *
 * @example
 * ```ts
 * import { parseCanEndpoint } from "@sallyport/sallyport";
 * import assert from "node:assert/strict";
 *
 * const { place, bitrate } = parseCanEndpoint("slcan:/dev/ttyACM0,500000");
 * assert.deepEqual(place, { kind: "slcan", channel: "/dev/ttyACM0", baud: 115200 });
 * assert.equal(bitrate, 500000);
 * assert.throws(() => parseCanEndpoint("can0,speed=1"), SyntaxError);
 * ```
 */
export function parseCanEndpoint(text: string): CanEndpoint {
  const [where = "", ...options] = text.replace(/^can:/, "").split(",");
  let bitrate: number | undefined;
  let wire: WireChoice = "auto";
  let listenOnly = false;
  let fd = false;
  let maxClients = MAX_CAN_CLIENTS;
  let baud: number | undefined;
  const seen = new Set<string>();
  for (const option of options) {
    const [name, value] = split(option);
    if (seen.has(name)) throw new SyntaxError(`"${text}" says ${name} twice; say it once`);
    seen.add(name);
    switch (name) {
      case "bitrate":
        bitrate = whole(name, value, 1_000, MAX_BITRATE);
        break;
      case "wire":
        wire = choice(value);
        break;
      case "listen-only":
      case "fd":
        if (value !== undefined) throw new SyntaxError(`${name} has no value; write "${name}" alone in "${text}"`);
        if (name === "fd") fd = true;
        else listenOnly = true;
        break;
      case "max-clients":
        maxClients = whole(name, value, 1, MOST_CAN_CLIENTS);
        break;
      case "baud":
        baud = whole(name, value, 300, MAX_BAUD);
        break;
      default:
        throw new SyntaxError(
          `"${option}" in "${text}" is nothing here; there are bitrate=N, wire=${
            WIRE_CHOICES.join("|")
          }, listen-only, ` +
            "max-clients=N, and baud=N for slcan",
        );
    }
  }
  const place = parsePlace(where, text, baud);
  if (bitrate !== undefined && place.kind === "virtual") {
    throw new SyntaxError(`a virtual bus has no bitrate; leave it out of "${text}"`);
  }
  return { place, bitrate, wire, listenOnly, maxClients, fd };
}

/** A number alone is the bitrate. */
function split(option: string): [name: string, value: string | undefined] {
  if (/^\d+$/.test(option)) return ["bitrate", option];
  const at = option.indexOf("=");
  return at < 0 ? [option, undefined] : [option.slice(0, at), option.slice(at + 1)];
}

function parsePlace(where: string, text: string, baud: number | undefined): BusPlace {
  const slcan = /^slcan:(.*)$/.exec(where)?.[1];
  if (slcan !== undefined) {
    const tcp = /^tcp:(.*)$/.exec(slcan)?.[1];
    if (tcp === undefined) return { kind: "slcan", channel: devicePath(slcan, text), baud: baud ?? BAUD };
    if (baud !== undefined) throw new SyntaxError(`baud is for serial adapters; leave it out of "${text}"`);
    const address = parseAddress(tcp);
    return { kind: "slcan-tcp", channel: formatAddress(address), address };
  }
  if (baud !== undefined) throw new SyntaxError(`baud is for slcan's serial adapters; leave it out of "${text}"`);
  const virtual = /^virtual:(.*)$/.exec(where)?.[1];
  if (virtual !== undefined) {
    if (!/^[\w.-]{1,64}$/.test(virtual)) {
      throw new SyntaxError(`"${virtual}" in "${text}" is no name of a virtual bus; write up to 64 letters and digits`);
    }
    return { kind: "virtual", channel: virtual };
  }
  if (where === "") throw new SyntaxError(`"${text}" names no bus; write can0, slcan:/dev/ttyACM0 or virtual:NAME`);
  if (where.startsWith("/dev/")) throw new SyntaxError(`"${where}" is a serial adapter; write slcan:${where}`);
  if (!/^[\w.-]+$/.test(where) || where.length > MAX_INTERFACE_NAME || /^\.{1,2}$/.test(where)) {
    throw new SyntaxError(
      `"${where}" is no CAN interface; write one as in can0, or slcan:/dev/ttyACM0, slcan:tcp:HOST:PORT, virtual:NAME`,
    );
  }
  return { kind: "socketcan", channel: where };
}

function devicePath(path: string, text: string): string {
  if (/^\/[^\0]+$/.test(path)) return path;
  throw new SyntaxError(`"${text}" names no adapter; write slcan:/dev/ttyACM0 or slcan:tcp:HOST:PORT`);
}

function choice(value: string | undefined): WireChoice {
  const found = WIRE_CHOICES.find((known) => known === value);
  if (found === undefined) throw new SyntaxError(`wire "${value ?? ""}" is none of ${WIRE_CHOICES.join(", ")}`);
  return found;
}

function whole(name: string, value: string | undefined, min: number, max: number): number {
  const number = /^\d{1,9}$/.test(value ?? "") ? Number(value) : NaN;
  if (!(number >= min && number <= max)) {
    throw new SyntaxError(`${name} "${value ?? ""}" is not a whole number from ${min} to ${max}`);
  }
  return number;
}
