import assert from "node:assert/strict";
import fc from "fast-check";
import { createHash } from "node:crypto";
import { test } from "../../tests/rig/test.ts";
import { MAX_SPARE_TLS_RINGS, MAX_TLS_RINGS } from "./limits.ts";
import { type TlsSession, WANT_READ, WANT_WRITE } from "./session.ts";
import { hasOpenSsl, PINNED, pinnedPair, shake, shakeAlone, tcpPair, Two } from "./_openssl_fixture_test.ts";

const ignore = !hasOpenSsl;

/** Bytes that say where they stand. */
const SOURCE = new Uint8Array(2_000_000).map((_, at) => at * 31 + (at >> 7));

/** One direction: what is still to be written, and a digest of what was read. */
class Flow {
  #sent = 0;
  #got = 0;
  #isEnded = false;
  readonly #digest = createHash("sha256");

  constructor(readonly from: TlsSession, readonly to: TlsSession, readonly size: number) {}

  /** Offers some bytes, no fewer than last time. */
  write(count: number): void {
    if (this.#sent === this.size) {
      if (!this.#isEnded) this.#isEnded = this.from.closeWrite() === "done";
      return;
    }
    this.#offered = Math.max(this.#offered, count);
    const taken = this.from.write(SOURCE.subarray(this.#sent, Math.min(this.size, this.#sent + this.#offered)));
    if (taken === WANT_WRITE) return;
    assert.ok(taken > 0);
    this.#sent += taken;
    this.#offered = Math.max(0, this.#offered - taken);
  }
  #offered = 0;

  /** @returns whether the end was read. */
  read(room: number): boolean {
    const into = new Uint8Array(room);
    const count = this.to.read(into);
    if (count === 0) {
      assert.equal(this.#got, this.size);
      assert.equal(
        this.#digest.digest("hex"),
        createHash("sha256").update(SOURCE.subarray(0, this.size)).digest("hex"),
      );
      return true;
    }
    if (count === WANT_READ) return false;
    this.#got += count;
    this.#digest.update(into.subarray(0, count));
    return false;
  }
}

test("both ways at once, whatever the pieces, every byte comes once and in order, and then the end", async () => {
  using pair = await pinnedPair();
  const pieces = fc.array(fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 200_000 })), {
    minLength: 1,
    maxLength: 20,
  });
  const size = fc.nat(SOURCE.length);
  fc.assert(
    fc.property(
      size,
      size,
      pieces,
      pieces,
      fc.option(fc.integer({ min: 4_096, max: 300_000 })),
      (up, down, writes, reads, buffer) => {
        using two = new Two(pair.client, pair.server);
        if (buffer !== null) {
          for (const socket of [two.clientSocket, two.serverSocket]) socket.limit("send", buffer);
        }
        shake(two.client, two.server);
        const flows = [new Flow(two.client, two.server, up), new Flow(two.server, two.client, down)];
        const open = new Set(flows);
        for (let turn = 0; open.size > 0; turn++) {
          for (const flow of flows) flow.write(Math.max(1, writes[turn % writes.length]!) + turn);
          for (const flow of open) {
            const room = Math.max(reads[turn % reads.length]!, 500 + turn);
            if (flow.read(room)) open.delete(flow);
          }
        }
      },
    ),
    { numRuns: 60 },
  );
}, { ignore });

test("a socket that is full holds what was not taken with whoever wrote it, and the rings are few", async () => {
  using pair = await pinnedPair();
  const all: Two[] = [];
  for (let n = 0; n < MAX_TLS_RINGS + 5; n++) {
    const two = new Two(pair.client, pair.server);
    shake(two.client, two.server);
    all.push(two);
    let taken = 0;
    for (let count = 0; (count = two.client.write(SOURCE.subarray(taken, taken + 400_000))) > 0;) taken += count;
    assert.equal(two.client.closeWrite(), "want-write");
    if (n < MAX_TLS_RINGS) assert.throws(() => two.client.write(SOURCE.subarray(0, 1)), RangeError);
    const into = new Uint8Array(100_000);
    const digest = createHash("sha256");
    if (n % 10 !== 0) continue;
    for (let got = 0; got < 1_000_000;) {
      const count = two.server.read(into);
      if (count > 0) {
        digest.update(into.subarray(0, Math.min(count, 1_000_000 - got)));
        got += count;
      }
      const more = two.client.write(SOURCE.subarray(taken, taken + 400_000));
      if (more > 0) taken += more;
    }
    assert.equal(digest.digest("hex"), createHash("sha256").update(SOURCE.subarray(0, 1_000_000)).digest("hex"));
  }
  for (const each of all) each[Symbol.dispose]();
  assert.ok(MAX_SPARE_TLS_RINGS < MAX_TLS_RINGS);
  using again = new Two(pair.client, pair.server); // a ring of another's has nothing of it
  shake(again.client, again.server);
  assert.equal(again.client.write(SOURCE.subarray(0, 50_000)), 50_000);
  const into = new Uint8Array(60_000);
  let got = 0;
  while (got < 50_000) got += Math.max(0, again.server.read(into.subarray(got)));
  assert.deepEqual(into.subarray(0, got), SOURCE.subarray(0, 50_000));
}, { ignore });

test("a thousand sessions leave nothing behind", async () => {
  using pair = await pinnedPair();
  const into = new Uint8Array(100_000);
  const rounds = (count: number) => {
    for (let n = 0; n < count; n++) {
      using two = new Two(pair.client, pair.server);
      if (n % 10 === 9) {
        two.client.handshake(); // given up
        continue;
      }
      shake(two.client, two.server);
      two.client.write(SOURCE.subarray(0, 40_000));
      two.server.read(into);
      two.client.peerCertificate();
      two.client.exporter("EXPORTER-x", 32);
      if (n % 10 < 5) two.client.write(SOURCE.subarray(0, 600_000)); // more than it takes
    }
  };
  rounds(300);
  const before = Deno.memoryUsage().rss;
  rounds(1_000);
  const grown = Deno.memoryUsage().rss - before;
  assert.ok(grown < 12 * 1024 * 1024, `${Math.round(grown / 1024)} KiB more`);
}, { ignore });

test("over TCP what is written in one piece comes in many, and all of it", async () => {
  using pair = await pinnedPair();
  using two = new Two(pair.client, pair.server, PINNED, await tcpPair());
  await Promise.all([
    shakeAlone(two.client, two.clientSocket.fd),
    shakeAlone(two.server, two.serverSocket.fd),
  ]);
  const flow = new Flow(two.client, two.server, SOURCE.length);
  while (!flow.read(65_536)) flow.write(SOURCE.length);
}, { ignore });
