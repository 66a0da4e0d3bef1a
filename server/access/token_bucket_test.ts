import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "../../tests/rig/test.ts";
import { MAX_RATED_ADDRESSES } from "../limits.ts";
import { ClientRates } from "./client_rates.ts";
import { TokenBucket } from "./token_bucket.ts";

test("over any time no more passes than was saved and has come since, and whoever waits as told is let through", () => {
  const step = fc.record({ pause: fc.nat(5_000), count: fc.integer({ min: 1, max: 100 }) });
  fc.assert(fc.property(fc.integer({ min: 1, max: 500 }), fc.array(step, { maxLength: 60 }), (perSecond, steps) => {
    const most = 100;
    const bucket = new TokenBucket(perSecond / 1000, most, 0);
    const passed: { at: number; count: number }[] = [];
    let now = 0;
    for (const { pause, count } of steps) {
      now += pause;
      const wait = bucket.take(count, now);
      if (wait > 0) {
        now += wait;
        assert.equal(bucket.take(count, now), 0, "after the wait that it was told");
      }
      passed.push({ at: now, count });
      for (let from = 0, sum = 0; from < passed.length; from++, sum = 0) {
        for (let to = from; to < passed.length; to++) {
          sum += passed[to]!.count;
          const bound = most + (passed[to]!.at - passed[from]!.at) * perSecond / 1000;
          assert.ok(sum <= bound + 1e-3, `${sum} of ${bound} between ${passed[from]!.at} and ${passed[to]!.at}`);
        }
      }
    }
  }));
});

test("a bucket that is refused loses nothing, and one that another pace is set for keeps what it saved, up to its bound", () => {
  const bucket = new TokenBucket(1, 10, 0);
  assert.equal(bucket.take(10, 0), 0);
  assert.deepEqual([bucket.take(5, 0), bucket.take(5, 0)], [5, 5]);
  bucket.change(2, 4, 3); // three have come
  assert.equal(bucket.take(3, 3), 0);
  assert.equal(bucket.take(4, 3), 2);
  assert.equal(bucket.isFull(5), true);
});

test("clients of one address are refused beyond its rate, those of others are not, and all together have theirs", () => {
  const rates = new ClientRates();
  rates.change({ count: 5, per: 1_000 }, { count: 2, per: 1_000 }, 0);
  assert.deepEqual(["a", "a", "a", "a"].map((site) => rates.take(site, 0)), [
    undefined,
    undefined,
    "address",
    "address",
  ]);
  assert.deepEqual(["b", "c", "d", "e"].map((site) => rates.take(site, 0)), [undefined, undefined, undefined, "all"]);
  assert.equal(rates.take("a", 500), undefined, "half a second later each has one more");
  rates.change(undefined, undefined, 500);
  assert.deepEqual([rates.take("a", 500), rates.take("a", 500), rates.size], [undefined, undefined, 0]);
});

test("addresses are forgotten when their bucket is full again, and beyond the bound whoever was not there for longest", () => {
  const rates = new ClientRates();
  rates.change(undefined, { count: 1, per: 1_000 }, 0);
  for (let n = 0; n < 100; n++) rates.take(`${n}`, 0);
  assert.equal(rates.size, 100);
  rates.take("later", 1_000);
  assert.equal(rates.size, 1);
  for (let n = 0; n < MAX_RATED_ADDRESSES; n++) rates.take(`${n}`, 1_500);
  assert.equal(rates.size, MAX_RATED_ADDRESSES);
  assert.equal(rates.take("1", 1_500), "address");
  rates.take("new", 1_500);
  assert.equal(rates.size, MAX_RATED_ADDRESSES);
  assert.equal(rates.take("0", 1_500), undefined, "it was forgotten, and has lost nothing by that");
});
