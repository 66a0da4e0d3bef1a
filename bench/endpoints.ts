/**
 * `deno run -A bench/endpoints.ts [--seconds N]`: a serial line (a pair of terminals) and a service over UDP behind a whole
 * relay on v2 with TLS, all on this machine: bytes and datagrams a second, round trips, and what the device took for it.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { V2Relay } from "../tests/rig/processes/relay.ts";
import { Pty } from "../tests/rig/pty.ts";
import { say } from "../tests/rig/say.ts";
import { Stream } from "../tests/rig/stream.ts";
import { udpEcho, UdpPeer } from "../tests/rig/udp.ts";
import { pause } from "../tests/rig/wait.ts";
import { cpuSeconds } from "../tests/rig/processes/proc_stats.ts";

const { values } = parseArgs({
  args: Deno.args.filter((arg) => arg !== "--"),
  options: { seconds: { type: "string", default: "5" } },
});
const SECONDS = Number(values.seconds);
/** Bytes of a line at 115200 bit/s in 10 ms. */
const PIECE = 115;
const PIECE_MS = 10;
const DATAGRAM = 100;
/** Datagrams that are on their way at once. */
const AHEAD = 64;
/** Milliseconds after which what has not come back is lost. */
const LOST_MS = 500;

/** What the device's process took meanwhile, in percent of a core. */
async function withCpu(relay: V2Relay, work: () => Promise<string>): Promise<string> {
  const taken = () => cpuSeconds([relay.device.child.pid]) ?? 0;
  const [before, start] = [taken(), performance.now()];
  const said = await work();
  const share = (taken() - before) / (performance.now() - start) * 100_000;
  return `${said}; the device ${share.toFixed(0)} % of a core`;
}

function middle(times: number[]): string {
  times.sort((a, b) => a - b);
  const at = (part: number) => times[Math.floor(part * (times.length - 1))]!.toFixed(1);
  return `round trip ${at(0.5)} ms, 99 of 100 within ${at(0.99)} ms`;
}

async function serial(): Promise<void> {
  using far = new Pty();
  await using relay = await V2Relay.start([`console=serial:${far.path},115200,flow=rts`]);
  using client = await Stream.connect(relay.hostPort);
  await client.write("x");
  await far.read();
  const paced = async () => {
    const times: number[] = [];
    for (const end = performance.now() + SECONDS * 1_000; performance.now() < end;) {
      const start = performance.now();
      await far.write(new Uint8Array(PIECE));
      await client.read(PIECE);
      await client.write("k");
      await far.read();
      times.push(performance.now() - start);
      await pause(Math.max(0, PIECE_MS - (performance.now() - start)));
    }
    return `serial at 115200: ${middle(times)}`;
  };
  say(await withCpu(relay, paced));
  const full = async () => {
    let count = 0;
    const end = performance.now() + SECONDS * 1_000;
    const sending = (async () => {
      while (performance.now() < end) await far.write(new Uint8Array(4_096));
    })();
    while (performance.now() < end) count += (await client.readSome())!.length;
    const drain = (async () => {
      while (await client.readSome()) { /* until it is closed */ }
    })();
    await sending;
    client.close();
    await drain;
    return `serial, as fast as a terminal goes: ${(count / SECONDS / 1e6).toFixed(1)} MB/s`;
  };
  say(await withCpu(relay, full));
}

async function udp(): Promise<void> {
  await using echo = await udpEcho();
  await using relay = await V2Relay.start([`echo=udp:127.0.0.1:${echo.address.port}`], {
    grants: ["echo=udp:127.0.0.1:0"],
  });
  await using client = await UdpPeer.connect(relay.hostPort);
  const flood = async () => {
    let [sent, got, lost] = [0, 0, 0];
    let next: Promise<unknown> | undefined;
    const end = performance.now() + SECONDS * 1_000;
    const datagram = new Uint8Array(DATAGRAM);
    while (performance.now() < end || sent > got + lost) {
      for (; sent < got + lost + AHEAD && performance.now() < end; sent++) client.send(datagram);
      next ??= client.next();
      if (await Promise.race([next, pause(LOST_MS)])) {
        next = undefined;
        got++;
      } else lost = sent - got;
    }
    const rate = (got / SECONDS).toFixed(0);
    return `UDP, ${AHEAD} of ${DATAGRAM} B on the way: ${rate} a second there and back, ${lost} of ${sent} lost`;
  };
  say(await withCpu(relay, flood));
  const paced = async () => {
    const times: number[] = [];
    const count = SECONDS * 50;
    const before = client.heard.length;
    for (let n = 0; n < count; n++) {
      const start = performance.now();
      client.send(new Uint8Array(DATAGRAM));
      await client.next();
      times.push(performance.now() - start);
      await pause(Math.max(0, 20 - (performance.now() - start)));
    }
    return `UDP, 50 a second: ${client.heard.length - before} of ${count}, ${middle(times)}`;
  };
  say(await withCpu(relay, paced));
}

await serial();
await udp();
