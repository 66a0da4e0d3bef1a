/**
 * Many dials to a name whose name server is silent and to an address that does not answer, and some to services that do,
 * as a process of its own: `SILENT_ADDRESS`. It prints `served` when those are done, and `gave up` when the first of the
 * others is.
 *
 * @module
 */

import { systemClock } from "../../../base/clock.ts";
import { chooseEngine } from "../../../net/engines.ts";
import { dial } from "../../../net/dial/dial.ts";

const [silent = ""] = Deno.args;
const common = { engine: chooseEngine("auto").engine, clock: systemClock, signal: new AbortController().signal };
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
const { port } = listener.addr;
let told = false;

for (const host of ["service.silent.example", silent]) {
  for (let n = 0; n < 1_000; n++) {
    dial({ host, port: 80 }, { ...common, timeout: 1_900 }).then((conn) => conn.close(), () => {
      if (!told) say("gave up");
      told = true;
    });
  }
}
await new Promise((resolve) => setTimeout(resolve, 100)); // what the runtime does for them has begun
for (const host of ["localhost", "127.0.0.1"]) {
  const [conn, peer] = await Promise.all([dial({ host, port }, { ...common, timeout: 60_000 }), listener.accept()]);
  conn.close();
  peer.close();
}
await Deno.readTextFile(new URL(import.meta.url)); // files wait for the same threads as names
say("served");

function say(what: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${what}\n`));
}
