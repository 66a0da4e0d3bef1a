/**
 * A serial line behind a link that is cut again and again: not one byte is lost, either way.
 *
 * @module
 */

import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { digest, noise } from "../rig/bytes.ts";
import { engines } from "../../net/_engines_fixture_test.ts";
import { hasPty, Pty } from "../rig/pty.ts";
import { test } from "../rig/test.ts";
import { startCabled } from "../rig/v2/cabled.ts";
import { within } from "../rig/wait.ts";

const CUTS = 50;
const SIZE = 16 * 1024 * 1024;

for (const { name: engine } of engines) {
  test(`${engine}: what goes over a serial line is whole after ${CUTS} cuts`, async () => {
    const [up, down] = [noise(SIZE, 1), noise(SIZE, 2)] as [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>];
    using far = new Pty();
    await using relay = await startCabled({
      services: [`console=serial:${far.path},flow=rts`],
      serve: { expiration: 15_000 },
      device: { random: () => 0, engine },
    });
    const { cable, device, connect } = relay;
    using client = await connect("console");
    const atLine = new Uint8Array(SIZE);
    const work = Promise.all([
      client.read(SIZE),
      client.write(up),
      far.write(down),
      (async () => {
        for (let at = 0; at < SIZE;) {
          const bytes = await far.read();
          atLine.set(bytes, at);
          at += bytes.length;
        }
      })(),
    ]);
    let cuts = 0;
    let over = false;
    const cutting = (async () => {
      for (; cuts < CUTS && !over; cuts++) {
        const before = cable.carried;
        while (!over && cable.carried < before + SIZE / 64) await new Promise((resolve) => setImmediate(resolve));
        if (over) break;
        cable.drop();
        await device.events.next("resumed");
      }
    })();
    const [atClient] = await within(work, "the transfers", 60_000);
    over = true;
    await cutting;
    assert.equal(await digest(atLine), await digest(up));
    assert.equal(await digest(atClient), await digest(down));
    assert.ok(cuts >= CUTS * 0.9, `${cuts} cuts`);
  }, { ignore: !hasPty });
}
