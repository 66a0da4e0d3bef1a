/**
 * `deno run -A bench/can.ts [--seconds N] [--rate N]`: a full CAN bus for eight clients, two of each wire, beside one that
 * does not read. Prints what reached them, how late, and what the server took for it.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { concat } from "../protocol/bytes.ts";
import { ascii } from "../tests/rig/bytes.ts";
import { CanServerDaemon } from "../tests/rig/processes/canserver.ts";
import { say } from "../tests/rig/say.ts";
import { Stream } from "../tests/rig/stream.ts";
import { pause } from "../tests/rig/wait.ts";
import { cpuSeconds, residentBytes } from "../tests/rig/processes/proc_stats.ts";

const { values } = parseArgs({
  args: Deno.args.filter((arg) => arg !== "--"),
  options: { seconds: { type: "string", default: "10" }, rate: { type: "string", default: "8000" } },
});
const SECONDS = Number(values.seconds);
const RATE = Number(values.rate);
const TICK_MS = 2;
const ID = 0x123;
const SIZE_OF_R5 = 23;

/** How a wire opens, what it answers, and where the data stands in its frames, which all have one size here. */
interface Wire {
  readonly name: string;
  readonly open: (stream: Stream) => Promise<void>;
  readonly size: number;
  readonly data: (frame: Uint8Array) => Uint8Array;
}

const WEBSOCKET =
  "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Key: IpHYzcMQQR5+wnN4pmHJNQ==\r\nSec-WebSocket-Protocol: can.binary+json.v1\r\n\r\n";
const REQUEST = ascii('{"type":"bus_request","payload":{"config":{}}}');
const R5 = Uint8Array.of(1, 5, 0, 7, 0xa1, 0x20, 10, 0);

async function readUntil(stream: Stream, end: string): Promise<void> {
  for (let text = ""; !text.endsWith(end);) text += await stream.readText(1);
}

const WIRES: readonly Wire[] = [
  {
    name: "remote-v5",
    open: async (stream) => {
      await stream.write(R5);
      await stream.read(2 + "bench".length);
    },
    size: SIZE_OF_R5,
    data: (frame) => frame.subarray(15),
  },
  {
    name: "remote-websocket",
    open: async (stream) => {
      await stream.write(concat([ascii(WEBSOCKET), Uint8Array.of(0x81, 0x80 | REQUEST.length, 0, 0, 0, 0), REQUEST]));
      await readUntil(stream, "}}");
    },
    size: 2 + 15 + 8,
    data: (frame) => frame.subarray(17),
  },
  {
    name: "cannelloni",
    open: async (stream) => {
      await stream.write("CANNELLONIv1");
      await stream.read(12);
    },
    size: 5 + 8,
    data: (frame) => frame.subarray(5),
  },
  {
    name: "socketcand",
    open: async (stream) => {
      await stream.write("< open bench >< rawmode >");
      await readUntil(stream, "< hi >< ok >< ok >");
      await pause(150);
    },
    size: "< frame 123 1700000000.000000 0011223344556677 >".length,
    data: (frame) => {
      const text = new TextDecoder().decode(frame.subarray(-18, -2));
      return Uint8Array.from({ length: 8 }, (_, at) => parseInt(text.slice(2 * at, 2 * at + 2), 16));
    },
  },
];

/** What reached a client. */
interface Seen {
  readonly wire: string;
  count: number;
  readonly late: number[];
}

async function follow(stream: Stream, wire: Wire, seen: Seen): Promise<void> {
  let rest = new Uint8Array(0);
  for (;;) {
    const chunk = await stream.readSome();
    if (chunk === null) return;
    const now = performance.now();
    rest = concat([rest, chunk]);
    const whole = Math.floor(rest.length / wire.size);
    seen.count += whole;
    if (whole > 0) { // the first of each piece has waited longest
      const data = wire.data(rest.subarray(0, wire.size));
      seen.late.push(now - new DataView(data.buffer, data.byteOffset, 8).getFloat64(0));
    }
    rest = rest.slice(whole * wire.size);
  }
}

function at(sorted: readonly number[], part: number): string {
  return (sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? NaN).toFixed(2);
}

await using server = await CanServerDaemon.start(["--interface", "virtual", "--channel", "bench"]);
const clients = await Promise.all([...WIRES, ...WIRES].map(async (wire) => {
  const stream = await Stream.connect(server.port);
  await wire.open(stream);
  const seen: Seen = { wire: wire.name, count: 0, late: [] };
  return { stream, seen, followed: follow(stream, wire, seen) };
}));
using stuck = await Stream.connect(server.port);
await WIRES[0]!.open(stuck);
using feeder = await Stream.connect(server.port);
await WIRES[0]!.open(feeder);
feeder.conn.setNoDelay(true);

const cpuBefore = cpuSeconds([server.child.pid])!;
const ownBefore = cpuSeconds([Deno.pid])!;
const start = performance.now();
let sent = 0;
while (performance.now() - start < SECONDS * 1000) {
  const due = Math.floor((performance.now() - start) / 1000 * RATE);
  const burst = new Uint8Array(SIZE_OF_R5 * (due - sent));
  const view = new DataView(burst.buffer);
  for (let i = 0; i < due - sent; i++) {
    burst[i * SIZE_OF_R5] = 3;
    view.setUint32(i * SIZE_OF_R5 + 9, ID);
    burst[i * SIZE_OF_R5 + 13] = 8;
    view.setFloat64(i * SIZE_OF_R5 + 15, performance.now());
  }
  if (burst.length > 0) await feeder.write(burst);
  sent = due;
  await pause(TICK_MS);
}
const seconds = (performance.now() - start) / 1000;
const cpu = cpuSeconds([server.child.pid])! - cpuBefore;
const own = cpuSeconds([Deno.pid])! - ownBefore - cpu; // the server is a child
await pause(500);
say(`${sent} frames in ${seconds.toFixed(1)} s, ${(sent / seconds).toFixed(0)} a second, to ${clients.length} clients`);
say(
  `server: ${(100 * cpu / seconds).toFixed(0)} % of a core, ${
    (residentBytes([server.child.pid])! / 2 ** 20).toFixed(0)
  } MiB; this program: ${(100 * own / seconds).toFixed(0)} %`,
);
for (const { seen } of clients) {
  const late = seen.late.toSorted((a, b) => a - b);
  say(
    `  ${seen.wire.padEnd(17)} ${seen.count} came, ${sent - seen.count} did not; late by ${at(late, 0.5)} ms, 99 %: ${
      at(late, 0.99)
    } ms`,
  );
}
for (const { stream } of clients) stream.close();
stuck.close();
feeder.close();
await Promise.all(clients.map(({ followed }) => followed));
await server.child.stop();
for (const line of server.log.filter(({ message }) => /slower|ended/.test(message))) {
  say(`  ${line.message}: sent ${line["sent"] ?? "–"}, lost ${line["lost"] ?? "–"}`);
}
