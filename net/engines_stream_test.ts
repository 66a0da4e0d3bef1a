import assert from "node:assert/strict";
import { wayTest } from "./_ways_fixture_test.ts";
import { readAll, writeAll } from "./_engines_fixture_test.ts";
import type { Duplex } from "./socket.ts";
import { digest, noise } from "../tests/rig/bytes.ts";
import { Random } from "../tests/rig/random.ts";
import { isSettled, pause } from "../tests/rig/wait.ts";

/** Writes all of `bytes` in pieces of random sizes, in every manner that there is, and ends. */
async function send(to: Duplex, bytes: Uint8Array, random: Random): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const piece = bytes.subarray(at, at + 1 + random.upTo(random.of(10, 5_000, 200_000)));
    const now = to.writeNow && random.oneIn(2) ? to.writeNow(piece) : 0;
    at += now < piece.length ? now + await to.write(piece.subarray(now)) : now;
    if (random.oneIn(50)) await pause(0);
  }
  await to.closeWrite();
}

/** Reads all, in pieces of random sizes, to the end. */
async function receive(from: Duplex, size: number, random: Random): Promise<Uint8Array<ArrayBuffer>> {
  const all = new Uint8Array(size + 1);
  for (let at = 0;;) {
    const read = from.read(all.subarray(at, at + 1 + random.upTo(random.of(10, 5_000, 300_000))));
    const count = read instanceof Promise ? await read : read;
    if (count === null) return all.slice(0, at);
    assert(count >= 1, "a read that gives nothing is an end");
    at += count;
    if (random.oneIn(50)) await pause(0);
  }
}

for (const seed of [1, 2, 3]) {
  wayTest(`streams of random pieces arrive whole, both ways at once (seed ${seed})`, async (way) => {
    const pair = await way.connect();
    const [up, down] = [noise(1_500_000, seed), noise(1_200_000, seed + 10)];
    const [atServer, atClient] = await Promise.all([
      receive(pair.server, up.length, new Random(seed + 1)),
      receive(pair.client, down.length, new Random(seed + 2)),
      send(pair.client, up, new Random(seed + 3)),
      send(pair.server, down, new Random(seed + 4)),
    ]);
    assert.equal(await digest(atServer), await digest(up));
    assert.equal(await digest(atClient), await digest(down));
    await pair.close();
  });
}

wayTest("every split of a short stream arrives whole", async (way) => {
  const pair = await way.connect();
  const bytes = noise(24, 1);
  for (let split = 1; split < bytes.length; split++) {
    await writeAll(pair.client, bytes.subarray(0, split));
    if (split % 3 === 0) await pause(0);
    await writeAll(pair.client, bytes.subarray(split));
    const into = new Uint8Array(bytes.length);
    for (let at = 0; at < into.length;) at += (await pair.server.read(into.subarray(at, at + split)))!;
    assert.deepEqual(into, bytes);
  }
  await pair.close();
});

for (const first of ["client", "server"] as const) {
  const second = first === "client" ? "server" : "client";
  wayTest(`a ${first} that has ended its writing still reads what the ${second} writes`, async (way) => {
    const pair = await way.connect();
    await writeAll(pair[first], noise(1_000, 1));
    await pair[first].closeWrite();
    assert.deepEqual(await readAll(pair[second]), noise(1_000, 1));
    const answer = noise(300_000, 2);
    const written = writeAll(pair[second], answer).then(() => pair[second].closeWrite());
    assert.deepEqual(await readAll(pair[first]), answer);
    await written;
    assert.equal(await pair[second].read(new Uint8Array(1)), null, "the end stays");
    await pair.close();
  });

  wayTest(`the close of a ${first} in order is an end, behind all that it wrote`, async (way) => {
    const pair = await way.connect();
    const bytes = noise(100_000, 3);
    await writeAll(pair[second], Uint8Array.of(1));
    assert.equal(await pair[first].read(new Uint8Array(1)), 1); // with bytes unread a close may lose what is on its way
    const read = readAll(pair[second]);
    await writeAll(pair[first], bytes);
    pair[first].close();
    pair[first].close();
    assert.deepEqual(await read, bytes);
    await pair.close();
  });

  wayTest(`a ${first} whose peer reads nothing writes no more, and goes on when it does`, async (way) => {
    const pair = await way.connect();
    const all = noise(64 * 1024 * 1024, 4);
    let written = 0;
    for (;;) {
      const write = Promise.resolve(pair[first].write(all.subarray(written, written + 256 * 1024)));
      if (!await isSettled(write) && await Promise.race([write, pause(100)]) === undefined) {
        assert.equal(pair[first].writeNow?.(all.subarray(written)) ?? 0, 0);
        const read = receive(pair[second], all.length, new Random(4));
        written += await write;
        await pair[first].closeWrite();
        assert.equal(await digest(await read), await digest(all.slice(0, written)));
        break;
      }
      written += await write;
      assert(written < all.length / 2, `${written} bytes, and nobody reads`);
    }
    await pair.close();
  });

  wayTest(`a read and a write of a ${first} that wait fail when it closes`, async (way) => {
    const pair = await way.connect();
    const full = assert.rejects(fill(pair[first]));
    const reading = assert.rejects(async () => await pair[first].read(new Uint8Array(1)));
    await pause(0);
    pair[first].close();
    await reading;
    await full;
    await assert.rejects(async () => await pair[first].read(new Uint8Array(1)));
    await assert.rejects(async () => await pair[first].write(new Uint8Array(1)));
    await assert.rejects(pair[first].closeWrite());
    await pair.close();
  });
}

/** Writes for ever. */
async function fill(duplex: Duplex): Promise<never> {
  const bytes = new Uint8Array(256 * 1024);
  for (;;) await duplex.write(bytes);
}
