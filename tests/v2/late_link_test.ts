/**
 * The last words of a link that its device gave up, and which the network brings after those of the next.
 *
 * @module
 */

import assert from "node:assert/strict";
import { readGoodbye } from "../../protocol/v2/wire/goodbye.ts";
import { V2Command } from "../../protocol/v2/wire/commands.ts";
import { DeviceHandshake, firstFrame } from "../../protocol/v2/wire/handshake.ts";
import { systemCrypto, writeAll } from "../../relay/handshake.ts";
import { portOf } from "../rig/ports.ts";
import { echoService } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { deviceParty } from "../rig/v2/device_peer.ts";
import { enlist, local, startV2Device, startV2Server } from "../rig/v2/relay.ts";
import { within } from "../rig/wait.ts";

/** Reads until there is a whole frame. */
async function readFrame(conn: Deno.TcpConn): Promise<NonNullable<ReturnType<typeof firstFrame>>> {
  const buffer = new Uint8Array(4096);
  for (let fill = 0;;) {
    const count = await within(conn.read(buffer.subarray(fill)), "a frame of the handshake");
    assert.ok(count !== null, "the server hung up");
    fill += count;
    const first = firstFrame(buffer.subarray(0, fill));
    if (first) return first;
  }
}

test("v2 resume: the AUTH of a link that was given up comes late, and the session that goes on is left alone", async () => {
  await using echo = echoService();
  await using server = await startV2Server({ serve: { expiration: 15_000 } });
  const identity = await enlist(server, "gw1", ["echo=127.0.0.1:0"]);
  const handshake = new DeviceHandshake(deviceParty(server, identity), systemCrypto);
  using slow = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
  await writeAll(slow, handshake.hello);
  const auth = await handshake.answer((await readFrame(slow)).frame);

  await using device = startV2Device(server, identity, [local("echo", echo)]);
  const { hostAddress } = await device.events.next("service");
  using client = await Stream.connect(portOf(hostAddress!));
  await client.write("a");
  assert.equal(await client.readText(1), "a");

  await writeAll(slow, auth);
  const { command, payload } = await readFrame(slow);
  assert.equal(command, V2Command.GOODBYE);
  assert.equal(readGoodbye(payload).code, "replaced");
  await client.write("b");
  assert.equal(await client.readText(1), "b");
  assert.equal(server.events.types.includes("link-down"), false);
});
