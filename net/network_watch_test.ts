import assert from "node:assert/strict";
import { FakeClock, test } from "./_fakes_test.ts";
import { NETWORK_POLL_MS } from "./limits.ts";
import { type NetworkState, readNetwork, watchNetwork } from "./network_watch.ts";

const ETHERNET = [{ name: "eth0", address: "192.0.2.7" }, { name: "eth0", address: "fe80::1" }];
const MODEM = { name: "wwan0", address: "198.51.100.9" };
const START: NetworkState = { addresses: ETHERNET, routes: "eth0 00000000 010200C0" };

/** Watches a network that changes from {@linkcode START} to `next`. @returns how often a change was told. */
function changesTo(next: NetworkState, host = "192.0.2.7"): number {
  const clock = new FakeClock();
  let state = START;
  let changes = 0;
  const stop = watchNetwork(host, clock, () => changes++, () => state);
  clock.jump(NETWORK_POLL_MS);
  assert.equal(changes, 0, "a network that stayed as it is");
  state = next;
  clock.jump(NETWORK_POLL_MS);
  const told = changes;
  for (let n = 0; n < 10; n++) clock.jump(NETWORK_POLL_MS);
  assert.equal(changes, told, "it was told twice");
  stop();
  assert.equal(clock.pending, 0);
  return told;
}

test("a network has changed when the address is gone, its interface has others, or a default route is another", () => {
  assert.equal(changesTo({ ...START, addresses: [MODEM] }), 1);
  assert.equal(changesTo({ ...START, addresses: ETHERNET.slice(0, 1) }), 1); // as when the interface goes down
  assert.equal(changesTo({ ...START, addresses: [...ETHERNET, { name: "eth0", address: "2001:db8::1" }] }), 1);
  assert.equal(changesTo({ ...START, routes: "wwan0 00000000 00000000" }), 1);
});

test("other interfaces come and go without a word, and so does the order of addresses", () => {
  assert.equal(changesTo({ ...START, addresses: [MODEM, ...ETHERNET] }), 0);
  assert.equal(changesTo({ ...START, addresses: ETHERNET.toReversed() }), 0);
});

test("an address that is gone already is watched for whatever comes in its place", () => {
  assert.equal(changesTo(START, "203.0.113.1"), 0);
  assert.equal(changesTo({ ...START, addresses: [...ETHERNET, MODEM] }, "203.0.113.1"), 1);
});

test("a watch that was ended tells nothing", () => {
  const clock = new FakeClock();
  let state = START;
  const stop = watchNetwork("192.0.2.7", clock, () => assert.fail("told"), () => state);
  stop();
  state = { addresses: [], routes: "" };
  clock.jump(10 * NETWORK_POLL_MS);
  assert.equal(clock.pending, 0);
});

test("this machine's own network can be read, loopback with it", () => {
  assert.ok(readNetwork().addresses.some(({ address }) => address === "127.0.0.1"));
});
