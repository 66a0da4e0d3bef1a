/**
 * `server connect` without a port: standard input and output are the client, as `nc` or a ProxyCommand of ssh is.
 *
 * @module
 */

import { systemClock } from "../../../base/clock.ts";
import { describeError } from "../../../base/errors.ts";
import { keptEvents } from "../../../app/admin/cli/events.ts";
import type { AdminClient } from "../../../app/admin/client.ts";
import { UnfinishedError } from "../../../app/run.ts";
import { MAX_UNIX_PATH } from "../../../net/limits.ts";
import { formatAddress, parseAddress } from "../../../protocol/address.ts";
import type { ChannelEndReason } from "../../../protocol/reasons.ts";
import { isOrderly } from "../../../relay/channel_end.ts";
import { CONNECT_STREAM_CHUNK, CONNECT_STREAM_FOR_MS, CONNECT_TOLD_MS, CONNECT_TOLD_POLL_MS } from "../../limits.ts";
import { looksLikeUnixHost, parseUnixHost } from "../../ports/unix_host.ts";

/** What is to be reached, and for whom. */
export interface StreamTarget {
  readonly device: string;
  readonly address: string;
  readonly by: string;
  readonly reason: string | undefined;
  /** The folder of the server's state: nobody but its user gets in there. */
  readonly folder: string;
}

/** What is open for a time, as far as it is of interest here. */
interface Opening {
  readonly device: string;
  readonly service: string;
  readonly to: string | null;
  readonly hostAddress: string | null;
}

/** The end of a client. */
interface ClientEnd {
  readonly time: string;
  readonly client: string;
  readonly localAddress: string;
  readonly reason: ChannelEndReason;
  readonly error?: string;
}

/**
 * Has a device reach an address, and joins that with standard input and output until the other side ends.
 *
 * @throws {UnfinishedError} with one line if it cannot be reached, or did not end in order.
 */
export async function connectStream(client: AdminClient, target: StreamTarget): Promise<void> {
  const { device } = target;
  const { service, hostAddress } = await wayTo(client, target);
  if (hostAddress === null) throw new UnfinishedError(`${target.address} of ${device} was closed meanwhile`);
  let conn: Deno.Conn;
  try {
    conn = await dialHost(hostAddress);
  } catch (error) {
    throw new UnfinishedError(`${hostAddress} cannot be reached from here: ${describeError(error)}`);
  }
  const isOurs = namesOf(conn);
  const since = new Date(systemClock.wall()).toISOString();
  const broken = await join(conn);
  const end = await endOf(client, { device, service, isOurs, since });
  if (end && !isOrderly(end.reason)) {
    throw new UnfinishedError(`ended as ${end.reason}${end.error === undefined ? "" : `: ${end.error}`}`);
  }
  if (broken !== undefined) throw new UnfinishedError(broken);
}

/** A way that somebody has opened already is left as it is, and taken; any other is a socket for this user alone. */
async function wayTo(client: AdminClient, { device, address, by, reason, folder }: StreamTarget): Promise<Opening> {
  const path = `${Deno.realPathSync(folder)}/to-${await shortHash(`${device} ${address}`)}.sock`;
  if (path.length > MAX_UNIX_PATH) throw new UnfinishedError(`${folder} has too long a name for sockets; say --listen`);
  const { items } = await client.get<{ items: readonly Opening[] }>("/v1/openings");
  const open = items.find((each) => each.device === device && each.to === address && each.hostAddress !== null);
  if (open && !open.hostAddress!.includes(path)) return open;
  return await client.post<Opening>(`/v1/devices/${device}/connect`, {
    address,
    by,
    ...(reason !== undefined && { reason }),
    listen: `unix:${path},mode=0600`,
    for: CONNECT_STREAM_FOR_MS,
    keepClients: true,
  });
}

async function shortHash(text: string): Promise<string> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  return Array.from(hash.subarray(0, 6), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function dialHost(hostAddress: string): Promise<Deno.Conn> {
  if (looksLikeUnixHost(hostAddress)) {
    return Deno.connect({ transport: "unix", path: parseUnixHost(hostAddress).unix });
  }
  const { host, port } = parseAddress(hostAddress);
  const anywhere: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };
  return Deno.connect({ hostname: anywhere[host] ?? host, port });
}

/** Moves bytes both ways until the connection has ended. @returns what went wrong, if anything did. */
async function join(conn: Deno.Conn): Promise<string | undefined> {
  move(Deno.stdin, conn).then(() => conn.closeWrite()).catch(() => {}); // an end the other way is heard below
  try {
    await move(conn, Deno.stdout);
    return undefined;
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return undefined; // nobody takes it any more
    return `the connection broke: ${describeError(error)}`;
  } finally {
    conn.close();
  }
}

interface Source {
  read(into: Uint8Array): Promise<number | null>;
}

interface Sink {
  write(bytes: Uint8Array): Promise<number>;
}

async function move(from: Source, to: Sink): Promise<void> {
  const chunk = new Uint8Array(CONNECT_STREAM_CHUNK);
  for (;;) {
    const count = await from.read(chunk);
    if (count === null) return;
    for (let at = 0; at < count;) at += await to.write(chunk.subarray(at, count));
  }
}

/** What this process's client is called by the server. Its portable engine cannot tell users of a Unix socket apart. */
function namesOf({ localAddr }: Deno.Conn): (client: string) => boolean {
  if (localAddr.transport !== "tcp") {
    return (client) => client === "unix:uid=?" || client.endsWith(`,pid=${Deno.pid}`);
  }
  const own = formatAddress({ host: localAddr.hostname, port: localAddr.port });
  return (client) => client === own;
}

/** What the server says of the end of this process's client, as soon as it has been told; `undefined`: nothing. */
async function endOf(
  client: AdminClient,
  { device, service, isOurs, since }: {
    readonly device: string;
    readonly service: string;
    readonly isOurs: (client: string) => boolean;
    readonly since: string;
  },
): Promise<ClientEnd | undefined> {
  for (let waited = 0; waited < CONNECT_TOLD_MS; waited += CONNECT_TOLD_POLL_MS) {
    const { told } = await keptEvents<ClientEnd>(client, [["type", "client-end"], ["device", device]]);
    const end = told.findLast((each) => each.localAddress === service && each.time >= since && isOurs(each.client));
    if (end) return end;
    await new Promise<void>((resolve) => void systemClock.after(CONNECT_TOLD_POLL_MS, resolve));
  }
  return undefined;
}
