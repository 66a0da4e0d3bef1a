/**
 * How what stands behind each service is, as the device's status has it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { engines } from "../../net/_engines_fixture_test.ts";
import { ascii } from "../rig/bytes.ts";
import { hasPty, Pty } from "../rig/pty.ts";
import { folderTest } from "../rig/test.ts";
import { udpEcho, UdpPeer } from "../rig/udp.ts";
import { startV2Relay } from "../rig/v2/relay.ts";
import { poll } from "../rig/wait.ts";

for (const { name: engine } of engines) {
  folderTest(`${engine}: the status says how each kind of endpoint is, and what became of it`, async (folder) => {
    using far = new Pty();
    await using echo = await udpEcho();
    await using relay = await startV2Relay({
      services: [
        `console=serial:${far.path},9600,share=read`,
        `can=can:virtual:states-${engine}`,
        'cat=exec:["/bin/cat"]',
        `gone=unix:${folder}/gone.sock`,
        `echo=udp:127.0.0.1:${echo.address.port}`,
      ],
      grants: [...["console", "can", "cat", "gone"].map((name) => `${name}=127.0.0.1:0`), "echo=udp:127.0.0.1:0"],
      serve: { engine },
      device: { engine },
    });
    const { device, connect, hostPort } = relay;
    const of = (name: string) => device.handle.status.services.find((each) => each.name === name)!;
    const is = async (name: string, expected: object) => {
      const now = () => {
        const { state, detail, counts } = of(name).endpoint;
        return JSON.stringify({ state, detail, ...counts });
      };
      await poll(() => now() === JSON.stringify(expected), () => `${name} is ${now()}`);
    };
    const reached = (reached: number, failed = 0) => ({ reached, failed });

    await is("console", { state: "closed", detail: "9600 8n1", users: 0, watchers: 0, lost: 0, ...reached(0) });
    const user = await connect("console");
    const watcher = await connect("console");
    await is("console", { state: "open", detail: "9600 8n1", users: 1, watchers: 1, lost: 0, ...reached(2) });
    user.close();
    watcher.close();
    await is("console", { state: "closed", detail: "9600 8n1", users: 0, watchers: 0, lost: 0, ...reached(2) });
    using again = await connect("console");
    await is("console", { state: "open", detail: "9600 8n1", users: 1, watchers: 0, lost: 0, ...reached(3) });
    far.close();
    await is("console", { state: "gone", detail: "9600 8n1", users: 1, watchers: 0, lost: 0, ...reached(3) });
    again.close();

    await is("can", { state: "closed", members: 0, received: 0, sent: 0, lost: 0, ...reached(0) });
    const [one, two] = [await connect("can"), await connect("can")];
    for (const client of [one, two]) {
      await client.write(ascii("CANNELLONIv1"));
      await client.readText(12);
    }
    await one.write(Uint8Array.of(0, 0, 1, 1, 1, 7));
    await two.read(6);
    await is("can", { state: "open", members: 2, received: 1, sent: 1, lost: 0, ...reached(2) });
    one.close();
    two.close();
    await is("can", { state: "closed", members: 0, received: 1, sent: 1, lost: 0, ...reached(2) });

    using cat = await connect("cat");
    await cat.write("x");
    await cat.readText(1);
    await is("cat", { running: 1, ...reached(1) });
    cat.close();
    await is("cat", { running: 0, ...reached(1) });

    using nobody = await connect("gone");
    await nobody.readToEnd();
    await poll(() => of("gone").endpoint.counts["failed"] === 1, () => "it was reached");
    assert.match(of("gone").endpoint.detail!, /no .*gone\.sock|gone\.sock/);

    await using peer = await UdpPeer.connect(await hostPort("echo"));
    peer.send("hello");
    assert.equal(await peer.text(), "hello");
    await is("echo", { peers: 1, ...reached(1) });
    assert.deepEqual([of("echo").datagrams!.sent, of("echo").datagrams!.received, of("echo").datagrams!.unread], [
      1,
      1,
      0,
    ]);
  }, { ignore: !hasPty });
}
