import assert from "node:assert/strict";
import { parseUplink, uplinkAddress } from "./uplink.ts";
import { test } from "../tests/rig/test.ts";

test("an uplink is an address or the name of an interface", () => {
  for (const text of ["192.0.2.7", "2001:db8::1", "fe80::1%eth0", "wwan0", "eth0.100", "br-lan", "abcdefghijklmno"]) {
    assert.equal(parseUplink(text), text);
  }
  assert.deepEqual(uplinkAddress("192.0.2.7"), Uint8Array.of(192, 0, 2, 7));
  assert.equal(uplinkAddress("fe80::1%eth0")?.length, 16);
  assert.equal(uplinkAddress("wwan0"), undefined);
});

test("what can be neither is refused with what would do", () => {
  for (
    const text of ["", ".", "..", "a b", "a/b", "eth0:1", "abcdefghijklmnop", "192.0.2", "192.0.2.7:80", "1.2.3.4.5"]
  ) {
    assert.throws(() => parseUplink(text), /is neither an IP address nor an interface; write one as in/, text);
  }
});
