import assert from "node:assert/strict";
import { EngineError } from "../../net/engines.ts";
import { nativeEngine } from "../../net/native/engine.ts";
import { portableEngine } from "../../net/portable/engine.ts";
import { createIdentity } from "../../net/tls/identity.ts";
import { RecordingLogger } from "../../tests/rig/logger.ts";
import { test } from "../../tests/rig/test.ts";
import { connectDevice, startDevice } from "../device.ts";
import { lackIn } from "../not_open.ts";
import { lackOf } from "./registry.ts";
import { parseService } from "../services.ts";
import { parseNamedService } from "../v2/named_service.ts";

const TERMINAL = 'term=exec:["/bin/cat"],pty';
const ABSTRACT = "bus=unix:@no-such-bus";
const OTHERS = [
  'cat=exec:["/bin/cat"]',
  "docker=unix:/run/docker.sock",
  "lab=can:virtual:lab",
  "dns=udp:127.0.0.1:53",
  "ssh=127.0.0.1:22",
];

const why = nativeEngine() ? "another one was asked for" : "it cannot be had: ";

test("a terminal and an abstract socket take the native engine, and nothing else does", () => {
  const lacks = (text: string, engine = portableEngine) => lackOf(parseNamedService(text), engine);
  assert.ok(lacks(TERMINAL)!.startsWith(`a terminal (pty) takes the native engine, and ${why}`));
  assert.ok(lacks(ABSTRACT)!.startsWith(`the abstract socket @no-such-bus takes the native engine, and ${why}`));
  for (const text of OTHERS) assert.equal(lacks(text), undefined, text);
  const native = nativeEngine();
  if (!native) return;
  const kernels = ["line=serial:/dev/ttyUSB0", "can=can:can0", "stick=can:slcan:/dev/ttyACM0"]; // both engines have its calls
  for (const text of kernels) assert.equal(lacks(text), undefined, text);
  for (const text of [TERMINAL, ABSTRACT, ...OTHERS, ...kernels]) {
    assert.equal(lackOf(parseNamedService(text), native), undefined, text);
  }
});

test("a library's device takes no service that its engine can never serve, at the start and later", async () => {
  const says = (error: unknown) =>
    error instanceof EngineError && /^the service \S+: .* takes the native/.test(error.message);
  const server = { host: "127.0.0.1", port: 1 };
  const services = [parseService('127.0.0.1:23=exec:["/bin/cat"],pty')];
  assert.throws(() => connectDevice({ profile: "v1", server, services, engine: "portable" }), says);
  const { publicKey: serverKey } = await createIdentity();
  const v2 = { profile: "v2", server, serverKey, identity: await createIdentity(), engine: "portable" } as const;
  assert.throws(() => connectDevice({ ...v2, services: [parseNamedService(ABSTRACT)] }), says);
  const device = connectDevice({ ...v2, services: [parseNamedService("ssh=127.0.0.1:22")] });
  assert.throws(() => device.putService(parseNamedService(TERMINAL)), says);
  assert.equal(device.status.services.length, 1);
  device.close();
  await device.closed;
});

test("one that is kept all the same is not offered, is not looked at, and says why", async () => {
  const { publicKey: serverKey } = await createIdentity();
  const logger = new RecordingLogger();
  const services = [parseNamedService(`${ABSTRACT},down=refuse`), parseNamedService("ssh=127.0.0.1:22")];
  const server = { host: "127.0.0.1", port: 1 };
  const given = { profile: "v2", server, serverKey, identity: await createIdentity(), services, logger } as const;
  const { handle, ways } = startDevice({ ...given, engine: "portable" }, true);
  const mode = new Promise<void>((resolve) => handle.subscribe(({ type }) => type === "mode" && resolve()));
  await mode; // there is nothing that it has to wait for
  ways.keepService(parseNamedService(TERMINAL));
  const seen = handle.status.services.map(({ name, offered, up, error = "" }) => [name, offered, up, lackIn(error)]);
  const lacks = (text: string) => lackOf(parseNamedService(text), portableEngine);
  assert.deepEqual(seen, [
    ["bus", false, undefined, lacks(ABSTRACT)],
    ["ssh", true, undefined, undefined],
    ["term", false, undefined, lacks(TERMINAL)],
  ]);
  const warned = logger.matching(/^warn: service \S+ is not offered: /);
  assert.equal(warned.length, 2, warned.join("\n"));
  handle.close();
  await handle.closed;
});
