/**
 * An HTTP proxy that knows CONNECT and nothing else, and wants credentials: a process of its own, for machines from which
 * there is no other way out. `deno run http_proxy.ts HOST USER:PASSWORD`; it prints `port N`, then a line for each request.
 *
 * @module
 */

import { say } from "../say.ts";

const [hostname, credentials] = Deno.args;

if (import.meta.main) await run();

async function run(): Promise<void> {
  const listener = Deno.listen({ hostname: hostname!, port: 0 });
  say(`port ${listener.addr.port}`);
  for await (const conn of listener) serve(conn).catch(() => {}); // what breaks here shows at the device
}

async function serve(device: Deno.TcpConn): Promise<void> {
  const head = await readHead(device);
  const [, host, port] = /^CONNECT (\S+):(\d+) HTTP\/1\.1\r\n/.exec(head) ?? [];
  const wanted = `Basic ${btoa(credentials!)}`;
  const given = /^proxy-authorization: (.*)\r$/im.exec(head)?.[1];
  if (host === undefined || given !== wanted) {
    const status = host === undefined ? "405 Method Not Allowed" : "407 Proxy Authentication Required";
    say(`refused ${status}`);
    await device.write(
      new TextEncoder().encode(`HTTP/1.1 ${status}\r\nProxy-Authenticate: Basic realm="test"\r\n\r\n`),
    );
    return device.close();
  }
  const server = await Deno.connect({ hostname: host, port: Number(port) });
  say(`connected ${host}:${port}`);
  await device.write(new TextEncoder().encode("HTTP/1.1 200 Connection established\r\n\r\n"));
  await Promise.allSettled([
    device.readable.pipeTo(server.writable),
    server.readable.pipeTo(device.writable),
  ]);
}

/** Reads byte by byte: what comes after the head is the server's. */
async function readHead(conn: Deno.TcpConn): Promise<string> {
  let head = "";
  const byte = new Uint8Array(1);
  while (!head.endsWith("\r\n\r\n") && await conn.read(byte) !== null) head += String.fromCharCode(byte[0]!);
  return head;
}
