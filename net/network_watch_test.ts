import assert from "node:assert/strict";
import { NETWORK_POLL_MS } from "./limits.ts";
import { FakeClock } from "../tests/rig/clock.ts";
import { type ConnectionEnds, type NetworkState, readNetwork, watchNetwork } from "./network_watch.ts";
import { test } from "../tests/rig/test.ts";

const OWN = { name: "eth0", address: "192.0.2.7" };
const BESIDE = { name: "eth0", address: "fd99::11" };
const MODEM = { name: "wwan0", address: "198.51.100.9" };
const ENDS = { local: "192.0.2.7", remote: "203.0.113.5" };
const START: NetworkState = { addresses: [OWN], routes: "eth0 via 192.0.2.1" };
const NOTHING: NetworkState = { addresses: [], routes: "" };

/** Watches a network that changes from {@linkcode START} to `next`, one after the other. @returns how often it was told. */
function changesTo(next: readonly NetworkState[], ends: ConnectionEnds = ENDS): number {
  const clock = new FakeClock();
  let state = START;
  let changes = 0;
  const stop = watchNetwork(ends, clock, () => changes++, () => state);
  clock.jump(NETWORK_POLL_MS);
  assert.equal(changes, 0, "a network that stayed as it is");
  for (state of next) clock.jump(NETWORK_POLL_MS);
  const told = changes;
  for (let n = 0; n < 10; n++) clock.jump(NETWORK_POLL_MS);
  assert.equal(changes, told, "it was told twice");
  stop();
  assert.equal(clock.pending, 0);
  return told;
}

test("the way has changed when the own address is gone, or the interface or the router is another", () => {
  assert.equal(changesTo([{ addresses: [MODEM], routes: "wwan0" }]), 1);
  assert.equal(changesTo([{ ...START, addresses: [BESIDE] }]), 1);
  assert.equal(changesTo([{ ...START, routes: "eth0 via 192.0.2.2" }]), 1);
  assert.equal(changesTo([{ ...START, routes: "wwan0" }]), 1);
});

test("addresses beside the own one come and go without a word", () => {
  assert.equal(changesTo([{ ...START, addresses: [OWN, BESIDE, MODEM] }, START]), 0);
});

test("a way that is gone is told when it is back, the same or another", () => {
  assert.equal(changesTo([NOTHING, NOTHING]), 0);
  assert.equal(changesTo([NOTHING, START]), 1);
  assert.equal(changesTo([NOTHING, { addresses: [MODEM], routes: "wwan0" }]), 1);
});

test("without a connection any other address or way is told, and so is one that is back", () => {
  assert.equal(changesTo([{ ...START, addresses: [OWN, BESIDE] }], {}), 1);
  assert.equal(changesTo([{ ...START, routes: "wwan0" }], { remote: ENDS.remote }), 1);
  assert.equal(changesTo([NOTHING, START], {}), 1);
  assert.equal(changesTo([START, START], {}), 0);
});

test("an address that is gone already is watched for whatever comes in its place", () => {
  const elsewhere = { ...ENDS, local: "203.0.113.1" };
  assert.equal(changesTo([START], elsewhere), 0);
  assert.equal(changesTo([{ ...START, addresses: [MODEM] }], elsewhere), 1);
});

test("a watch that was ended tells nothing", () => {
  const clock = new FakeClock();
  let state = START;
  const stop = watchNetwork(ENDS, clock, () => assert.fail("told"), () => state);
  stop();
  state = NOTHING;
  clock.jump(10 * NETWORK_POLL_MS);
  assert.equal(clock.pending, 0);
});

test("this machine's own network can be read, for loopback and for the way out", () => {
  const own = readNetwork({ local: "127.0.0.1", remote: "127.0.0.1" });
  assert.ok(own.addresses.some(({ address }) => address === "127.0.0.1"));
  assert.equal(typeof readNetwork({}).routes, "string");
});
