/**
 * Thousands of connections, as processes of their own:
 *
 * - `serve`: an echo service on 127.0.0.1; prints `port N`.
 * - `connect PORT COUNT AT_ONCE`: opens COUNT connections to 127.0.0.1:PORT, AT_ONCE at a time; each sends a byte and waits
 *   for it to come back, then stays. Prints `served COUNT in N ms`, and ends at SIGTERM.
 *
 * @module
 */

import { connect, createServer, type Socket } from "node:net";
import { say } from "../say.ts";

const [mode, port, count, atOnce] = Deno.args;

if (mode === "serve") {
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  });
  server.listen({ host: "127.0.0.1", port: 0, backlog: 4096 }, () => {
    const address = server.address();
    if (address !== null && typeof address === "object") say(`port ${address.port}`);
  });
} else {
  const since = performance.now();
  const sockets: Socket[] = [];
  let opened = 0;
  const lane = async () => {
    while (opened < Number(count)) {
      // One address has too few ports for very many connections to one port.
      sockets.push(await open(`127.0.0.${2 + opened++ % 4}`));
    }
  };
  await Promise.all(Array.from({ length: Number(atOnce) }, lane));
  say(`served ${sockets.length} in ${Math.round(performance.now() - since)} ms`);
  Deno.addSignalListener("SIGTERM", () => Deno.exit(0));
}

function open(localAddress: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port: Number(port), localAddress }, () => socket.write("x"));
    socket.once("data", () => resolve(socket));
    socket.once("error", reject);
    socket.once("close", () => reject(new Error("a connection was closed")));
  });
}
