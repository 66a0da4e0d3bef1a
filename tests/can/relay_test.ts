/**
 * Real clients of CAN through a relay, on both wire profiles: the host port is as good as the bus's own port.
 *
 * @module
 */

import assert from "node:assert/strict";
import { serveCan } from "../../can/server/serve.ts";
import { Child } from "../rig/processes/child.ts";
import { processTest } from "../rig/processes/harness.ts";
import { pythonCan } from "../rig/processes/python.ts";
import { V1Relay, V2Relay } from "../rig/processes/relay.ts";

processTest("python-can 4 talks over all its wires through a relay on v2", ["python-can 4"], async () => {
  const [auto, lines] = ["virtual:relayed", "virtual:relayed,wire=slcan"].map((bus) =>
    serveCan({ bus, host: "127.0.0.1", port: 0 })
  );
  await using relay = await V2Relay.start([`can=127.0.0.1:${auto!.port}`, `slcan=127.0.0.1:${lines!.port}`]);
  await using child = await Child.run("python-can", pythonCan("python-can 4", "talk", ...relay.hostPorts), 30_000);
  assert.equal(await child.exited, 0, child.tail);
  assert.equal(child.stdout.length, 19);
  assert.deepEqual(child.stdout.slice(-5), [
    "periodic 5",
    ...["web", "some", "sock", "serial"].map((name) => `shutdown ${name} at once`),
  ]);
  await Promise.all([auto!.shutdown(), lines!.shutdown()]);
});

for (const engine of ["auto", "portable"]) {
  const name = `python-can 4 talks over all its wires to a bus that is a service of the device, engine ${engine}`;
  processTest(name, ["python-can 4"], async () => {
    const bus = "can:virtual:service";
    await using relay = await V2Relay.start([`can=${bus}`, `slcan=${bus},wire=slcan`], {
      device: ["--engine", engine],
    });
    await using child = await Child.run("python-can", pythonCan("python-can 4", "talk", ...relay.hostPorts), 30_000);
    assert.equal(await child.exited, 0, child.tail);
    assert.equal(child.stdout.length, 19);
    assert.deepEqual(child.stdout.slice(-5), [
      "periodic 5",
      ...["web", "some", "sock", "serial"].map((name) => `shutdown ${name} at once`),
    ]);
  });
}

processTest("python-can 2.1 talks by version 5 through a relay, on either profile", ["python-can 2.1"], async () => {
  const server = serveCan({ bus: "virtual:relayed5", host: "127.0.0.1", port: 0 });
  const talk = async (port: number) => {
    await using child = await Child.run("python-can", pythonCan("python-can 2.1", "talk_r5", port), 30_000);
    assert.equal(await child.exited, 0, child.tail);
    return child.stdout;
  };
  {
    await using relay = await V2Relay.start([`can=127.0.0.1:${server.port}`]);
    assert.deepEqual((await talk(relay.hostPort)).slice(-3), [
      "periodic 5",
      "shutdown one at once",
      "shutdown two at once",
    ]);
  }
  {
    // v1 has no half-close: a client that has ended would else be kept for 5 s.
    const soon = { server: ["--half-close-timeout", "0"] };
    await using relay = await V1Relay.start([`127.0.0.1:${server.port}`], soon);
    assert.deepEqual((await talk(relay.hostPort)).slice(-3), [
      "periodic 5",
      "shutdown one at once",
      "shutdown two at once",
    ]);
  }
  await server.shutdown();
});
