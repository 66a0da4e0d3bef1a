import assert from "node:assert/strict";
import fc from "fast-check";
import { addressGroup, networksAround } from "./address_group.ts";

Deno.test("an IPv4 address is one, however it is written", () => {
  const group = { net: "192.0.2.7", site: "192.0.2.7" };
  for (const host of ["192.0.2.7", "::ffff:192.0.2.7", "[::ffff:192.0.2.7]", "::ffff:c000:207"]) {
    assert.deepEqual(addressGroup(host), group);
  }
  assert.notEqual(addressGroup("192.0.2.8").net, group.net);
});

Deno.test("an IPv4 address behind a translator is one, and not all of them together", () => {
  for (const prefix of ["64:ff9b::", "64:ff9b:1::", "64:ff9b:1:fffe::", "::ffff:0:"]) {
    const group = { net: "192.0.2.7", site: "192.0.2.7" };
    assert.deepEqual(addressGroup(`${prefix}192.0.2.7`), group, prefix);
    assert.deepEqual(addressGroup(`[${prefix}c000:207%eth0]`), group, prefix);
    assert.deepEqual(addressGroup(`${prefix}192.0.2.0`).site, "192.0.2.0", prefix);
  }
  assert.deepEqual(addressGroup("64:ff9b:1:c000:2:700::").site, "64:ff9b:1:c000::/56", "a local prefix of 48 bits");
  for (const other of ["64:ff9b:2::192.0.2.7", "64:ff9b:0:0:1::192.0.2.7", "::192.0.2.7", "::fffe:0:192.0.2.7"]) {
    assert.match(addressGroup(other).site, /\/56$/, other);
  }
});

Deno.test("a /64 of IPv6 is one, and so is the /56 around it", () => {
  assert.deepEqual(addressGroup("fd77::1:2:3"), { net: "fd77::/64", site: "fd77::/56" });
  assert.deepEqual(addressGroup("[2001:db8:1:2fe:5::1%eth0]"), {
    net: "2001:db8:1:2fe::/64",
    site: "2001:db8:1:200::/56",
  });
  assert.deepEqual(addressGroup("::1"), { net: "::/64", site: "::/56" });
  assert.notEqual(addressGroup("2001:db8:1:2ff::1").net, addressGroup("2001:db8:1:2fe::1").net);
  assert.equal(addressGroup("2001:db8:1:2ff::1").site, addressGroup("2001:db8:1:2fe::1").site);
  assert.notEqual(addressGroup("2001:db8:1:300::1").site, addressGroup("2001:db8:1:2fe::1").site);
});

Deno.test("a site is within networks, and what is no address within itself", () => {
  assert.deepEqual(networksAround(addressGroup("2001:db8:1:2fe::1").site), ["2001:db8::/32", "2001:db8:1::/48"]);
  assert.deepEqual(networksAround(addressGroup("192.0.2.7").site), ["192.0/16", "192.0.2/24"]);
  assert.deepEqual(networksAround("unix:root"), ["unix:root", "unix:root"]);
});

Deno.test("what is no address is a group of its own", () => {
  assert.deepEqual(addressGroup("relay.example"), { net: "relay.example", site: "relay.example" });
  assert.deepEqual(addressGroup(""), { net: "", site: "" });
});

Deno.test("two addresses are of one net exactly if their first 64 bits are the same, of one site if 56 are", () => {
  const bytes = fc.array(fc.integer({ min: 1, max: 255 }), { minLength: 16, maxLength: 16 });
  const text = (all: number[]) =>
    Array.from({ length: 8 }, (_, n) => (all[2 * n]! * 256 + all[2 * n + 1]!).toString(16)).join(":");
  fc.assert(
    fc.property(bytes, fc.nat(15), (all, at) => {
      const other = all.with(at, all[at]! ^ 0xff);
      const [a, b] = [addressGroup(text(all)), addressGroup(text(other))];
      assert.equal(a.net === b.net, at >= 8);
      assert.equal(a.site === b.site, at >= 7);
    }),
  );
});
