/**
 * A CAN bus behind a link that is cut again and again: clients that keep up lose no frame, and get none twice.
 *
 * @module
 */

import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { MAX_CLIENT_FRAMES } from "../../can/limits.ts";
import { serveCan } from "../../can/server/serve.ts";
import { engines } from "../../net/_engines_fixture_test.ts";
import { concat } from "../../protocol/bytes.ts";
import { ascii } from "../rig/bytes.ts";
import { Stream } from "../rig/stream.ts";
import { test } from "../rig/test.ts";
import { startCabled } from "../rig/v2/cabled.ts";
import { within } from "../rig/wait.ts";

const CUTS = 50;
const FRAMES = 300_000;
/** A frame of cannelloni with 8 bytes of data. */
const SIZE = 13;
/** Frames on the way: with more of them a client would be slow, and lose the oldest. */
const AHEAD = MAX_CLIENT_FRAMES / 2;
const BATCH = 256;

async function open(client: Stream): Promise<void> {
  await client.write(ascii("CANNELLONIv1"));
  assert.equal(await client.readText(12), "CANNELLONIv1");
}

/** One way over the bus: frames that are numbered, of one id. */
class Way {
  readonly #id: number;
  #received = 0;
  #onReceived: () => void = () => {};

  constructor(id: number) {
    this.#id = id;
  }

  async send(from: Stream): Promise<void> {
    for (let sent = 0; sent < FRAMES;) {
      while (sent - this.#received > AHEAD - BATCH) await new Promise<void>((resolve) => this.#onReceived = resolve);
      const count = Math.min(BATCH, FRAMES - sent);
      const bytes = new Uint8Array(count * SIZE);
      const view = new DataView(bytes.buffer);
      for (let at = 0; at < bytes.length; at += SIZE) {
        view.setUint32(at, this.#id);
        view.setUint8(at + 4, 8);
        view.setUint32(at + 5, sent++);
      }
      await from.write(bytes);
    }
  }

  async receive(at: Stream): Promise<void> {
    let rest = new Uint8Array(0);
    while (this.#received < FRAMES) {
      const chunk = await within(at.readSome(), `frame ${this.#received} of 0x${this.#id.toString(16)}`);
      assert(chunk, "the client was ended");
      const bytes = concat([rest, chunk]);
      const view = new DataView(bytes.buffer);
      const whole = bytes.length - bytes.length % SIZE;
      for (let frame = 0; frame < whole; frame += SIZE) {
        assert.equal(view.getUint32(frame), this.#id, "another frame, such as the error frame that tells of a loss");
        assert.equal(view.getUint32(frame + 5), this.#received++);
      }
      rest = bytes.slice(whole);
      this.#onReceived();
    }
  }
}

for (const { name: engine } of engines) {
  test(`${engine}: frames both ways are whole and in order after ${CUTS} cuts`, async () => {
    const bus = `virtual:cuts-${engine}`;
    const lab = serveCan({ bus: `${bus},wire=cannelloni`, host: "127.0.0.1", port: 0 });
    await using relay = await startCabled({
      services: [`can=can:${bus}`],
      serve: { expiration: 15_000 },
      device: { random: () => 0, engine },
    });
    const { cable, device, connect } = relay;
    using near = await Stream.connect(lab.port);
    using far = await connect("can");
    await open(near);
    await open(far);
    const [up, down] = [new Way(0x101), new Way(0x202)];
    const work = Promise.all([up.send(far), up.receive(near), down.send(near), down.receive(far)]);
    let cuts = 0;
    let over = false;
    const cutting = (async () => {
      for (; cuts < CUTS && !over; cuts++) {
        const before = cable.carried;
        while (!over && cable.carried < before + FRAMES * SIZE / (4 * CUTS)) {
          await new Promise((resolve) => setImmediate(resolve));
        }
        if (over) break;
        cable.drop();
        await device.events.next("resumed");
      }
    })();
    await within(work, "the frames", 60_000);
    over = true;
    await cutting;
    assert.ok(cuts >= CUTS * 0.9, `${cuts} cuts`);
    await lab.shutdown();
  });
}
