/**
 * The demo, step by step.
 *
 * @module
 */

import { seededBytes, sha256 } from "./blob.ts";
import { formatBytes } from "./frame_log.ts";
import { LineClient } from "./line_client.ts";
import type { Route } from "./picture.ts";
import { DemoError } from "./processes.ts";
import { forward, type Relay } from "./relay.ts";
import type { PrivateSsh } from "./ssh.ts";
import type { Stage } from "./stage.ts";

const FILE_SIZE = 32 * 1024 * 1024;
const ECHOES = 200;
const CLIENTS = 20;

/** What the steps work on. */
export interface Cast {
  /** Screen, frames and processes. */
  readonly stage: Stage;
  /** Server, tap and device. */
  readonly relay: Relay;
  /** The way to the built-in service. */
  readonly lines: Route;
  /** The way to sshd, and its clients, where there is one. */
  readonly ssh: { readonly route: Route; readonly clients: PrivateSsh } | undefined;
  /** Takes a figure for the end. */
  measured(name: string, value: string, remark: string): void;
}

/** The device dials out. */
export async function linkUp({ stage: { screen, frames }, relay, lines, ssh }: Cast): Promise<void> {
  screen.step("The device dials out and says LISTEN; the server opens its host ports");
  const routes = ssh ? [ssh.route, lines] : [lines];
  const more = ssh ? " …" : "";
  screen.command(`sallyport server --profile v1 --listen 127.0.0.1:0 --forward ${forward(routes[0]!)}${more}`);
  const service = `--service 127.0.0.1:${routes[0]!.localPort}${more}`;
  screen.command(`sallyport device --profile v1 --server 127.0.0.1:${relay.tap.port} ${service}`);
  frames.show(1);
  const start = performance.now();
  relay.startDevice();
  for (const line of await relay.online()) screen.note(line);
  screen.ok(`link up, ${ms(performance.now() - start)} after the device was started`);
}

/** A client talks through the relay. */
export async function firstClient({ stage: { screen, frames }, lines, measured }: Cast): Promise<void> {
  screen.step("A client connects to a host port, and talks to the service behind the device");
  screen.note(`the built-in client dials 127.0.0.1:${lines.hostPort} (nc would do)`);
  frames.show(4);
  const client = await LineClient.connect(lines.hostPort);
  const text = "is anybody in there?";
  if (await client.echo(text) !== text) throw new DemoError("the echo came back wrong");
  const times = await client.times(ECHOES);
  frames.summarise();
  frames.show(3);
  await client.quit();
  const firstBytes = await greetings(lines.hostPort);
  const direct = await LineClient.connect(lines.localPort);
  const directTimes = await direct.times(ECHOES);
  await direct.quit();
  screen.ok(`first byte after ${ms(client.greetedAfter)}; then ${ECHOES} echoes, half of them within ${p50(times)}`);
  const first = `of ${CLIENTS} clients, p50; the very first one waited ${ms(client.greetedAfter)}`;
  measured("first byte through the relay", p50(firstBytes), first);
  const p99 = ms(times[Math.floor(ECHOES * 0.99)]!);
  const remark = `of ${ECHOES}, p50; p99 ${p99}; without the relay ${p50(directTimes)}`;
  measured("round trip of 64 bytes", p50(times), remark);
}

/** How long clients who come one after the other wait for the greeting, in ascending order. */
async function greetings(port: number): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < CLIENTS; n++) {
    const client = await LineClient.connect(port);
    times.push(client.greetedAfter);
    await client.quit();
  }
  return times.sort((a, b) => a - b);
}

/** A stock ssh client. */
export async function sshLogin({ stage: { screen, frames }, ssh }: Cast): Promise<void> {
  if (!ssh) return;
  const { route, clients } = ssh;
  screen.step("ssh, as it is, through the other host port");
  screen.command(`ssh -p ${route.hostPort} 127.0.0.1 'echo $SSH_CONNECTION'`);
  frames.show(3);
  const [, from, to] = /^\S+ (\d+) \S+ (\d+)$/.exec(await clients.run(route.hostPort, "echo $SSH_CONNECTION")) ?? [];
  if (to !== `${route.localPort}`) throw new DemoError("ssh did not come out where it should");
  frames.summarise();
  screen.ok(`logged in: sshd on :${to} sees a client on :${from}, and that is the device`);
}

/** A file, there and back. */
export async function copy(cast: Cast): Promise<void> {
  const { stage: { screen, frames }, lines, ssh, measured } = cast;
  const bytes = seededBytes(FILE_SIZE, 2065);
  const digest = await sha256(bytes);
  const size = formatBytes(FILE_SIZE);
  screen.step(`A file of ${size}, there and back`);
  if (ssh) {
    const [up, down] = await copyBySsh(cast, bytes, digest);
    measured("scp, there / back", rates(up, down), "log-in and encryption included");
  }
  screen.note("the built-in client puts and gets it, without encryption");
  const client = await LineClient.connect(lines.hostPort);
  frames.show(ssh ? 0 : 4);
  const [arrived, up] = await timed(client.put("there.bin", bytes));
  same(digest, arrived, "the file that arrived");
  const [back, down] = await timed(client.get("there.bin"));
  same(digest, await sha256(back), "the file that came back");
  frames.summarise();
  await client.quit();
  screen.ok(`SHA-256 ${digest.slice(0, 16)}… there and back: ${rates(up, down)}`);
  measured("plain copy, there / back", rates(up, down), "the tap on the link included");
}

async function copyBySsh(cast: Cast, bytes: Uint8Array, digest: string): Promise<[up: number, down: number]> {
  const { stage: { screen, frames, dir } } = cast;
  const { route, clients } = cast.ssh!;
  await Deno.writeFile(`${dir}/file.bin`, bytes);
  screen.command(
    `scp -P ${route.hostPort} file.bin 127.0.0.1:there.bin; scp -P ${route.hostPort} 127.0.0.1:there.bin back.bin`,
  );
  frames.show(1);
  const [, up] = await timed(clients.copy(route.hostPort, `${dir}/file.bin`, `127.0.0.1:${dir}/there.bin`));
  same(digest, await sha256(await Deno.readFile(`${dir}/there.bin`)), "the file that arrived");
  const [, down] = await timed(clients.copy(route.hostPort, `127.0.0.1:${dir}/there.bin`, `${dir}/back.bin`));
  same(digest, await sha256(await Deno.readFile(`${dir}/back.bin`)), "the file that came back");
  frames.summarise();
  screen.ok(`SHA-256 ${digest.slice(0, 16)}… there and back: ${rates(up, down)}`);
  return [up, down];
}

/** The link is cut, and comes back. */
export async function cut({ stage: { screen, frames }, relay, lines, measured }: Cast): Promise<void> {
  screen.step("The link is cut while idle; the device comes back by itself");
  frames.show(0);
  const start = performance.now();
  relay.tap.cut();
  screen.fault("the tap cuts the link, and refuses the device for a while");
  const serverLost = await relay.serverLost();
  screen.note(`server: link down (${serverLost.reason}); its host ports are closed: ${await knock(lines.hostPort)}`);
  const lost = await relay.deviceRetries();
  screen.note(`device: link down (${lost.reason}); next try in ${ms(lost.retryIn ?? 0)}`);
  const failed = await relay.deviceRetries();
  screen.note(`device: cannot reach the server (${failed.error}); next try in ${ms(failed.retryIn ?? 0)}`);
  frames.show(3);
  relay.tap.restore();
  const restored = performance.now();
  await relay.online();
  const now = performance.now();
  const client = await LineClient.connect(lines.hostPort);
  frames.show(0);
  await client.quit();
  screen.ok(`back after ${ms(now - start)}, and a client is served again: “${client.greeting}”`);
  measured("back after a cut", ms(now - start), `${ms(now - restored)} after the way was free again`);
}

/** Everything ends. */
export async function ending({ stage: { screen, frames }, relay }: Cast): Promise<void> {
  frames.show(0);
  await relay.stop();
  screen.ok("SIGTERM to device and server: both have ended in order, with exit code 0");
}

/** What a client sees who knocks while there is no link. */
async function knock(port: number): Promise<string> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
  } catch {
    return "clients are refused at once";
  }
  throw new DemoError("a client got in while there was no link");
}

async function timed<T>(promise: Promise<T>): Promise<[result: T, ms: number]> {
  const start = performance.now();
  const result = await promise;
  return [result, performance.now() - start];
}

function same(expected: string, found: string, what: string): void {
  if (found !== expected) throw new DemoError(`${what} has the SHA-256 ${found} and not ${expected}`);
}

function p50(times: readonly number[]): string {
  return ms(times[Math.floor(times.length / 2)]!);
}

function rates(up: number, down: number): string {
  return [up, down].map((time) => Math.round(FILE_SIZE / 1000 / time)).join(" / ") + " MB/s";
}

/** `0.31 ms`, `12 ms` or `1.9 s`. */
function ms(time: number): string {
  if (time >= 1000) return `${(time / 1000).toFixed(1)} s`;
  return `${time < 10 ? time.toFixed(2) : Math.round(time)} ms`;
}
