/**
 * A small real service, a process of its own: it greets, echoes, and takes and gives files, by the line.
 *
 * `echo TEXT` is answered with TEXT, `put FILE SIZE` and the bytes with their SHA-256, `get FILE` with the size and the
 * bytes, `quit` with the end. Files live in memory, as long as the service.
 *
 * @module
 */

import { digest } from "../../../tests/rig/bytes.ts";
import { say } from "../../../tests/rig/say.ts";
import { LineConn } from "./conn.ts";

/** Largest file that is taken, in bytes. */
const MAX_FILE = 64 * 1024 * 1024;

const files = new Map<string, Uint8Array<ArrayBuffer>>();

/** Serves one client to its end. */
async function serveClient(conn: Deno.TcpConn): Promise<void> {
  const client = new LineConn(conn);
  try {
    await client.write("hello, who is there?\n");
    for (let line; (line = await client.readLine()) !== undefined && line !== "quit";) await answer(client, line);
  } catch {
    // The client broke off: its service forgets it.
  } finally {
    client.close();
  }
}

async function answer(client: LineConn, line: string): Promise<void> {
  const [command, name = "", size = ""] = line.split(" ");
  const file = files.get(name);
  if (command === "echo") {
    await client.write(line.slice("echo ".length) + "\n");
  } else if (command === "put" && Number(size) <= MAX_FILE) {
    const bytes = await client.readBytes(Number(size));
    files.set(name, bytes);
    await client.write(await digest(bytes) + "\n");
  } else if (command === "get" && file) {
    await client.write(`${file.length}\n`);
    await client.write(file);
  } else {
    await client.write("what?\n");
  }
}

if (import.meta.main) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  say(`listening ${listener.addr.port}`);
  for await (const conn of listener) serveClient(conn);
}
