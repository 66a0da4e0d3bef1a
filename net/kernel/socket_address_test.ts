import assert from "node:assert/strict";
import { AddressRoom, kernelAddress } from "./socket_address.ts";
import { nativeEngine } from "../native/engine.ts";
import { test } from "../../tests/rig/test.ts";

const isThere = nativeEngine() !== undefined;

/** The address that the kernel would be given, and what is read from the same bytes. */
function thereAndBack(host: string, port: number) {
  const room = new AddressRoom().reset();
  room.bytes.set(kernelAddress({ host, port }).bytes);
  return room.read();
}

test("addresses go to the kernel and come back", () => {
  for (const host of ["127.0.0.1", "::1", "fe80::1", "2001:db8::7", "::ffff:192.0.2.1"]) {
    assert.deepEqual(thereAndBack(host, 7443), { host, port: 7443 });
  }
});

test("the zone of an address is an interface by its number or its name", () => {
  assert.deepEqual(thereAndBack("fe80::1%1", 80), { host: "fe80::1%1", port: 80 });
  assert.deepEqual(thereAndBack("fe80::1%lo", 80), { host: "fe80::1%1", port: 80 });
  assert.throws(() => kernelAddress({ host: "fe80::1%nowhere", port: 80 }), { code: "ENODEV" });
}, { ignore: !isThere });

test("a name is no address", () => {
  assert.throws(() => kernelAddress({ host: "localhost", port: 80 }), /localhost is no IP address/);
});
