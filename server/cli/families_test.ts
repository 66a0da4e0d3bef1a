import assert from "node:assert/strict";
import { parseAddress } from "../../protocol/address.ts";
import { test } from "../../tests/rig/test.ts";
import { familiesFinding } from "./families.ts";

test("a server is reached by the families that it listens by, and at loopback by nobody else", () => {
  const of = (...addresses: string[]) => {
    const { level, text } = familiesFinding(addresses.map((address) => parseAddress(address)));
    assert.equal(level, "ok", "it may be meant");
    return text;
  };
  assert.equal(of("[::]:1"), "devices reach it by IPv4 and by IPv6");
  assert.equal(of("0.0.0.0:1", "[2001:db8::1]:1"), "devices reach it by IPv4 and by IPv6");
  assert.match(of("0.0.0.0:1"), /^devices reach it by IPv4 alone; --listen \[::\]:PORT .* takes IPv4, too$/);
  assert.match(of("192.0.2.7:1", "[::1]:1"), /^devices reach it by IPv4 alone/, "loopback is no way to it");
  assert.match(of("[2001:db8::1]:1", "127.0.0.1:1"), /^devices reach it by IPv6 alone; --listen 0\.0\.0\.0:PORT/);
  const mute = (hosts: string) => `nobody but this machine reaches it, as it listens at ${hosts} alone: `;
  assert.ok(of("127.0.0.1:1", "127.0.0.1:2").startsWith(mute("127.0.0.1")));
  assert.ok(of("127.0.0.9:1", "[::1]:1", "localhost:2").startsWith(mute("127.0.0.9 and ::1 and localhost")));
});
