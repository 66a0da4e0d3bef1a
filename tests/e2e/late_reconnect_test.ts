/**
 * A device that is back too late (seed 000), with real clients: each of them hears an error, and none takes a part for the whole.
 *
 * @module
 */

import assert from "node:assert/strict";
import { isNative } from "../rig/engine.ts";
import { Child } from "../rig/processes/child.ts";
import { processTest } from "../rig/processes/harness.ts";
import { V2Relay } from "../rig/processes/relay.ts";
import { Service } from "../rig/service.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { poll } from "../rig/wait.ts";

/** What curl says of a connection that was reset, and of one that ended before its time. */
const CURL_RESET = 56;
const CURL_PARTIAL = 18;

processTest("each curl has an error when the device does not come back in time", ["curl"], async () => {
  await using service = new Service(async (stream) => {
    await stream.readSome();
    await stream.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\npart");
    await stream.readToItsEnd();
  });
  await using relay = await V2Relay.start([`web=127.0.0.1:${service.port}`], {
    server: ["--expiration", "1s"],
  });
  const url = `http://127.0.0.1:${relay.hostPort}/`;
  using folder = new TempFolder();
  await using stack = new AsyncDisposableStack();
  const files = Array.from({ length: 4 }, (_, n) => folder.write(`${n}`, ""));
  const clients = files.map((file) =>
    stack.use(Child.start("curl", ["curl", "-sSN", "--noproxy", "*", "--max-time", "50", "-o", file, url]))
  );
  const sizes = () => files.map((file) => Deno.statSync(file).size);
  await poll(() => sizes().every((size) => size === 4), () => `they have ${sizes()} bytes`);
  await relay.device.child.kill();
  const codes = await Promise.all(clients.map((client) => client.end().then(() => client.exited)));
  assert.deepEqual(codes, clients.map(() => isNative ? CURL_RESET : CURL_PARTIAL));
  await relay.server.logged(/^link down: device gw1 .*, expired/);
});
