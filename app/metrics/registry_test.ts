import assert from "node:assert/strict";
import fc from "fast-check";
import { FakeClock } from "../../tests/rig/clock.ts";
import { test } from "../../tests/rig/test.ts";
import { METRICS_CHUNK } from "../limits.ts";
import { Registry } from "./registry.ts";
import { formatFor, type MetricsFormat } from "./text.ts";

async function textOf(registry: Registry, format: MetricsFormat = "prometheus"): Promise<string> {
  let text = "";
  for await (const piece of registry.text(format, new FakeClock())) text += piece;
  return text;
}

test("a counter has every series of its label from the start, and what is unknown is counted as other", async () => {
  const registry = new Registry();
  const counter = registry.counter({ name: "ends_total", help: "Ends.", labels: { reason: ["a", "b"] } });
  counter.add(1, "b");
  for (const name of ["c", "d", "e"]) counter.add(2, name);
  assert.equal(
    await textOf(registry),
    '# HELP ends_total Ends.\n# TYPE ends_total counter\nends_total{reason="a"} 0\nends_total{reason="b"} 1\n' +
      'ends_total{reason="other"} 6\n',
  );
});

test("a histogram counts in the first group whose bound is not passed, and sums them up", async () => {
  const registry = new Registry();
  const histogram = registry.histogram({ name: "x_seconds", help: "X." }, [1, 2.5]);
  for (const value of [0.5, 1, 2, 9]) histogram.observe(value);
  const lines = (await textOf(registry)).split("\n").slice(2, -1);
  assert.deepEqual(lines, [
    'x_seconds_bucket{le="1"} 2',
    'x_seconds_bucket{le="2.5"} 3',
    'x_seconds_bucket{le="+Inf"} 4',
    "x_seconds_sum 12.5",
    "x_seconds_count 4",
  ]);
  assert.match(await textOf(registry, "openmetrics"), /le="1\.0"\} 2\n[^]*# EOF\n$/);
});

test("OpenMetrics names a counter without its ending, and its samples with it", async () => {
  const registry = new Registry();
  registry.counter({ name: "ends_total", help: 'Say "no".' }).add(3);
  assert.equal(
    await textOf(registry, "openmetrics"),
    '# HELP ends Say \\"no\\".\n# TYPE ends counter\nends_total 3\n# EOF\n',
  );
});

test("whatever a label says, it stays in its quotes and on its line", async () => {
  await fc.assert(fc.asyncProperty(fc.string({ unit: "binary" }), async (name) => {
    const registry = new Registry();
    registry.sampled("gauge", { name: "x", help: "X.", labels: { device: "open" } }, () => [[[name], 1]]);
    const [line, ...rest] = (await textOf(registry)).split("\n").slice(2);
    assert.deepEqual(rest, [""]);
    const [, told] = /^x\{device="((?:[^"\\]|\\["\\n])*)"\} 1$/s.exec(line!) ?? [];
    assert.notEqual(told, undefined, line);
    const read = told!.replace(/\\(.)/g, (_, char: string) => char === "n" ? "\n" : char);
    assert.equal(read, name.toWellFormed());
  }));
});

test("a long answer comes in pieces, and in between others have their turn", async () => {
  class BusyClock extends FakeClock {
    turns = 0;
    #at = 0;
    override now(): number {
      return this.#at += 1; // a millisecond for each look
    }
    override soon(fn: () => void): () => void {
      this.turns++;
      return super.soon(fn);
    }
  }
  const registry = new Registry();
  registry.sampled("gauge", { name: "x", help: "X.", labels: { device: "open" } }, function* () {
    for (let at = 0; at < 10_000; at++) yield [[`gw${at}`], at];
  });
  const clock = new BusyClock();
  const sizes: number[] = [];
  for await (const piece of registry.text("prometheus", clock)) sizes.push(piece.length);
  assert.ok(Math.max(...sizes) < METRICS_CHUNK + 200 && sizes.length > 5, sizes.join());
  assert.ok(clock.turns > 50, `${clock.turns} turns`);
});

test("OpenMetrics is what is asked for by name, and no less than the other", () => {
  const asked: Record<string, MetricsFormat> = {
    "": "prometheus",
    "*/*": "prometheus",
    "text/plain": "prometheus",
    "application/openmetrics-text; version=1.0.0; charset=utf-8": "openmetrics",
    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;q=0.4,text/plain;q=0.2,*/*;q=0.1":
      "openmetrics",
    "text/plain;q=1,application/openmetrics-text;q=0.5": "prometheus",
    "application/openmetrics-text;q=0": "prometheus",
    "application/openmetrics-text;q=x": "prometheus",
  };
  for (const [accept, format] of Object.entries(asked)) assert.equal(formatFor(accept), format, accept);
});

test("two metrics cannot have one name", () => {
  const registry = new Registry();
  registry.counter({ name: "x_total", help: "X." });
  assert.throws(
    () => registry.value("gauge", { name: "x_total", help: "Y." }, () => 1),
    /two metrics are called x_total/,
  );
});
