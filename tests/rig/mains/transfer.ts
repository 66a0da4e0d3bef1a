/**
 * Transfers in both directions at once whose every byte is checked, as processes of their own:
 *
 * - `serve`: the service, on 127.0.0.1; prints `port N`.
 * - `run PLAN`: clients of it, as the JSON of a {@linkcode TransferPlan} says; they print `flowing` when each has
 *   connected, and a {@linkcode TransferLine} for each transfer, as JSON. At SIGTERM what runs is brought to its end, and
 *   nothing else begins.
 *
 * A client says how much goes each way, sends, and ends its side; the service sends, then says the digest of what came.
 *
 * @module
 */

import { Random } from "../random.ts";
import { readFull, writeAll } from "../stream.ts";
import { CheckedBytes, sendChecked } from "../cuts/checked_bytes.ts";
import type { TransferLine, TransferPlan } from "../cuts/transfers.ts";
import { say } from "../say.ts";

/** Four numbers: seed, bytes up, bytes down, bytes a second. */
const HEADER_SIZE = 16;

/** What goes over a connection. */
interface Transfer {
  readonly seed: number;
  readonly up: number;
  readonly down: number;
  readonly rate: number;
}

/** A client whose relay is gone waits so long before it knocks again, in milliseconds. */
const PAUSE_MS = 200;

/** Up to so many bytes is a small transfer. */
const SMALL = 64 * 1024;

let ending = false;
let flowing = 0;

const [mode, text] = Deno.args;
if (mode === "serve") {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  say(`port ${listener.addr.port}`);
  for await (const conn of listener) serve(conn).catch(() => conn.close()); // its client says what is wrong
} else {
  Deno.addSignalListener("SIGTERM", () => ending = true);
  const plan = JSON.parse(text ?? "") as TransferPlan;
  await Promise.all(Array.from({ length: plan.lanes }, (_, lane) => runLane(plan, lane)));
  Deno.exit(0);
}

async function serve(conn: Deno.TcpConn): Promise<void> {
  const { seed, up, down, rate } = await readHeader(conn);
  const received = new CheckedBytes(seed, up);
  await Promise.all([received.feedFrom(conn), sendChecked(conn, { seed: seed + 1, size: down, rate })]);
  await writeAll(conn, new TextEncoder().encode(received.complaint ?? received.digest));
  conn.close();
}

async function runLane(plan: TransferPlan, lane: number): Promise<void> {
  const { seed, rate } = plan;
  const random = new Random(seed * 1_009 + lane);
  const rounds = plan.rounds ?? Infinity;
  const size = () => rounds === 1 ? plan.size : mixed(random, plan.size);
  for (let round = 0; round < rounds && !ending; round++) {
    const transfer = { seed: random.upTo(2 ** 16), up: size(), down: size(), rate };
    const { up, down } = transfer;
    const since = performance.now();
    const leaves = plan.leaving !== undefined && random.oneIn(plan.leaving) ? random.upTo(up) : undefined;
    const outcome = await exchange(plan, transfer, round === 0, leaves).catch((error: unknown) => ({
      failed: error instanceof Error ? error.message : String(error),
    }));
    const line: TransferLine = { lane, up, down, ms: Math.round(performance.now() - since), ...outcome };
    say(JSON.stringify(line));
    if ("failed" in outcome && !ending) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** Mostly small, so that many begin and end; some as large as may be, and some nothing at all. */
function mixed(random: Random, size: number): number {
  if (random.oneIn(10)) return 0;
  return random.upTo(random.oneIn(3) ? size : Math.min(size, SMALL));
}

/** One transfer. @throws {Error} that says what was lost. */
async function exchange(
  { hostname, port, lanes }: TransferPlan,
  { seed, up, down, rate }: Transfer,
  first: boolean,
  leaves: number | undefined,
): Promise<{ upDigest: string; downDigest: string } | { left: true }> {
  const conn = await Deno.connect({ hostname, port });
  const received = new CheckedBytes(seed + 1, down);
  const where = () => `seed ${seed}, ${up} up, ${down} down, ${received.position} came`;
  if (first && ++flowing === lanes) say("flowing");
  try {
    if (leaves !== undefined) {
      await writeAll(conn, header({ seed, up, down, rate }));
      await sendChecked(conn, { seed, size: leaves, rate, hurry: () => ending });
      return { left: true };
    }
    const sending = (async () => {
      await writeAll(conn, header({ seed, up, down, rate }));
      const digest = await sendChecked(conn, { seed, size: up, rate, hurry: () => ending });
      await conn.closeWrite();
      return digest;
    })();
    const [upDigest] = await Promise.all([sending, received.feedFrom(conn)]);
    if (received.complaint !== undefined) throw new Error(`down: ${received.complaint}`);
    if (received.behind !== upDigest) throw new Error(`up: sent ${upDigest}, the service says "${received.behind}"`);
    return { upDigest, downDigest: received.digest };
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error} (${where()})`);
  } finally {
    conn.close();
  }
}

function header({ seed, up, down, rate }: Transfer): Uint8Array {
  const view = new DataView(new ArrayBuffer(HEADER_SIZE));
  [seed, up, down, rate].forEach((value, at) => view.setUint32(at * 4, value));
  return new Uint8Array(view.buffer);
}

async function readHeader(conn: Deno.TcpConn): Promise<Transfer> {
  const bytes = new Uint8Array(HEADER_SIZE);
  if (!await readFull(conn, bytes)) throw new Error("the client has said nothing");
  const view = new DataView(bytes.buffer);
  const [seed, up, down, rate] = [0, 4, 8, 12].map((at) => view.getUint32(at)) as [number, number, number, number];
  return { seed, up, down, rate };
}
