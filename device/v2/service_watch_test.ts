import assert from "node:assert/strict";
import { WATCH_INTERVAL_MS } from "../limits.ts";
import { MAX_SHARED_DIALS } from "../../net/limits.ts";
import { portableEngine } from "../../net/portable/engine.ts";
import type { Engine, Socket } from "../../net/socket.ts";
import { FakeSocket } from "../../relay/_fakes_test.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { test } from "../../tests/rig/test.ts";
import { isShortage, reachReason, reachService } from "../endpoints/service_reach.ts";
import { tcpEndpoint } from "../endpoints/tcp.ts";
import type { Reach } from "../endpoints/endpoint.ts";
import { silentLogger } from "../../base/logger.ts";
import type { Clock } from "../../base/clock.ts";
import { ServiceWatch } from "./service_watch.ts";

function webBy(engine: Engine, clock: Clock): Reach {
  const web = tcpEndpoint({ host: "127.0.0.1", port: 1 });
  return reachService(web, {}, { engine, clock, logger: silentLogger, service: "web", maxClients: undefined });
}

/** An engine whose connections are what `connect` makes of them. */
function dialling(connect: () => Promise<Socket>): Engine {
  return { ...portableEngine, connect };
}

/** A connection that nothing is done with but to close it. */
function open(): Promise<Socket> {
  return Promise.resolve(new FakeSocket());
}

function outOfFiles(): Promise<never> {
  return Promise.reject(Object.assign(new Error("Too many open files (os error 24)"), { code: "EMFILE" }));
}

test("a service stays as it was while this device is out of descriptors, and is looked at again", async () => {
  const clock = new FakeClock();
  const told: boolean[] = [];
  let next: () => Promise<Socket> = outOfFiles;
  const watch = new ServiceWatch(webBy(dialling(() => next()), clock), clock, (up) => told.push(up));
  await clock.armed(WATCH_INTERVAL_MS);
  assert.deepEqual([watch.up, told], [undefined, []], "nothing is known of it yet");
  for (const [connect, up] of [[open, true], [outOfFiles, true], [refused, false], [outOfFiles, false]] as const) {
    next = connect;
    clock.tick(WATCH_INTERVAL_MS);
    await clock.armed(WATCH_INTERVAL_MS);
    assert.equal(watch.up, up);
  }
  watch.close();
  assert.deepEqual(told, [true, false]);
});

test("a look that gets no turn among this device's dials says nothing about the service", async () => {
  const clock = new FakeClock();
  const told: boolean[] = [];
  const hanging: (() => void)[] = [];
  const engine = dialling(() => new Promise((_, reject) => hanging.push(() => reject(new Error("gone")))));
  // Others to what does not answer take every turn that it has.
  const others = Array.from({ length: MAX_SHARED_DIALS }, () => {
    const own = new FakeClock();
    return new ServiceWatch(webBy(engine, own), own, () => {});
  });
  assert.ok(hanging.length < MAX_SHARED_DIALS);
  const watch = new ServiceWatch(webBy(engine, clock), clock, (up) => told.push(up));
  watch.hint(true);
  clock.tick(WATCH_INTERVAL_MS + 1);
  await clock.armed(WATCH_INTERVAL_MS);
  assert.deepEqual([watch.up, told], [true, [true]]);
  for (const each of [watch, ...others]) each.close();
  for (const letGo of hanging) letGo();
  await Promise.resolve();
});

test("a client hears of a shortage of the device as too many channels, and of all else as before", async () => {
  const shortage = await outOfFiles().catch((error: unknown) => error);
  assert.deepEqual([isShortage(shortage), reachReason(shortage)], [true, "too-many-channels"]);
  const no = await refused().catch((error: unknown) => error);
  assert.deepEqual([isShortage(no), reachReason(no)], [false, "service-refused"]);
});

function refused(): Promise<never> {
  return Promise.reject(new Deno.errors.ConnectionRefused("no"));
}
