/**
 * `deno run -A bench/datagrams.ts [SECONDS]`: datagrams of 100 bytes, 50 a second there and back, alone and beside bulk
 * each way, between two machines with a cable of 10 Mbit/s: how many are lost, and how long they take. It takes root.
 *
 * @module
 */

import { connectDevice, DeviceList, formatPublicKey, parseGrant, parseNamedService, serve } from "../mod.ts";
import { silentLogger } from "../base/logger.ts";
import { SERVER_ADDRESS } from "../tests/rig/machines/namespaces.ts";
import { say } from "../tests/rig/say.ts";
import { udpEcho, UdpPeer } from "../tests/rig/udp.ts";
import { goldenIdentity } from "../tests/rig/v2/golden.ts";
import { openCable, removeCables } from "./cable.ts";
import { startChild } from "./child.ts";
import { figure, spread } from "./numbers.ts";
import { startLoad, startService } from "./processes.ts";

const LINK_PORT = 7443;
const ECHO_PORT = 9000;
const BULK_PORT = 9001;
const INTERVAL_MS = 20;
const SIZE = 100;
/** Seconds of bulk before the measuring begins, and after it has ended. */
const LEAD = 2;
/** Milliseconds in which the last answers may come. */
const TAIL_MS = 1_000;

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const ROLES = { server: runServer, device: runDevice, echo: runEcho, client: runClient };

if (import.meta.main) {
  const [role = "5", ...rest] = Deno.args;
  if (role in ROLES) await ROLES[role as keyof typeof ROLES](rest);
  else await main(Number(role));
}

async function runServer(): Promise<void> {
  const [identity, { publicKey }] = await Promise.all([goldenIdentity("server"), goldenIdentity("device")]);
  const devices = new DeviceList();
  const services = [`echo=udp:0.0.0.0:${ECHO_PORT}`, `bulk=0.0.0.0:${BULK_PORT}`].map(parseGrant);
  devices.put({ name: "gw1", key: formatPublicKey(publicKey), services, disabled: false });
  const server = serve({
    listen: [{ profile: "v2", address: { host: "0.0.0.0", port: LINK_PORT }, security: { kind: "plain" } }],
    v2: { identity, devices },
    logger: silentLogger,
  });
  await server.ready;
  say("ready");
  await server.closed;
}

async function runDevice([echo, bulk]: readonly string[]): Promise<void> {
  const [{ publicKey }, identity] = await Promise.all([goldenIdentity("server"), goldenIdentity("device")]);
  const device = connectDevice({
    profile: "v2",
    server: { host: SERVER_ADDRESS, port: LINK_PORT },
    serverKey: publicKey,
    security: "plain",
    identity,
    services: [`echo=udp:127.0.0.1:${echo}`, `bulk=127.0.0.1:${bulk}`].map((text) => parseNamedService(text)),
    logger: silentLogger,
  });
  device.subscribe(() => {
    if (device.status.services.every(({ hostAddress }) => hostAddress !== undefined)) say("ready");
  });
  await device.closed;
}

async function runEcho(): Promise<void> {
  say(`port ${(await udpEcho()).address.port}`);
  await new Promise(() => {});
}

/** Prints how many were sent and answered, and how long each was under way. */
async function runClient([seconds]: readonly string[]): Promise<void> {
  const peer = await UdpPeer.connect(ECHO_PORT);
  const count = Number(seconds) * 1_000 / INTERVAL_MS;
  const times: number[] = [];
  const listening = (async () => {
    for (;;) {
      const { bytes } = await peer.next();
      times.push(performance.now() - new DataView(bytes.buffer, bytes.byteOffset).getFloat64(0));
    }
  })().catch(() => {});
  const start = performance.now();
  for (let n = 0; n < count; n++) {
    await sleep(Math.max(0, start + n * INTERVAL_MS - performance.now()));
    const bytes = new Uint8Array(SIZE);
    new DataView(bytes.buffer).setFloat64(0, performance.now());
    peer.send(bytes);
  }
  await Promise.race([listening, sleep(TAIL_MS)]);
  say(JSON.stringify({ sent: count, answered: times.length, ...spread(times.toSorted((a, b) => a - b)) }));
  Deno.exit(0);
}

async function main(seconds: number): Promise<void> {
  const { server, device } = await openCable();
  const run = (name: keyof typeof ROLES, prefix: readonly string[], ...args: string[]) =>
    startChild(name, [...prefix, Deno.execPath(), "run", "-A", "--no-check", import.meta.filename!, name, ...args]);
  const children: { stop(): Promise<unknown> }[] = [];
  try {
    const echo = run("echo", device.prefix);
    const bulk = await startService("bulk", device);
    children.push(echo, bulk.child);
    const [, port] = await echo.line(/^port (\d+)$/);
    const relay = run("server", server.prefix);
    children.push(relay);
    await relay.line(/^ready$/);
    const gateway = run("device", device.prefix, port!, `${bulk.port}`);
    children.push(gateway);
    await gateway.line(/^ready$/);
    for (const beside of ["nothing", "up", "down"] as const) {
      const route = { port: BULK_PORT, host: "127.0.0.1", from: server };
      const load = beside === "nothing" ? undefined : startLoad(beside, route, seconds + 2 * LEAD, 1);
      if (load) await sleep(LEAD * 1_000);
      const client = run("client", server.prefix, `${seconds}`);
      const [line] = await client.line(/^\{.*/, 0, (seconds + 10) * 1_000);
      const { sent, answered, p50, p99 } = JSON.parse(line);
      const lost = `${figure((1 - answered / sent) * 100, 1)} % of ${sent} lost`;
      say(`beside ${beside}: ${lost}, there and back p50 ${figure(p50, 1)} ms, p99 ${figure(p99, 1)} ms`);
      await client.stop();
      if (!load) continue;
      const [report] = await load.line(/^\{.*/, 0, 60_000);
      say(`  bulk ${beside}: ${figure(JSON.parse(report).rate * 8 / 1e6, 1)} Mbit/s`);
      await load.stop();
    }
  } finally {
    for (const child of children.reverse()) await child.stop();
    await removeCables();
  }
}
