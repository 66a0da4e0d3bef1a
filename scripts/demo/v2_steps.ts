/**
 * The demo's steps on wire profile v2.
 *
 * @module
 */

import { digest as sha256, noise } from "../../tests/rig/bytes.ts";
import { ms, p50, rates, same, timed } from "./figures.ts";
import { formatBytes } from "./link/frame_log.ts";
import { LineClient } from "./lines/client.ts";
import type { Route } from "./picture.ts";
import { DemoError } from "./processes.ts";
import type { PrivateSsh } from "./ssh.ts";
import type { Stage } from "./stage.ts";
import { freePort } from "../../tests/rig/ports.ts";
import type { Endpoints } from "./endpoint_steps.ts";
import { DEVICE, type V2Relay } from "./v2_relay.ts";

const FILE_SIZE = 32 * 1024 * 1024;
const ECHOES = 200;
const CLIENTS = 20;
const CUTS = 5;

/** The way to a service on this machine. */
export interface LocalRoute extends Route {
  readonly localPort: number;
}

/** A way to a service at a port of this machine. */
export function localRoute(client: string, service: string, localPort: number): LocalRoute {
  return { client, hostPort: freePort(), localPort, local: `127.0.0.1:${localPort}`, service };
}

/** All ways, in the order of the picture. */
export function routesOf({ lines, ssh, endpoints }: Pick<V2Cast, "lines" | "ssh" | "endpoints">): Route[] {
  return [...(ssh ? [ssh.route] : []), lines, ...(endpoints ? [endpoints.console, endpoints.bus] : [])];
}

/** What the steps work on. */
export interface V2Cast {
  /** Screen and processes. */
  readonly stage: Stage;
  /** Server, tap and device. */
  readonly relay: V2Relay;
  /** The way to the built-in service. */
  readonly lines: LocalRoute;
  /** The way to sshd, and its clients, where there is one. */
  readonly ssh: { readonly route: LocalRoute; readonly clients: PrivateSsh } | undefined;
  /** The serial console and the CAN bus, where they can be had. */
  readonly endpoints: Endpoints | undefined;
  /** Takes a figure for the end. */
  measured(name: string, value: string, remark: string): void;
}

/** The server runs, a device is enrolled, joins, and is up. @returns the string that it used. */
export async function threeCommands({ stage, relay, lines, ssh, endpoints }: V2Cast): Promise<string> {
  const { screen, dir } = stage;
  const routes = routesOf({ lines, ssh, endpoints });
  const first = routes[0]!;
  const more = routes.length > 1 ? " …" : "";
  screen.step("Three commands: a server, an enrolment, a device");
  screen.command("sallyport server --listen 127.0.0.1:0");
  screen.note(`listening 127.0.0.1:${relay.listenPort} profile=v2 security=pinned`);
  screen.dim(`it has made its key: ${await describeFile(dir, "server/identity.pem")}`);
  screen.command(
    `sallyport server enroll ${DEVICE} --service ${first.service}=127.0.0.1:${first.hostPort}${more} ` +
      `--public-address 127.0.0.1:${relay.tap.port}`,
  );
  const enrolment = await relay.enroll(routes);
  screen.note(`${enrolment.slice(0, 56)}…`);
  screen.dim("server key, address and a secret that is good once, for an hour; the server keeps its hash");
  screen.command(`sallyport device join 'sp2_…' --service ${first.service}=${first.local}${more}`);
  const start = performance.now();
  relay.join(enrolment, routes);
  for (const line of await relay.online(routes.length)) screen.note(line);
  const took = performance.now() - start;
  screen.note(`server: ${await relay.serverLogs(/"message":"device gw1 is enrolled/)}`);
  const head = relay.onlooker.head.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  screen.dim(`the tap sees TLS: ${head} … (${formatBytes(relay.onlooker.bytes["to server"])} up so far)`);
  screen.ok(`the device is up, ${ms(took)} after it was started; from now on "sallyport device" will do`);
  return enrolment;
}

/** A client talks through the relay. */
export async function client({ stage: { screen }, relay, lines, measured }: V2Cast): Promise<void> {
  screen.step("A client connects to a host port, and talks to “lines”, a small service of this demo");
  const secret = "open sesame";
  relay.onlooker.lookFor(secret);
  const client = await LineClient.connect(lines.hostPort);
  screen.note(`service: ${client.greeting}`);
  screen.note(`client:  echo ${secret}`);
  const answer = await client.echo(secret);
  if (answer !== secret) throw new DemoError("the echo came back wrong");
  screen.note(`service: ${answer}`);
  if (relay.onlooker.stop()) throw new DemoError(`the tap could read “${secret}”`);
  screen.dim(`the tap did not see “${secret}” go by: the link is encrypted`);
  const times = await client.times(ECHOES);
  await client.quit();
  const ended = await relay.serverLogs(/"message":"client .* ended:/);
  screen.note(`server: ${ended.replace(/^client .* for /, "client … of ")}`);
  const firstBytes = await greetings(lines.hostPort);
  const direct = await LineClient.connect(lines.localPort);
  const directTimes = await direct.times(ECHOES);
  await direct.quit();
  screen.ok(`${ECHOES} echoes, half of them within ${p50(times)}; the reason of every end is in the log, in one word`);
  measured("first byte through the relay", p50(firstBytes), `of ${CLIENTS} clients, p50; v2 with TLS, as all of these`);
  const p99 = ms(times[Math.floor(ECHOES * 0.99)]!);
  measured(
    "round trip of 64 bytes",
    p50(times),
    `of ${ECHOES}, p50; p99 ${p99}; without the relay ${p50(directTimes)}`,
  );
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
export async function sshLogin({ stage: { screen }, ssh }: V2Cast): Promise<void> {
  if (!ssh) return;
  const { route, clients } = ssh;
  screen.step("ssh, as it is, through the other host port");
  screen.command(`ssh -p ${route.hostPort} 127.0.0.1 'echo $SSH_CONNECTION'`);
  const said = await clients.run(route.hostPort, "echo $SSH_CONNECTION");
  const [, from, to] = /^\S+ (\d+) \S+ (\d+)$/.exec(said) ?? [];
  if (to !== `${route.localPort}`) throw new DemoError("ssh did not come out where it should");
  screen.note(said);
  screen.ok(`logged in: sshd on :${to} sees a client on :${from}, and that is the device`);
}

/** A file, there and back. */
export async function copy(cast: V2Cast): Promise<void> {
  const { stage: { screen }, lines, ssh, measured } = cast;
  const bytes = noise(FILE_SIZE, 2065);
  const digest = await sha256(bytes);
  screen.step(`A file of ${formatBytes(FILE_SIZE)}, there and back`);
  if (ssh) await copyBySsh(cast, bytes, digest);
  screen.note("the built-in client puts and gets it");
  const client = await LineClient.connect(lines.hostPort);
  const [arrived, up] = await timed(client.put("there.bin", bytes));
  same(digest, arrived, "the file that arrived");
  const [back, down] = await timed(client.get("there.bin"));
  same(digest, await sha256(back), "the file that came back");
  await client.quit();
  const speed = rates(FILE_SIZE, up, down);
  screen.ok(`SHA-256 ${digest.slice(0, 16)}… there and back: ${speed}`);
  measured("plain copy, there / back", speed, "the tap on the link included");
}

async function copyBySsh(cast: V2Cast, bytes: Uint8Array, digest: string): Promise<void> {
  const { stage: { screen, dir }, measured } = cast;
  const { route, clients } = cast.ssh!;
  const [file, there, back] = [`${dir}/file.bin`, `${dir}/there.bin`, `${dir}/back.bin`];
  await Deno.writeFile(file, bytes);
  screen.command(
    `scp -P ${route.hostPort} file.bin 127.0.0.1:there.bin; scp -P ${route.hostPort} 127.0.0.1:there.bin back.bin`,
  );
  const [, up] = await timed(clients.copy(route.hostPort, file, `127.0.0.1:${there}`));
  same(digest, await sha256(await Deno.readFile(there)), "the file that arrived");
  const [, down] = await timed(clients.copy(route.hostPort, `127.0.0.1:${there}`, back));
  same(digest, await sha256(await Deno.readFile(back)), "the file that came back");
  const speed = rates(FILE_SIZE, up, down);
  screen.ok(`SHA-256 ${digest.slice(0, 16)}… there and back: ${speed}`);
  measured("scp, there / back", speed, "log-in and ssh's own encryption included");
}

/** The link is cut again and again under a copy, which goes on. */
export async function cuts(cast: V2Cast): Promise<void> {
  const { stage: { screen }, relay, lines, ssh, measured } = cast;
  const bytes = noise(FILE_SIZE, 2066);
  const digest = await sha256(bytes);
  screen.step(`The link is cut ${CUTS} times while ${ssh ? "scp copies" : "a client sends"} that much again`);
  const client = await LineClient.connect(lines.hostPort);
  const copied = ssh ? scpOnce(cast, bytes) : client.put("through.bin", bytes);
  let pauses = 0;
  for (let n = 0; n < CUTS; n++) {
    await relay.onlooker.carried(FILE_SIZE / (CUTS + 2));
    relay.tap.drop();
    if (n === 0) screen.fault("the tap ends the connection between device and server");
    const said = await relay.deviceLogs(/"message":"link resumed/);
    pauses += Number(/after (\d+) ms/.exec(said)?.[1]);
    if (n === 0) screen.note(`device: ${said}`);
  }
  same(digest, await copied, "the file that arrived");
  const text = "still here";
  if (await client.echo(text) !== text) throw new DemoError("the echo came back wrong");
  await client.quit();
  screen.ok(`SHA-256 ${digest.slice(0, 16)}… arrived, and another client, connected all along, is ${text}`);
  measured("from a cut to going on", ms(pauses / CUTS), `mean of ${CUTS}; a pause of up to 0.1 s, and a handshake`);
}

/** @returns the SHA-256 of what arrived. */
async function scpOnce({ stage: { screen, dir }, ssh }: V2Cast, bytes: Uint8Array): Promise<string> {
  const { route, clients } = ssh!;
  const [file, there] = [`${dir}/again.bin`, `${dir}/through.bin`];
  await Deno.writeFile(file, bytes);
  screen.command(`scp -P ${route.hostPort} again.bin 127.0.0.1:through.bin`);
  await clients.copy(route.hostPort, file, `127.0.0.1:${there}`);
  return await sha256(await Deno.readFile(there));
}

/** The link is lost without a word, and the client goes on. */
export async function silence({ stage: { screen }, relay, lines, measured }: V2Cast): Promise<void> {
  screen.step("The uplink goes silent, as when a NAT forgets it: nothing arrives, and nobody is told");
  const client = await LineClient.connect(lines.hostPort);
  const start = performance.now();
  relay.tap.cut();
  screen.fault("the tap loses all bytes of the link, and lets new ones through");
  const typed = client.echo("typed into the silence");
  screen.note(`device: ${await relay.deviceLogs(/"message":"link interrupted/)}`);
  const seen = performance.now() - start;
  screen.note(`device: ${await relay.deviceLogs(/"message":"link resumed/)}`);
  const answer = await typed;
  const back = performance.now() - start;
  await client.quit();
  screen.ok(`seen after ${ms(seen)}, on again ${ms(back - seen)} later; the client has its answer: “${answer}”`);
  measured("silence is seen as loss", ms(seen), "1 s idle, then two probes a second apart: the defaults");
}

/** Who must not come in stays out, and who is revoked goes. */
export async function refusals(cast: V2Cast, enrolment: string): Promise<void> {
  const { stage: { screen }, relay, lines, measured } = cast;
  screen.step("The string is used again, by another machine; then the device is revoked");
  screen.command("sallyport device join 'sp2_…'      # the same string, on another machine");
  const [said, code] = await relay.joinElsewhere(enrolment, [lines]);
  if (code !== 4) throw new DemoError(`the other machine ended with ${code}: ${said}`);
  screen.note(said);
  screen.ok(`exit code ${code}: a string is good for one key`);
  screen.command(`sallyport server revoke ${DEVICE}`);
  await relay.revoke();
  const start = performance.now();
  const lost = await relay.deviceLogs(/"message":"link down/);
  const took = performance.now() - start;
  screen.note(`device: ${lost}`);
  screen.ok(`off ${ms(took)} after the command had ended`);
  measured("revoked and off", ms(took), "the file of devices is looked at twice a second");
}

/** Everything ends. */
export async function ending({ stage: { screen }, relay }: V2Cast): Promise<void> {
  await relay.stop();
  screen.ok("SIGTERM to device and server: both have ended in order, with exit code 0");
}

/** A file of the state, with its mode and size. */
async function describeFile(dir: string, path: string): Promise<string> {
  const { mode, size } = await Deno.stat(`${dir}/${path}`);
  return `${path}, mode ${((mode ?? 0) & 0o777).toString(8).padStart(4, "0")}, ${size} B`;
}
