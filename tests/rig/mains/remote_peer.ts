/**
 * A client or a service for a network namespace, as a process of its own:
 *
 * - `echo`: a service on 127.0.0.1 that sends back what it gets; `sink`: one that takes all; `source`: one that sends
 *   without end; `mixed`: one that does as the first byte says, `d` is a source, `u` a sink, any other an echo. They print
 *   `port N`.
 * - `ask PORT`: a client that sends a question and prints what comes back.
 * - `ping PORT ROUNDS`: a client that sends a byte, waits for it to come back, and so on, 5 ms apart; it prints all times
 *   in milliseconds as JSON.
 * - `hold PORT`: a client that prints `held` when a byte came back, then waits for the end, and prints `ended`.
 * - `pour PORT`: a client that sends without end; `take PORT`: one that reads without end. They print `flowing` after the
 *   first 8 MiB, and end with the connection.
 * - `measure PORT WAY`: a client of `mixed` that moves bytes `down` or `up` without end; it prints `flowing` after the first
 *   MiB, and at SIGTERM `rate N`, the bytes a second since then.
 *
 * @module
 */

import { noise } from "../bytes.ts";
import { say } from "../say.ts";

const FLOWING = 8 * 1024 * 1024;
const [mode, port] = Deno.args;
const block = noise(64 * 1024, 1);

/** What a service does with a connection. */
const SERVICES: Record<string, (conn: Deno.TcpConn) => Promise<unknown>> = {
  echo: (conn) => conn.readable.pipeTo(conn.writable),
  sink: (conn) => take(conn, () => {}),
  source: (conn) => pour(conn, () => {}),
  mixed: async (conn) => {
    const first = new Uint8Array(1);
    await conn.read(first);
    const what = String.fromCharCode(first[0]!);
    if (what === "d") return await pour(conn, () => {});
    if (what === "u") return await take(conn, () => {});
    await conn.write(first);
    await conn.readable.pipeTo(conn.writable);
  },
};

/** What a client does with its connection. */
const CLIENTS: Record<string, (conn: Deno.TcpConn) => Promise<unknown>> = {
  ask: async (conn) => {
    await conn.write(new TextEncoder().encode("question"));
    const answer = new Uint8Array(100);
    say(new TextDecoder().decode(answer.subarray(0, await conn.read(answer) ?? 0)));
  },
  ping: (conn) => ping(conn, Number(Deno.args[2])),
  hold: async (conn) => {
    const into = new Uint8Array(1);
    await conn.write(into);
    await conn.read(into);
    say("held");
    await conn.read(into).catch(() => {}); // however it ends
    say("ended");
  },
  measure: (conn) => measure(conn, Deno.args[2] === "down" ? "d" : "u"),
  pour: (conn) => pour(conn, sayFlowing),
  take: (conn) => take(conn, sayFlowing),
};

const service = SERVICES[mode ?? ""];
if (service) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  say(`port ${listener.addr.port}`);
  for await (const conn of listener) service(conn).catch(() => {}); // a broken connection is what the tests are about
} else {
  await CLIENTS[mode ?? ""]!(await Deno.connect({ hostname: "127.0.0.1", port: Number(port) }));
}

async function ping(conn: Deno.TcpConn, rounds: number): Promise<void> {
  conn.setNoDelay();
  const byte = new Uint8Array(1);
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const since = performance.now();
    await conn.write(byte);
    await conn.read(byte);
    times.push(performance.now() - since);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  say(JSON.stringify(times));
}

async function measure(conn: Deno.TcpConn, way: "d" | "u"): Promise<void> {
  let since = 0;
  let before = 0;
  let now = 0;
  const count = (total: number) => {
    now = total;
    if (since > 0 || total < 1024 * 1024) return;
    since = performance.now();
    before = total;
    say("flowing");
  };
  Deno.addSignalListener("SIGTERM", () => {
    say(`rate ${Math.round((now - before) / (performance.now() - since) * 1000)}`);
    Deno.exit(0);
  });
  await conn.write(new TextEncoder().encode(way));
  await (way === "d" ? take(conn, count) : pour(conn, count));
}

async function pour(conn: Deno.TcpConn, onBytes: (total: number) => void): Promise<void> {
  for (let total = 0;;) onBytes(total += await conn.write(block));
}

async function take(conn: Deno.TcpConn, onBytes: (total: number) => void): Promise<void> {
  const into = new Uint8Array(64 * 1024);
  for (let total = 0, read = await conn.read(into); read !== null; read = await conn.read(into)) {
    onBytes(total += read);
  }
}

function sayFlowing(total: number): void {
  if (total >= FLOWING && total < FLOWING + 64 * 1024) say("flowing");
}
