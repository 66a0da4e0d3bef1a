/**
 * A session that gets no ring, as too many have one, writes record by record, and stops at none of them.
 *
 * @module
 */

import assert from "node:assert/strict";
import { nativeEngine } from "./engine.ts";
import { openSsl } from "../openssl/library.ts";
import { SendRing } from "../openssl/send_ring.ts";
import { securePair, TestCertificate } from "../_ways_fixture_test.ts";
import { noise } from "../../tests/rig/bytes.ts";
import { test } from "../../tests/rig/test.ts";
import { within } from "../../tests/rig/wait.ts";

const library = openSsl();

test("a TLS connection without a ring writes on until the socket takes no more", async () => {
  const native = nativeEngine()!;
  const pair = await securePair(await TestCertificate.make(), native, native);
  const rings: SendRing[] = [];
  for (let ring = SendRing.take(library!); ring; ring = SendRing.take(library!)) rings.push(ring);
  try {
    const bytes = noise(3_000_000, 1);
    const write = async () => {
      for (let at = 0; at < bytes.length;) at += await pair.server.write(bytes.subarray(at, at + 200_000));
      await pair.server.closeWrite();
    };
    const read = async () => {
      const into = new Uint8Array(100_000);
      let at = 0;
      for (let count = await pair.client.read(into); count !== null; count = await pair.client.read(into)) {
        assert.deepEqual(into.subarray(0, count), bytes.subarray(at, at + count));
        at += count;
      }
      assert.equal(at, bytes.length);
    };
    await within(Promise.all([write(), read()]), "the bytes, whole");
  } finally {
    for (const ring of rings) ring.giveBack();
    await pair.close();
  }
}, { ignore: !nativeEngine()?.tls.binds });
