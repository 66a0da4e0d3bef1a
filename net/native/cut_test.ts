/**
 * What is cut while its peer takes nothing: the system does not keep it for the peer either.
 *
 * @module
 */

import assert from "node:assert/strict";
import { nativeEngine } from "./engine.ts";
import { connectedEnds } from "../_engines_fixture_test.ts";
import type { Duplex } from "../socket.ts";
import { securePair, TestCertificate } from "../_ways_fixture_test.ts";
import { tcpTransport, tlsTransport, type Transport } from "../transport.ts";
import { test } from "../../tests/rig/test.ts";
import { within } from "../../tests/rig/wait.ts";

const ignore = !nativeEngine()?.tls.binds;

/** Writes until nothing more is taken. @returns how many bytes were. */
function fill({ duplex }: Transport): number {
  const bytes = new Uint8Array(100_000);
  for (let all = 0;;) {
    const count = duplex.writeNow!(bytes);
    if (count === 0) return all;
    all += count;
  }
}

/** Reads until it fails, or ends. @returns how many bytes came. */
async function drain(duplex: Duplex): Promise<number> {
  const into = new Uint8Array(100_000);
  let all = 0;
  try {
    for (let count = await duplex.read(into); count !== null; count = await duplex.read(into)) all += count;
  } catch {
    // As it should.
  }
  return all;
}

test("a TCP connection that is cut leaves nothing for a peer that stands still", async () => {
  const native = nativeEngine()!;
  using ends = await connectedEnds(native, native);
  const transport = tcpTransport(ends.server);
  const taken = fill(transport);
  transport.cut();
  assert.ok(await within(drain(ends.client), "the end") < taken);
}, { ignore });

test("a TLS connection that is cut leaves nothing for a peer that stands still", async () => {
  const native = nativeEngine()!;
  const pair = await securePair(await TestCertificate.make(), native, native);
  try {
    const transport = tlsTransport(pair.serverTls);
    const taken = fill(transport);
    transport.cut();
    assert.ok(await within(drain(pair.client), "the end") < taken);
  } finally {
    await pair.close();
  }
}, { ignore });

test("a connection that is cut with nothing under way ends in order", async () => {
  const native = nativeEngine()!;
  using ends = await connectedEnds(native, native);
  tcpTransport(ends.server).cut();
  assert.equal(await ends.client.read(new Uint8Array(1)), null);
}, { ignore });
