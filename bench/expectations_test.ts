import assert from "node:assert/strict";
import { judge } from "./expectations.ts";
import type { Sample } from "./measures/measure.ts";
import { METRIC_NAMES } from "./measures/metrics.ts";
import { markdown } from "./report.ts";
import { TARGETS } from "./targets/targets.ts";

/** The verdict on the one expectation that matches. */
function verdict(expectation: RegExp, samples: Record<string, Sample>): boolean | undefined {
  const found = judge(new Map(Object.entries(samples))).filter((each) => expectation.test(each.expectation));
  assert.equal(found.length, 1, `${expectation} matches ${found.length}`);
  return found[0]!.pass;
}

Deno.test("a bound that is met exactly is met, and one that is missed by little is missed", () => {
  const memory = /v2 TLS: KB per idle client/;
  assert.equal(verdict(memory, { "sallyport v2 TLS": { crowdPerClient: 16 } }), true);
  assert.equal(verdict(memory, { "sallyport v2 TLS": { crowdPerClient: 16.1 } }), false);
  const rate = /new connections a second/;
  assert.equal(verdict(rate, { "sallyport v2 TLS": { connections: 1000 } }), true);
  assert.equal(verdict(rate, { "sallyport v2 TLS": { connections: 999 } }), false);
});

Deno.test("throughput over TLS has to be 1.5 times that of ssh -R and 1.1 times that of rathole over TLS", () => {
  const others = { "ssh -R": { up: 2 }, "rathole TLS": { up: 3 } };
  const judged = (up: number) =>
    [/throughput up ≥ 1.5 × ssh/, /throughput up ≥ 1.1 × rathole/].map((each) =>
      verdict(each, { "sallyport v2 TLS": { up }, ...others })
    );
  assert.deepEqual(judged(3.31), [true, true]);
  assert.deepEqual(judged(3.2), [true, false]);
  assert.deepEqual(judged(2.9), [false, false]);
});

Deno.test("what a bulk transfer does to an echo is judged against its idle value", () => {
  const judged = (linkDown99: number) =>
    verdict(/v2 plain: echo p99 beside bulk down, 10 Mbit/, { "sallyport v2 plain": { linkIdle99: 2, linkDown99 } });
  assert.equal(judged(24), true);
  assert.equal(judged(24.1), false);
});

Deno.test("what was not measured is neither met nor missed, and a target that took no part is not mentioned", () => {
  assert.equal(verdict(/v2 TLS: KB per idle client/, { "sallyport v2 TLS": {} }), undefined);
  const about = judge(new Map([["sallyport v2 TLS", {}], ["direct", {}]])).map(({ expectation }) => expectation);
  assert.deepEqual(about.filter((text) => /v1|rathole|ssh/.test(text)), []);
});

Deno.test("tables with every metric of every target fit into 120 columns", () => {
  const sample: Sample = Object.fromEntries(METRIC_NAMES.map((name) => [name, 12.345]));
  const usual: Sample = { ...sample, pingPong: 123_456, rtt99: 1_234, connections: 12_345, linkUp99: 1_234.5 };
  const rounds = new Map(TARGETS.map(({ name }) => [name, [usual]]));
  const lines = markdown({ about: {}, rounds, missing: [], notes: [] }).split("\n");
  assert.deepEqual(lines.filter((line) => line.length > 120), []);
  assert.equal(lines.filter((line) => line.startsWith("| sallyport v2 TLS")).length, 9);
});

Deno.test("what is held against several relays is held against the best of those that were measured", () => {
  const judged = (rtt50: number, others: Record<string, Sample>) =>
    verdict(/v2 plain: round trip ≤/, { "sallyport v2 plain": { rtt50 }, ...others });
  const both = { "rathole plain": { rtt50: 100 }, bore: { rtt50: 50 } };
  assert.equal(judged(55, both), true);
  assert.equal(judged(56, both), false);
  assert.equal(judged(110, { "rathole plain": { rtt50: 100 } }), true);
  assert.equal(judged(110, { "rathole plain": {} }), undefined);
});
