import assert from "node:assert/strict";
import fc from "fast-check";
import { BlockList } from "node:net";
import { formatIP } from "../../protocol/ip.ts";
import { test } from "../../tests/rig/test.ts";
import { NetworkSet, networkSet } from "./networks.ts";

const byte = fc.integer({ min: 0, max: 255 });
/** Addresses of few values, so that networks often have them. */
const few = fc.constantFrom(0, 1, 127, 128, 255);
const v4 = fc.array(fc.oneof(few, byte), { minLength: 4, maxLength: 4 }).map((bytes) => formatIP(bytes));
const v6 = fc.array(fc.oneof(few, byte), { minLength: 16, maxLength: 16 })
  .filter((bytes) => !bytes.slice(0, 10).every((each) => each === 0)) // what means IPv4 is tested apart
  .map((bytes) => formatIP(bytes));
const network = fc.oneof(fc.tuple(v4, fc.integer({ min: 0, max: 32 })), fc.tuple(v6, fc.integer({ min: 0, max: 128 })));

test("a set of networks has what the runtime's own list has, of either family", () => {
  fc.assert(fc.property(fc.array(network, { maxLength: 6 }), fc.array(fc.oneof(v4, v6)), (networks, hosts) => {
    const set = new NetworkSet(networks.map(([base, bits]) => `${base}/${bits}`));
    const peer = new BlockList();
    for (const [base, bits] of networks) {
      if (bits === 0) continue; // Deno's list refuses it
      peer.addSubnet(base, bits, base.includes(":") ? "ipv6" : "ipv4");
    }
    const hasAll = (family: boolean) => networks.some(([base, bits]) => bits === 0 && base.includes(":") === family);
    for (const host of [...hosts, ...networks.map(([base]) => base)]) {
      const isV6 = host.includes(":");
      assert.equal(set.has(host), hasAll(isV6) || peer.check(host, isV6 ? "ipv6" : "ipv4"), host);
    }
  }));
});

test("a network has its first and last address, and not those beside them", () => {
  const cases: [string, string[], string[]][] = [
    ["10.1.0.0/16", ["10.1.0.0", "10.1.255.255"], ["10.0.255.255", "10.2.0.0"]],
    ["192.0.2.7", ["192.0.2.7"], ["192.0.2.6", "192.0.2.8"]],
    ["192.0.2.128/25", ["192.0.2.128", "192.0.2.255"], ["192.0.2.127"]],
    ["2001:db8::/33", ["2001:db8::", "2001:db8:7fff:ffff::1"], ["2001:db8:8000::", "2001:db7:ffff::1"]],
    ["0.0.0.0/0", ["1.2.3.4"], ["2001:db8::1"]],
    ["::/0", ["2001:db8::1"], ["1.2.3.4"]],
  ];
  for (const [text, inside, outside] of cases) {
    const set = new NetworkSet([text]);
    for (const host of inside) assert.equal(set.has(host), true, `${host} in ${text}`);
    for (const host of outside) assert.equal(set.has(host), false, `${host} in ${text}`);
  }
});

test("IPv4 that is written as IPv6 counts as IPv4, in the set and of the client; brackets and a zone do not matter", () => {
  fc.assert(fc.property(v4, fc.integer({ min: 0, max: 32 }), (host, bits) => {
    assert.equal(new NetworkSet([`${host}/${bits}`]).has(`::ffff:${host}`), true);
    assert.equal(new NetworkSet([`::ffff:${host}`]).has(host), true);
  }));
  assert.equal(new NetworkSet(["10.0.0.0/8"]).has("[::ffff:a00:1]"), true);
  assert.equal(new NetworkSet(["fe80::/10"]).has("fe80::1%eth0"), true);
});

test("what is no address is in no network, and what is no network is refused", () => {
  const all = new NetworkSet(["0.0.0.0/0", "::/0"]);
  for (const host of ["", "localhost", "1.2.3", "/run/x.sock"]) assert.equal(all.has(host), false, host);
  for (const text of ["", "10.0.0.0/33", "::/129", "10.0.0.0/8/8", "relay.example", "10.0.0.0/-1"]) {
    assert.throws(() => new NetworkSet([text]), SyntaxError, text);
  }
});

test("one list is made into a set once", () => {
  const list = ["10.0.0.0/8"];
  assert.equal(networkSet(list), networkSet(list));
  assert.notEqual(networkSet(list), networkSet([...list]));
});
