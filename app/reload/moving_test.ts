import assert from "node:assert/strict";
import { test } from "../../tests/rig/test.ts";
import { MovingAdmin } from "../admin/http/moving.ts";
import type { AdminWish } from "../admin/options.ts";
import type { AdminServer } from "../admin/serve.ts";
import { MovingMetrics } from "../metrics/moving.ts";

/** What is served, and how many of it are open; it is there when `gate` opens. */
function served() {
  const gate = Promise.withResolvers<void>();
  const counts = { made: 0, open: 0 };
  const serve = async () => {
    await gate.promise;
    counts.made++;
    counts.open++;
    const close = () => (counts.open--, Promise.resolve());
    return { address: "127.0.0.1:9", socket: undefined, prepare: () => Promise.resolve(undefined), close };
  };
  return { gate, counts, serve };
}

const WISH: AdminWish = { unix: true, tcp: undefined, isExplicit: false };
const AT = { host: "127.0.0.1", port: 9 };

test("a reload that comes while the admin API and the metrics start waits for them", async () => {
  const { gate, counts, serve } = served();
  const admin = new MovingAdmin(serve satisfies () => Promise<AdminServer>, () => {});
  const metrics = new MovingMetrics(serve);
  const started = [admin.start(WISH), metrics.start(AT)];
  const prepared = [admin.prepare(WISH), metrics.prepare(AT)];
  gate.resolve();
  await Promise.all(started);
  assert.deepEqual(await Promise.all(prepared), [undefined, undefined], "both are there already");
  assert.deepEqual(counts, { made: 2, open: 2 });
  await admin.close();
  await metrics.close();
  assert.equal(counts.open, 0);
});

test("a start that failed is told to whoever started, and a reload tries anew", async () => {
  let tries = 0;
  const { counts, gate, serve } = served();
  gate.resolve();
  const metrics = new MovingMetrics(() => ++tries === 1 ? Promise.reject(new Error("in use")) : serve());
  await assert.rejects(metrics.start(AT), /in use/);
  await (await metrics.prepare(AT))?.commit();
  assert.equal(counts.open, 1);
  await metrics.close();
});

test("what a reload has made ready leaves nothing open if the daemon has ended meanwhile", async () => {
  const { gate, counts, serve } = served();
  gate.resolve();
  const [admin, metrics] = [new MovingAdmin(serve, () => {}), new MovingMetrics(serve)];
  const changes = [await admin.prepare(WISH), await metrics.prepare(AT)];
  assert.equal(counts.open, 2);
  await admin.close();
  await metrics.close();
  for (const change of changes) await change?.commit();
  assert.equal(counts.open, 0);
});

test("an admin API is told where it is, at first and at each move, and not when only its token changes", async () => {
  const told: (string | undefined)[] = [];
  let address = "127.0.0.1:9";
  const server: AdminServer = {
    get address() {
      return address;
    },
    socket: undefined,
    prepare: ({ tcp }) => Promise.resolve({ commit: () => void (address = `127.0.0.1:${tcp!.address.port}`) }),
    close: () => Promise.resolve(),
  };
  const admin = new MovingAdmin(() => Promise.resolve(server), ({ address }) => told.push(address));
  const wish = (port: number): AdminWish => ({ ...WISH, tcp: { address: { host: "127.0.0.1", port }, token: "t" } });
  await admin.start(wish(9));
  await (await admin.prepare(wish(9)))?.commit();
  await (await admin.prepare(wish(10)))?.commit();
  assert.deepEqual(told, ["127.0.0.1:9", "127.0.0.1:10"]);
  await admin.close();
});
