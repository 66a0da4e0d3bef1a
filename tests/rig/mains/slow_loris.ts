/**
 * Sockets that come and say next to nothing, as a process of its own: `ADDRESS FROM COUNT [again] [mute]`. It opens COUNT
 * connections from FROM, sends a byte of a TLS hello on each, and prints `sent COUNT`; with `again` it opens another for
 * each that is closed; with `mute` it sends not even the byte.
 *
 * @module
 */

import { connect } from "node:net";
import { say } from "../say.ts";

const [address, from, count, ...words] = Deno.args;
const [host, port] = address!.split(":");
const [comesAgain, isMute] = [words.includes("again"), words.includes("mute")];
const lanes = 200;
let sent = 0;

for (let lane = 0; lane < lanes; lane++) open(Number(count) / lanes);

/** Opens `left` connections, one after the other. */
function open(left: number): void {
  const socket = connect({ host: host!, port: Number(port), localAddress: from! });
  let counted = false;
  const next = () => {
    if (counted) return;
    counted = true;
    if (++sent === Number(count)) say(`sent ${count}`);
    if (left > 1) open(left - 1);
  };
  socket.on("connect", () => isMute ? next() : socket.write(new Uint8Array([0x16]), next));
  socket.on("error", () => {}); // it was cut off, as it has to be
  socket.on("close", () => {
    next();
    if (comesAgain) setTimeout(() => open(1), 200);
  });
}
