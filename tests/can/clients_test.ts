/**
 * Real clients of CAN over TCP at `sallyport canserver`: python-can in two generations.
 *
 * @module
 */

import assert from "node:assert/strict";
import { serveCan } from "../../can/server/serve.ts";
import { ascii } from "../rig/bytes.ts";
import { CanServerDaemon } from "../rig/processes/canserver.ts";
import { Child } from "../rig/processes/child.ts";
import { processTest } from "../rig/processes/harness.ts";
import { pythonCan } from "../rig/processes/python.ts";
import { Stream } from "../rig/stream.ts";
import { poll } from "../rig/wait.ts";
import { TempFolder } from "../rig/temp_folder.ts";

/** Runs a client to its end, which has to be a good one. @returns what it said. */
async function talk(command: readonly string[]): Promise<string[]> {
  const child = await Child.run("python-can", command, 30_000);
  assert.equal(await child.exited, 0, child.tail);
  return child.stdout;
}

processTest("python-can 4 talks over all its wires, and each sees what it can", ["python-can 4"], async () => {
  // slcan's clients need a service of their own; in one process the two share the bus by its name.
  const auto = serveCan({ bus: "virtual:lab", host: "127.0.0.1", port: 0 });
  const lines = serveCan({ bus: "virtual:lab,wire=slcan", host: "127.0.0.1", port: 0 });
  try {
    assert.deepEqual(await talk(pythonCan("python-can 4", "talk", auto.port, lines.port)), [
      "version (10, 13)",
      "info lab",
      ...["some s 12 3 010203", "sock s 12 3 010203", "serial s 12 3 010203", "web nothing"],
      ...["web x 12345 0 ", "serial x 12345 0 ", "some nothing"],
      ...["web sr 123 8 ", "sock nothing"],
      ...["web s 7ff 8 0001020304050607", "sock s 7ff 8 0001020304050607"],
      "some sf 12 12 000000000000000000000000",
      "periodic 5",
      ...["web", "some", "sock", "serial"].map((name) => `shutdown ${name} at once`),
    ]);
  } finally {
    await Promise.all([auto.shutdown(), lines.shutdown()]);
  }
});

processTest("python-can 2.1 talks by version 5 of the remote interface", ["python-can 2.1"], async () => {
  await using server = await CanServerDaemon.start(["--interface", "virtual", "--channel", "lab"]);
  assert.deepEqual(await talk(pythonCan("python-can 2.1", "talk_r5", server.port)), [
    `info lab on 127.0.0.1:${server.port}`,
    "two 12 3 010203 False",
    "one nothing",
    "periodic 5",
    "shutdown one at once",
    "shutdown two at once",
  ]);
  assert.ok(await server.child.stop());
});

processTest("python-can says what the service says where the bus cannot be had", ["python-can 4"], async () => {
  await using server = await CanServerDaemon.start(["--interface", "slcan", "--channel", "/dev/no-such-adapter"]);
  await server.logged(/is the adapter plugged in\?; clients are refused/);
  const [remote, socketcand] = await talk(pythonCan("python-can 4", "refused", server.port));
  assert.match(remote!, /^remote WebsocketClosed .*1011.*there is no \/dev\/no-such-adapter/);
  assert.match(socketcand!, /^socketcand .*could not open bus/);
});

processTest("clients open a bus that never pauses", ["python-can 4"], async () => {
  const server = serveCan({ bus: "virtual:busy", host: "127.0.0.1", port: 0 });
  using talker = await Stream.connect(server.port);
  await talker.write(Uint8Array.from([1, 5, 0, 7, 0xa1, 0x20, 10, 0]));
  for (let id = 1; id <= 4; id++) { // 4,000 frames a second
    await talker.write(Uint8Array.from([7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, id, 1, 0, id, 0, 0, 0, 0, 0, 0, 0]));
  }
  const lines = await talk(pythonCan("python-can 4", "busy", server.port));
  assert.deepEqual(lines, [...new Array(3).fill("remote 200"), ...new Array(3).fill("socketcand 200")]);
  talker.close();
  await server.shutdown();
});

processTest("an slcan adapter at a serial line is a bus, and can be taken out", ["socat"], async () => {
  using folder = new TempFolder();
  const path = `${folder.path}/ttyACM0`;
  // The adapter is one end of a terminal; its other end is a client of slcan at a service on a virtual bus.
  const lab = serveCan({ bus: "virtual:serial,wire=slcan", host: "127.0.0.1", port: 0 });
  await using socat = Child.start("socat", [
    "socat",
    "-d",
    "-d",
    `PTY,link=${path},raw,echo=0`,
    `TCP:127.0.0.1:${lab.port}`,
  ]);
  await socat.logLine((line) => /starting data transfer/.exec(line) ?? undefined, "its start");
  await using server = await CanServerDaemon.start(["--interface", "slcan", "--channel", path]);
  using client = await Stream.connect(server.port);
  await client.write(ascii("CANNELLONIv1"));
  assert.equal(await client.readText(12), "CANNELLONIv1");
  await server.logged(/has .*ttyACM0, by cannelloni/);
  const far = serveCan({ bus: "virtual:serial,wire=cannelloni", host: "127.0.0.1", port: 0 });
  using other = await Stream.connect(far.port);
  await other.write(ascii("CANNELLONIv1"));
  assert.equal(await other.readText(12), "CANNELLONIv1");
  await poll(() => far.clients[0]?.isOpen === true, () => "the far client does not have the bus");
  await client.write(Uint8Array.from([0, 0, 1, 0x23, 2, 0xaa, 0xbb]));
  assert.deepEqual([...await other.read(7)], [0, 0, 1, 0x23, 2, 0xaa, 0xbb]);
  await other.write(Uint8Array.from([0x80, 1, 0x23, 0x45, 1, 7]));
  assert.deepEqual([...await client.read(6)], [0x80, 1, 0x23, 0x45, 1, 7]);
  await socat.kill();
  assert.equal((await client.readToEnd()).length, 0);
  await server.logged(/ttyACM0: .*/);
  other.close();
  await Promise.all([lab.shutdown(), far.shutdown()]);
});
