import assert from "node:assert/strict";
import type { Registry } from "../../app/metrics/registry.ts";
import { type Clock, systemClock } from "../../base/clock.ts";
import { SLICE_MS } from "../../base/limits.ts";
import { Emitter } from "../../base/emitter.ts";
import { noDatagrams } from "../../net/udp/counts.ts";
import { silentLogger } from "../../base/logger.ts";
import { test } from "../../tests/rig/test.ts";
import type { ServerEvent } from "../events.ts";
import { MAX_METRICS_DEVICES } from "../limits.ts";
import { serverSettings } from "../options.ts";
import type { ServerHandle } from "../server.ts";
import type { DeviceRegistry } from "../v2/device_registry.ts";
import { serverMetrics } from "./server_metrics.ts";

/** A server of which nothing is there but what its metrics look at. */
function fleet(count: number, clock?: WorkClock) {
  const emitter = new Emitter<ServerEvent>(silentLogger);
  const sessions = Array.from({ length: count }, (_, at) => ({
    get deviceName() {
      clock?.work();
      return `gw${at}`;
    },
    services: [{ open: true }],
    link: at % 10 === 0 ? undefined : {
      links: { interruptedAt: at % 10 === 1 ? 1 : undefined, pending: 10 },
      state: { roundTrip: at, channelCount: 2 },
    },
  }));
  const registry = { sessions, count, memory: { kept: 7, granted: 9 } } as unknown as DeviceRegistry;
  const settings = serverSettings({ listen: [], ...(clock && { clock }) });
  const server = { subscribe: (fn: (event: ServerEvent) => void) => emitter.subscribe(fn) } as ServerHandle;
  const metrics = serverMetrics({ server, core: { settings, registry, listeners: [] }, state: undefined, since: 1 });
  return { metrics, settings, emit: (event: ServerEvent) => emitter.emit(event) };
}

async function valuesOf(metrics: Registry): Promise<Map<string, number>> {
  let text = "";
  for await (const piece of metrics.text("prometheus", systemClock)) text += piece;
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ")))]),
  );
}

test("links, what waits on them and their round trips are those of all devices", async () => {
  const { metrics } = fleet(100);
  const values = await valuesOf(metrics);
  assert.equal(values.get('sallyport_links{state="online"}'), 80);
  assert.equal(values.get('sallyport_links{state="interrupted"}'), 10);
  assert.equal(values.get("sallyport_link_pending_bytes"), 900);
  assert.equal(values.get('sallyport_round_trip_seconds{part="1"}'), 0.099);
  assert.equal(values.get("sallyport_replay_retained_bytes"), 7);
  assert.equal(values.get('sallyport_device_online{device="gw0"}'), 0);
  assert.equal(values.get('sallyport_device_channels{device="gw5"}'), 2);
});

test("datagrams are those of all host ports, also of such as are closed", async () => {
  const { metrics, settings } = fleet(1);
  const leave = settings.datagrams.enter(() => ({ ...noDatagrams(), received: 5, aged: 2 }));
  leave();
  settings.datagrams.enter(() => ({ ...noDatagrams(), received: 1 }));
  const values = await valuesOf(metrics);
  const of = (fate: string) => values.get(`sallyport_datagrams_total{fate="${fate}"}`);
  assert.deepEqual([of("received"), of("aged"), of("sent")], [6, 2, 0]);
});

test("every event is counted once, under its reason", async () => {
  const { metrics, emit } = fleet(1);
  const at = { listen: "l", device: "gw0", remote: "r", detail: undefined };
  emit({ type: "refused", listen: "l", remote: "r", reason: "unknown-device", why: "x" });
  emit({ type: "refused", listen: "l", remote: "r", reason: "tls-failed", why: "x" });
  emit({ type: "link-interrupted", ...at, reason: "connection-lost", expiration: 1, clients: 0 });
  emit({ type: "link-resumed", ...at, interrupted: 1_500, replayed: 20 });
  emit({ type: "link-resumed", ...at, interrupted: 0, replayed: 5, moved: true });
  emit({ type: "link-down", ...at, reason: "expired", duration: 9 });
  const values = await valuesOf(metrics);
  const expected: Record<string, number> = {
    'sallyport_refusals_total{reason="unknown-device"}': 1,
    'sallyport_handshake_failures_total{reason="tls-failed"}': 1,
    'sallyport_handshake_failures_total{reason="mute"}': 0,
    'sallyport_interruptions_total{reason="connection-lost"}': 1,
    'sallyport_resumes_total{kind="resumed"}': 1,
    'sallyport_resumes_total{kind="moved"}': 1,
    sallyport_replayed_bytes_total: 25,
    'sallyport_interruption_seconds_bucket{le="1"}': 0,
    'sallyport_interruption_seconds_bucket{le="2"}': 1,
    sallyport_interruption_seconds_count: 1,
    'sallyport_link_ends_total{reason="expired"}': 1,
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(values.get(name), value, name);
});

test("bytes are those of clients that are there and that were, and never become fewer", async () => {
  const { metrics, settings, emit } = fleet(2);
  const place = () => ({ device: "gw1", service: "ssh", hostAddress: "h" });
  const entry = settings.clients.add("1.2.3.4:5", place, () => {});
  Object.assign(entry, { pump: { channel: { open: true, payloadSent: 30, payloadReceived: 4 } } });
  const read = async () => {
    const values = await valuesOf(metrics);
    return ["sallyport_carried_bytes_total", "sallyport_device_carried_bytes_total"].map((name) =>
      values.get(name.includes("device") ? `${name}{device="gw1",direction="up"}` : `${name}{direction="up"}`)
    );
  };
  assert.deepEqual(await read(), [30, 30]);
  settings.clients.delete(entry);
  assert.deepEqual(await read(), [30, 30], "its end has not been told yet");
  const end = { client: "c", hostAddress: "h", localAddress: "ssh", device: "gw1", error: undefined, duration: 1 };
  emit({ type: "client-end", ...end, reason: "client-closed", bytesUp: 31, bytesDown: 4 });
  assert.deepEqual(await read(), [31, 31]);
});

test("beyond the most devices that have series of their own, none has", async () => {
  const { metrics } = fleet(MAX_METRICS_DEVICES + 1);
  const values = await valuesOf(metrics);
  assert.equal(values.get("sallyport_device_series"), 0);
  assert.equal([...values.keys()].filter((name) => name.includes("device=")).length, 0);
});

test("2,000 devices are told in slices: all who read at once have no more of a turn than one", async () => {
  // Each look at a device, and each of these lines, takes a twentieth of a millisecond of this clock, and nothing else does.
  const clock = new WorkClock(0.05);
  const { metrics } = fleet(2_000, clock);
  metrics.sampled("gauge", { name: "work", help: "Work.", labels: { device: "open" } }, function* () {
    for (let n = 0; n < 10_000; n++) {
      clock.work();
      yield [[`gw${n}`], n];
    }
  });
  for (const readers of [1, 4]) {
    clock.longest = 0;
    await Promise.all(Array.from({ length: readers }, async () => {
      let pieces = 0;
      for await (const _ of metrics.text("prometheus", clock)) pieces++;
      assert.ok(pieces > 5, `${pieces} pieces`);
    }));
    assert.ok(clock.turns > 50, `${clock.turns} turns`);
    assert.ok(clock.longest <= 4 * SLICE_MS, `${readers} readers: a turn of ${clock.longest} ms`);
  }
});

/** A clock on which work takes time, and that knows how much was done in one turn. */
class WorkClock implements Clock {
  turns = 0;
  longest = 0;
  #now = 1_000;
  #since = 1_000; // of this turn of the event loop
  #next: (() => void) | undefined;
  readonly #soon: (() => void)[] = [];

  constructor(readonly cost: number) {}

  work(): void {
    this.#now += this.cost;
    this.longest = Math.max(this.longest, this.#now - this.#since);
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#now;
  }

  after(): () => void {
    return () => {};
  }

  /** All that is for the next turn runs in one. */
  soon(fn: () => void): () => void {
    this.#next ??= systemClock.soon(() => {
      const fns = this.#soon.splice(0);
      this.#next = undefined;
      this.turns++;
      this.#since = this.#now;
      for (const each of fns) each();
    });
    this.#soon.push(fn);
    return () => void this.#soon.splice(this.#soon.indexOf(fn), 1);
  }
}
