/**
 * An HTTP service that streams, as a process of its own: it prints `port N`; whatever is asked for, the answer is as many
 * bytes as the path says, `/SIZE/RATE`, of the stream with seed 1, RATE bytes a second, and then the end.
 *
 * @module
 */

import { sendChecked } from "../cuts/checked_bytes.ts";
import { writeAll } from "../stream.ts";
import { say } from "../say.ts";

/** The seed of what is streamed. */
const SEED = 1;

const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
say(`port ${listener.addr.port}`);
for await (const conn of listener) answer(conn).catch(() => conn.close()); // its client says what is wrong

async function answer(conn: Deno.TcpConn): Promise<void> {
  const into = new Uint8Array(4_096);
  let request = "";
  while (!request.endsWith("\r\n\r\n")) {
    const count = await conn.read(into);
    if (count === null) return conn.close();
    request += new TextDecoder().decode(into.subarray(0, count));
  }
  const [, size, rate] = /^GET \/(\d+)\/(\d+) /.exec(request)!;
  await writeAll(conn, new TextEncoder().encode("HTTP/1.0 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n"));
  await sendChecked(conn, { seed: SEED, size: Number(size), rate: Number(rate) });
  conn.close();
}
