/**
 * What hostile clients of CAN send: each wire's own words, those that went wrong, and noise.
 *
 * @module
 */

import { type CanFrame, ERROR, EXTENDED, FD, FD_LENGTHS, NO_DATA, REMOTE } from "../../can/frame.ts";
import type { Wire } from "../../can/wire.ts";
import { CannelloniWire } from "../../can/wires/cannelloni.ts";
import { RemoteWire } from "../../can/wires/remote.ts";
import { RemoteWebSocketWire } from "../../can/wires/remote_websocket.ts";
import { SlcanWire } from "../../can/wires/slcan.ts";
import { SocketcandWire } from "../../can/wires/socketcand.ts";
import { concat } from "../../protocol/bytes.ts";
import type { Random } from "../../tests/rig/random.ts";
import { mutated } from "./inputs.ts";

/** A wire, and what a client of it may send. */
export interface CanSpeaker {
  readonly name: string;
  make(): Wire;
  /** What opens the bus. */
  opening(random: Random): Uint8Array;
  /** What comes behind that. */
  piece(random: Random): Uint8Array;
  /** Bytes that mean something. */
  readonly telling: readonly [number, ...number[]];
}

const ascii = (text: string) => new TextEncoder().encode(text);

/** A frame that a bus may have. */
export function someFrame(random: Random, mayBeFd = false): CanFrame {
  const extended = random.oneIn(2);
  const id = random.upTo(extended ? 0x1fff_ffff : 0x7ff);
  const flags = extended ? EXTENDED : 0;
  const time = random.of(0, 1.5, 1_470_925_506.062);
  if (random.oneIn(6)) return { id, flags: flags | REMOTE, length: random.upTo(8), data: NO_DATA, time };
  if (random.oneIn(12)) return { id: 4, flags: ERROR, length: 8, data: random.bytes(8), time };
  const isFd = mayBeFd && random.oneIn(3);
  const length = isFd ? FD_LENGTHS[random.upTo(FD_LENGTHS.length - 1)]! : random.upTo(8);
  return { id, flags: isFd ? flags | FD : flags, length, data: random.bytes(length), time };
}

/** A frame as `wire` writes it. */
export function written(wire: Wire, frame: CanFrame): Uint8Array {
  const room = new Uint8Array(wire.maxFrame);
  return room.slice(0, wire.writeFrame(frame, room, 0));
}

/** All wires. */
export const SPEAKERS: readonly CanSpeaker[] = [
  remote(4),
  remote(5),
  {
    name: "websocket",
    make: () => new RemoteWebSocketWire(),
    opening: (random) => concat([ascii(httpOpening(random)), socketText(random, busRequest(random))]),
    piece: socketPiece,
    telling: [0, 1, 0x81, 0x82, 0x88, 0x89, 0x7e, 0x7f, 0xfe, 0xff, 0x7b, 0x22],
  },
  {
    name: "cannelloni",
    make: () => new CannelloniWire(),
    opening: () => ascii("CANNELLONIv1"),
    piece: (random) => written(new CannelloniWire(), someFrame(random, true)),
    telling: [0, 8, 9, 0x40, 0x80, 0x88, 0xbf, 0xc0, 0xff],
  },
  {
    name: "socketcand",
    make: () => new SocketcandWire(),
    opening: (random) => ascii(random.of("< open can0 >< rawmode >", "<open can0>", "< open x >< bcmmode >")),
    piece: (random) => ascii(socketcandElement(random)),
    telling: [0x3c, 0x3e, 0x20, 0x30, 0x66, 0, 0xff],
  },
  {
    name: "slcan",
    make: () => new SlcanWire(),
    opening: (random) => ascii(random.of("C\rS6\r\rO\r", "O\r", "L\r", "S9\rZ1\rO\r")),
    piece: (random) =>
      random.oneIn(2) ? written(new SlcanWire(), someFrame(random, true)) : ascii(
        random.of("C\r", "O\r", "V\r", "N\r", "F\r", "S1\r", "s00\r", "M00000000\r", "Z1\r", "\r", "\n", "t\r"),
      ),
    telling: [13, 0x74, 0x54, 0x72, 0x64, 0x42, 0x30, 0x39, 0x46, 7],
  },
];

/** A stream of one client. */
export function canStream(random: Random, speaker: CanSpeaker): Uint8Array {
  if (random.oneIn(10)) return random.bytes(random.upTo(300));
  const parts = random.oneIn(20) ? [] : [speaker.opening(random)];
  for (let count = random.upTo(12); count > 0; count--) parts.push(speaker.piece(random));
  const stream = concat(parts);
  return random.oneIn(4) ? stream : mutated(random, stream, speaker.telling);
}

function remote(version: number): CanSpeaker {
  const filters = (random: Random) => {
    const count = random.of(0, 0, 1, 3, 255);
    return concat([Uint8Array.of(10, count), random.bytes(8 * count)]);
  };
  return {
    name: `remote ${version}`,
    make: () => new RemoteWire(),
    opening: (random) => concat([Uint8Array.of(1, version, 0, 7, 0xa1, 0x20), filters(random)]),
    piece(random) {
      const event = written(new RemoteWire(), someFrame(random));
      switch (random.upTo(7)) {
        case 0:
          event[0] = 7; // what stands for the time is its period
          return event;
        case 1:
          event[0] = 9;
          return event;
        case 2:
          return concat([Uint8Array.of(8), random.bytes(4)]);
        case 3:
          return filters(random);
        case 4:
          return Uint8Array.of(random.of(4, 5, 255, random.upTo(255)));
        default:
          return event;
      }
    },
    telling: [0, 1, 3, 4, 5, 7, 8, 9, 10, 127, 255],
  };
}

function httpOpening(random: Random): string {
  const protocols = random.of("can.binary+json.v1,can.json.v1", "can.json.v1", "x", "");
  return [
    `GET ${random.of("/", "/x?y", "*")} HTTP/1.1`,
    "Host: 127.0.0.1:54701",
    `Upgrade: ${random.of("websocket", "WebSocket", "h2c")}`,
    "Connection: Upgrade",
    "Sec-WebSocket-Key: IpHYzcMQQR5+wnN4pmHJNQ==",
    `Sec-WebSocket-Version: ${random.of("13", "13", "13", "8")}`,
    `Sec-WebSocket-Protocol: ${protocols}`,
    "",
    "",
  ].join("\r\n");
}

function busRequest(random: Random): string {
  const config = random.of<unknown>(
    {},
    { bitrate: 500_000, can_filters: [{ can_id: 18, can_mask: 255 }] },
    { can_filters: random.of<unknown>(null, [], {}, [{}], [{ can_id: -1, can_mask: 1e99, extended: 3 }]) },
    { bitrate: random.of<unknown>("1", -1, 1e300, null), receive_own_messages: 1 },
  );
  return JSON.stringify({ type: "bus_request", payload: random.oneIn(12) ? config : { config } });
}

function socketPiece(random: Random): Uint8Array {
  const wire = new RemoteWebSocketWire();
  switch (random.upTo(6)) {
    case 0:
      return socketFrame(random, random.of(8, 9, 10, 0, random.upTo(15)), random.bytes(random.upTo(130)));
    case 1:
      return socketText(random, JSON.stringify({ type: "periodic_start", payload: periodic(random) }));
    case 2:
      return socketText(random, JSON.stringify({ type: "periodic_stop", payload: random.upTo(0x7ff) }));
    case 3:
      return socketText(
        random,
        JSON.stringify(random.of<unknown>({}, [], null, "x", { type: 1 }, { type: "message" })),
      );
    case 4: {
      const text = written(wire, someFrame(random, true)); // before the opening it writes texts
      return socketFrame(random, 1, text.subarray(text[1] === 126 ? 4 : 2));
    }
    default:
      return socketFrame(random, 2, concat([Uint8Array.of(1), random.bytes(8), random.bytes(4), random.bytes(10, 9)]));
  }
}

function periodic(random: Random): unknown {
  return {
    period: random.of<unknown>(0.2, 0, -1, "x", 1e300),
    duration: random.of<unknown>(0.5, null),
    msg: {
      arbitration_id: random.of(18, -1, 2 ** 40),
      is_extended_id: random.oneIn(2),
      dlc: 1,
      data: [random.upTo(256)],
    },
  };
}

function socketText(random: Random, text: string): Uint8Array {
  return socketFrame(random, 1, ascii(text));
}

/** A frame of a client: masked, as a rule. */
function socketFrame(random: Random, opcode: number, payload: Uint8Array): Uint8Array {
  const isMasked = !random.oneIn(40);
  const { length } = payload;
  const size = length < 126 ? [length] : [126, length >> 8, length];
  size[0]! |= isMasked ? 0x80 : 0;
  const mask = random.bytes(4);
  const body = isMasked ? payload.map((byte, at) => byte ^ mask[at % 4]!) : payload;
  const head = Uint8Array.of(opcode | (random.oneIn(12) ? 0 : 0x80), ...size);
  return concat([head, isMasked ? mask : new Uint8Array(0), body]);
}

function socketcandElement(random: Random): string {
  const hex = (most: number) => random.upTo(most).toString(16);
  const data = Array.from({ length: random.upTo(9) }, () => hex(255)).join(" ");
  const count = random.upTo(9);
  return random.of(
    `< send ${hex(0x7ff)} ${count} ${data} >`,
    `< send ${hex(0x1fff_ffff).padStart(8, "0")} ${count} ${data} >`,
    `< add ${random.upTo(3)} ${random.upTo(999_999)} ${hex(0x7ff)} ${count} ${data} >`,
    `< update ${hex(0x7ff)} ${count} ${data} >`,
    `< delete ${hex(0x7ff)} >`,
    `< filter 0 0 ${hex(0x7ff)} ${count} ${data} >`,
    `< subscribe 0 ${random.upTo(9)} ${hex(0x7ff)} >`,
    `< unsubscribe ${hex(0x7ff)} >`,
    random.of("< echo >", "< rawmode >", "< bcmmode >", "< open can1 >", "<>", "< >", "<<", ">", "< can0 B 500000 >"),
  );
}
