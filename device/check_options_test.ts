import assert from "node:assert/strict";
import { encodeEnrolment } from "../protocol/enrolment.ts";
import { createIdentity } from "../net/tls/identity.ts";
import { connectDevice } from "./device.ts";
import { enrolmentOptions, joinFromString } from "./join.ts";
import { parseNamedService } from "./v2/named_service.ts";
import type { DeviceOptions } from "./options.ts";
import { tcpRemoteConnect, type TcpRemoteConnectOptions } from "./tcp_remote_connect.ts";
import { test } from "../tests/rig/test.ts";

type Loose = Record<string, unknown>;
type Case = [options: Loose, error: typeof TypeError | typeof RangeError, says: RegExp];

function refuses(call: () => unknown, error: typeof TypeError | typeof RangeError, says: RegExp): void {
  assert.throws(call, (thrown) => {
    assert.ok(thrown instanceof error && says.test(thrown.message), String(thrown));
    return true;
  });
}

const COMMON: Case[] = [
  ...["connectTimeout", "stallTimeout", "linkWriteTimeout", "expiration"].flatMap((name): Case[] => [
    [{ [name]: NaN }, RangeError, new RegExp(`^options\\.${name} is NaN`)],
    [{ [name]: Infinity }, RangeError, new RegExp(`^options\\.${name} is Infinity`)],
    [{ [name]: "1s" }, TypeError, new RegExp(`^options\\.${name} is "1s"`)],
  ]),
  [{ connectTimeout: -1 }, RangeError, /connectTimeout is -1; .* from 1 to/],
  [{ expiration: -1 }, RangeError, /expiration is -1/],
  [{ reconnect: "no" }, TypeError, /^options\.reconnect is "no"; it has to be true or false$/],
  [{ keepAlive: 5 }, TypeError, /^options\.keepAlive is 5; it has to be an object$/],
  [{ random: 4 }, TypeError, /^options\.random is 4/],
  [{ clock: {} }, TypeError, /^options\.clock\.now is undefined/],
  [{ profile: "v3" }, TypeError, /^options\.profile is "v3"; it has to be "v1" or "v2"$/],
  [{ servers: [] }, TypeError, /^options\.servers is no option; there are: connectTimeout/],
  [{ server: "relay.example:7443" }, TypeError, /^options\.server is "relay\.example:7443"; it has to be an object$/],
  [{ server: { host: "relay.example", port: 0 } }, RangeError, /^options\.server\.port is 0; .* from 1 to 65535$/],
  [{ server: { host: "relay example", port: 1 } }, TypeError, /^options\.server\.host is "relay example"/],
];

test(
  "connectDevice refuses what cannot be, at the call, with name and value, on either profile",
  async () => {
    const server = { host: "127.0.0.1", port: 1 };
    const echo = parseNamedService("echo=127.0.0.1:9");
    const v1: Loose = { profile: "v1", server, services: [] };
    const identity = await createIdentity();
    const v2: Loose = { profile: "v2", server, services: [echo], serverKey: identity.publicKey, identity };
    const cases: Case[] = [
      [{ serverKey: "ed25519:x" }, TypeError, /^options\.serverKey is "ed25519:x"; .* Uint8Array of 32 bytes$/],
      [{ serverKey: new Uint8Array(31) }, TypeError, /^options\.serverKey is 31 bytes/],
      [{ serverKey: new Uint8Array(32) }, RangeError, /^options\.serverKey: .*low order/],
      [{ server: [] }, RangeError, /no server is given/],
      [{ server: [server, { ...server, port: -1 }] }, RangeError, /^options\.server\[1\]\.port is -1/],
      [{ identity: undefined }, TypeError, /^options\.identity is undefined/],
      [{ services: ["echo=127.0.0.1:9"] }, TypeError, /^options\.services\[0\] is "echo=/],
      [{ services: [echo, echo] }, RangeError, /Cannot offer the service echo twice/],
      [{ services: [{ ...echo, name: "a b!" }] }, TypeError, /services\[0\]\.name: "a b!" is not a name/],
      [{ services: [{ ...echo, proxy: 3 }] }, TypeError, /services\[0\]\.proxy is 3; it has to be 1 or 2$/],
      [{ services: [{ ...echo, idleTimeout: NaN }] }, RangeError, /services\[0\]\.idleTimeout is NaN/],
      [{ security: "tls" }, TypeError, /^options\.security is "tls"; .* "pinned" or "pki" or "plain"$/],
      [
        { enrolment: { id: new Uint8Array(8), key: "secret" } },
        TypeError,
        /^options\.enrolment\.key is not a Uint8Array of 32 bytes$/,
      ],
      [{ caCerts: "x" }, TypeError, /^options\.caCerts is "x"; it has to be a list$/],
      [{ mode: "init" }, TypeError, /^options\.mode is "init"/],
    ];
    for (const base of [v1, v2]) {
      for (const [change, error, says] of base === v1 ? COMMON : [...COMMON, ...cases]) {
        refuses(() => connectDevice({ ...base, ...change } as unknown as DeviceOptions), error, says);
      }
    }
    refuses(() => connectDevice({ ...v1, services: ["a:1"] } as unknown as DeviceOptions), TypeError, /services\[0\]/);
    const device = connectDevice({ ...v2, linkWriteTimeout: -1, expiration: 0 } as unknown as DeviceOptions);
    assert.throws(() => device.setMode("init" as "run"), /mode is "init"/);
    const settings = { idleTimeout: 1, probeInterval: NaN, probeCount: 1 };
    assert.throws(() => device.setKeepAliveSettings(settings, "both"), /settings\.probeInterval is NaN/);
    device.close();
    await device.closed;
  },
);

test("tcpRemoteConnect refuses what cannot be, with name and value", () => {
  const options = { serverAddress: "a", serverPort: 1, localAddress: "b", localPort: 2 };
  const cases: Case[] = [
    [{ serverAddress: "a:1" }, TypeError, /^options\.serverAddress is "a:1"; it has to be a host name/],
    [{ serverPort: NaN }, RangeError, /^options\.serverPort is NaN; .* from 1 to 65535$/],
    [{ serverPort: "2065" }, TypeError, /^options\.serverPort is "2065"/],
    [{ localPort: 0 }, RangeError, /^options\.localPort is 0/],
    [{ localAddress: 7 }, TypeError, /^options\.localAddress is 7/],
    [{ port: 1 }, TypeError, /^options\.port is no option; there are: serverAddress/],
  ];
  for (const [change, error, says] of cases) {
    refuses(() => tcpRemoteConnect({ ...options, ...change } as unknown as TcpRemoteConnectOptions), error, says);
  }
});

test(
  "an enrolment string is read into options; one that is none is refused without being shown",
  async () => {
    const { publicKey } = await createIdentity();
    const address = { host: "127.0.0.1", port: 1 };
    const tokenSecret = new Uint8Array(16).fill(7);
    const text = encodeEnrolment({
      ...{ serverKey: publicKey, tokenId: new Uint8Array(8).fill(3), tokenSecret },
      ...{ security: "plain", addresses: [address] },
    });
    assert.deepEqual(await enrolmentOptions(text), {
      ...{ profile: "v2", server: [address], serverKey: publicKey, security: "plain" },
      enrolment: {
        id: new Uint8Array(8).fill(3),
        key: new Uint8Array(await crypto.subtle.digest("SHA-256", tokenSecret)),
      },
    });
    const services = [parseNamedService("echo=127.0.0.1:9")];
    const identity = await createIdentity();
    await assert.rejects(joinFromString("sp2_secret", { identity, services }), (error) => {
      return error instanceof SyntaxError && !error.message.includes("secret");
    });
    await assert.rejects(joinFromString(text, { identity, services, expiration: NaN }), RangeError);
    const device = await joinFromString(text, { identity, services });
    device.close();
    await device.closed;
  },
);
