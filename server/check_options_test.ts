import assert from "node:assert/strict";
import { createIdentity } from "../net/tls/identity.ts";
import type { AuthorizedDevice } from "./devices/authorized_devices.ts";
import { DeviceList } from "./devices/list.ts";
import type { ServeOptions } from "./options.ts";
import { serve } from "./server.ts";
import { parseGrant } from "./devices/service_grant.ts";
import { key } from "./devices/_state_fixture_test.ts";
import { test } from "../tests/rig/test.ts";

/** As a program without types has it. */
type Loose = Record<string, unknown>;

const LISTEN = { profile: "v1", address: { host: "127.0.0.1", port: 0 }, forwards: [] };
const OPTIONS: Loose = { listen: [LISTEN] };

function refuses(options: Loose, error: typeof TypeError | typeof RangeError, says: RegExp): void {
  assert.throws(() => serve({ ...OPTIONS, ...options } as unknown as ServeOptions), (thrown) => {
    assert.ok(thrown instanceof error && says.test(thrown.message), String(thrown));
    return true;
  });
}

test("serve refuses times that are none, at the call, with name and value", () => {
  for (const name of ["expiration", "stallTimeout", "halfCloseTimeout", "linkWriteTimeout"]) {
    for (const value of [NaN, Infinity, -Infinity, 1e12]) {
      refuses(
        { [name]: value },
        RangeError,
        new RegExp(`^options\\.${name} is ${`${value}`.replace("+", ".")}; .* number`),
      );
    }
    for (const value of ["15s", null, {}, 15n, true]) {
      refuses(
        { [name]: value },
        TypeError,
        new RegExp(`^options\\.${name} is .*; it has to be a number of milliseconds`),
      );
    }
    if (name !== "linkWriteTimeout") {
      refuses({ [name]: -1 }, RangeError, /is -1; it has to be .* from [01] to 604800000$/);
    }
  }
  for (const name of ["idleTimeout", "probeInterval", "probeCount"]) {
    const keepAlive = { idleTimeout: 1, probeInterval: 1, probeCount: 1 };
    refuses(
      { keepAlive: { ...keepAlive, [name]: NaN } },
      RangeError,
      new RegExp(`options\\.keepAlive\\.${name} is NaN`),
    );
    refuses({ keepAlive: { ...keepAlive, [name]: "1s" } }, TypeError, new RegExp(`keepAlive\\.${name} is "1s"`));
    refuses({ keepAlive: { ...keepAlive, [name]: undefined } }, TypeError, new RegExp(`${name} is undefined`));
  }
});

test("serve refuses addresses, listeners and words that it does not know", async () => {
  const identity = await createIdentity();
  const v2 = { profile: "v2", address: LISTEN.address, security: { kind: "plain" } };
  refuses({ listen: [v2] }, TypeError, /^options\.v2 is undefined; a listener for v2 devices needs it/);
  refuses({ listen: [] }, RangeError, /^options\.listen is empty; name a listener at least$/);
  const forward = { hostAddress: LISTEN.address, localAddress: { host: "127.0.0.1", port: 0 } };
  const cases: [Loose, typeof TypeError | typeof RangeError, RegExp][] = [
    [{ listen: LISTEN }, TypeError, /^options\.listen is a value of type object; it has to be a list$/],
    [
      { listen: [{ ...LISTEN, address: "127.0.0.1:1" }] },
      TypeError,
      /listen\[0\]\.address is "127\.0\.0\.1:1"; .* object/,
    ],
    [{ listen: [{ ...LISTEN, address: { host: "[::1]", port: 1 } }] }, TypeError, /address\.host is "\[::1\]"/],
    [{ listen: [{ ...LISTEN, address: { host: "::1", port: 65_536 } }] }, RangeError, /address\.port is 65536/],
    [{ listen: [{ ...LISTEN, address: { host: "::1", port: NaN } }] }, RangeError, /address\.port is NaN/],
    [{ listen: [{ ...LISTEN, address: { host: "::1", port: "22" } }] }, TypeError, /address\.port is "22"/],
    [{ listen: [{ ...LISTEN, profile: "v3" }] }, TypeError, /profile is "v3"; it has to be "v1" or "v2"/],
    [{ listen: [{ ...LISTEN, forwards: [forward] }] }, RangeError, /forwards\[0\]\.localAddress\.port is 0/],
    [{ listen: [{ ...LISTEN, proxyFrom: ["10.0.0.0/99"] }] }, TypeError, /listen\[0\]\.proxyFrom\[0\]/],
    [{ listen: [{ ...v2, proxyFrom: "10.0.0.0/8" }] }, TypeError, /listen\[0\]\.proxyFrom is "10.0.0.0\/8"; .* list/],
    [{ listen: [{ ...v2, security: "pinned" }] }, TypeError, /security\.kind is undefined; .* "pinned" or "files"/],
    [
      { listen: [{ ...v2, security: { kind: "pinned" } }] },
      TypeError,
      /security\.keyPair is undefined; .* CryptoKeyPair/,
    ],
    [{ expirations: 1 }, TypeError, /^options\.expirations is no option; there are: listen, v2, keepAlive/],
    [{ logger: () => {} }, TypeError, /options\.logger\.debug is undefined; it has to be a function/],
    [{ v2: { identity, devices: [] } }, TypeError, /options\.v2\.devices\.byKey is undefined/],
    [
      { v2: { identity: { ...identity, publicKey: "x" }, devices: new DeviceList() } },
      TypeError,
      /identity\.publicKey is "x"/,
    ],
  ];
  for (const [options, error, says] of cases) refuses(options, error, says);
});

test("a running server refuses keep-alive settings and modes that are none", async () => {
  await using server = serve(
    { ...OPTIONS, expiration: 0, linkWriteTimeout: -1, halfCloseTimeout: 0 } as unknown as ServeOptions,
  );
  const settings = { idleTimeout: NaN, probeInterval: 1, probeCount: 1 };
  assert.throws(() => server.setKeepAliveSettings("gw1", settings, "both"), /settings\.idleTimeout is NaN/);
  assert.throws(() => server.setKeepAliveSettings("gw1", { ...settings, idleTimeout: -1 }, "all" as "both"), TypeError);
  assert.throws(() => server.setMode("gw1", "stop" as "run"), /mode is "stop"; it has to be "config" or "run"/);
});

const DEVICE: AuthorizedDevice = { name: "gw1", key: key(1), services: [parseGrant("a=0.0.0.0:0")], disabled: false };

test("a list refuses a device that could never link up as it is meant, and stays as it was", () => {
  const service = DEVICE.services[0]!;
  const cases: [Loose, typeof TypeError | typeof RangeError, RegExp][] = [
    [{ key: "ed25519:…" }, TypeError, /^device\.key: "ed25519:…" is not a public key: it has 1 characters after/],
    [{ key: new Uint8Array(32) }, TypeError, /^device\.key is 32 bytes; it has to be a text$/],
    [{ name: "a b!" }, TypeError, /^device\.name: "a b!" is not a name; write 1 to 63/],
    [{ name: "gw2" }, TypeError, /^device\.name is "gw2", and another device has that name/],
    [{ name: undefined }, TypeError, /^device\.name is undefined/],
    [{ expires: NaN }, RangeError, /^device\.expires is NaN; .* since 1970/],
    [{ expires: new Date() }, TypeError, /^device\.expires is a value of type object/],
    [{ expiration: -1 }, RangeError, /^device\.expiration is -1/],
    [{ disabled: "no" }, TypeError, /^device\.disabled is "no"/],
    [{ services: ["ssh=0.0.0.0:1"] }, TypeError, /^device\.services\[0\] is "ssh=0\.0\.0\.0:1"; .* an object/],
    [{ services: [service, service] }, TypeError, /^device\.services has "a" twice/],
    [{ services: [{ ...service, listen: { host: "a", from: 9, to: 8 } }] }, TypeError, /listen: "9-8" in "a:9-8"/],
    [{ services: [{ ...service, maxClients: 0.5 }] }, RangeError, /services\[0\]\.maxClients is 0\.5/],
    [{ services: [{ ...service, proxyFrom: ["10.0.0.0/99"] }] }, TypeError, /proxyFrom\[0\]: "10\.0\.0\.0\/99"/],
    [{ enabled: true }, TypeError, /^device\.enabled is no option; there are: name, key/],
  ];
  const list = new DeviceList([DEVICE, { ...DEVICE, name: "gw2", key: key(2) }]);
  const told: unknown[] = [];
  list.subscribe((change) => told.push(change));
  for (const [change, error, says] of cases) {
    assert.throws(() => list.put({ ...DEVICE, ...change } as AuthorizedDevice), (thrown) => {
      assert.ok(thrown instanceof error && says.test(thrown.message), String(thrown));
      return true;
    });
  }
  assert.throws(() => list.put(undefined as unknown as AuthorizedDevice), /^TypeError: device is undefined/);
  assert.throws(() => new DeviceList([DEVICE, DEVICE]), /stands twice/);
  assert.throws(() => new DeviceList([DEVICE, { ...DEVICE, key: key(3) }]), /another device has that name/);
  assert.deepEqual(told, []);
});

test("a name is free again when its device has another one, or is gone", () => {
  const list = new DeviceList([DEVICE]);
  list.put({ ...DEVICE, name: "roof" });
  list.put({ ...DEVICE, key: key(2) });
  list.remove(key(1));
  list.put({ ...DEVICE, name: "roof", key: key(3) });
});
