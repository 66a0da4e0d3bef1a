import assert from "node:assert/strict";
import { FakeClock } from "../../tests/rig/clock.ts";
import { RecordingLogger } from "../../tests/rig/logger.ts";
import { test } from "../../tests/rig/test.ts";
import { LIMIT_TOLD_MS, MEMORY_LOOK_MS } from "./limits.ts";
import type { LimitReachedEvent } from "../events.ts";
import { Capacity } from "./capacity.ts";
import { LinkCount } from "./link_count.ts";
import type { ServerLimits } from "./server_limits.ts";

function capacityOf(limits: ServerLimits) {
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  const links = new LinkCount();
  const events: LimitReachedEvent[] = [];
  const state = { limits, clients: { used: 0, enter: () => () => {} }, memory: 0 };
  const capacity = new Capacity({
    clock,
    logger,
    limits: () => state.limits,
    links,
    clients: state.clients,
    memory: () => state.memory,
  });
  capacity.emit = (event) => void events.push(event);
  /** Why a client is refused that comes, if it is. */
  const client = () => {
    const entered = capacity.client({ service: "ssh", site: "192.0.2.1" });
    return "refused" in entered ? entered.why : undefined;
  };
  return { capacity, client, clock, logger, links, events, state };
}

test("a limit refuses the one that would be too many, and says which it is", () => {
  const { capacity, client, links, state } = capacityOf({ links: 1, sockets: 2, devices: 3 });
  assert.deepEqual([capacity.link(), client()], [undefined, undefined]);
  const place = capacity.device(2);
  assert.equal(typeof place, "function");
  assert.equal(typeof capacity.device(2), "string", "one is about to be the third");
  if (typeof place === "function") place();
  links.linked = 1;
  state.clients.used = 1;
  assert.equal(capacity.link(), "devices linked: 1 are the most for this server (max-links)");
  assert.equal(client(), "sockets: 2 are the most for this server (max-sockets)");
  assert.equal(capacity.device(3), "devices registered: 3 are the most for this server (max-devices)");
  state.clients.used = 0;
  assert.equal(client(), undefined, "there is room again");
});

test("memory is looked at once in a while, and refuses newcomers from its limit on", async () => {
  const { capacity, client, clock, state } = capacityOf({ memory: 1_000 });
  state.memory = 999;
  assert.equal(client(), undefined);
  state.memory = 1_000;
  assert.equal(client(), undefined, "it is not looked at for each");
  await clock.advance(MEMORY_LOOK_MS);
  assert.match(client()!, /^bytes of memory: 1000/);
  assert.match(capacity.link()!, /^bytes of memory: 1000/);
});

test("handshakes beyond their rate are refused until its time has come, and a new rate holds at once", async () => {
  const { capacity, clock, state } = capacityOf({ handshakeRate: { count: 2, per: 1_000 } });
  const begin = () => capacity.handshake() === undefined;
  assert.deepEqual([begin(), begin(), begin()], [true, true, false]);
  assert.deepEqual(capacity.use("handshakeRate", 0), { name: "handshakes at once", used: 2, most: 2 });
  await clock.advance(500);
  assert.deepEqual([begin(), begin()], [true, false]);
  state.limits = {};
  assert.equal(begin(), true);
});

test("those who are refused are told of at once, and then together; the limit remembers since when", async () => {
  const { capacity, clock, events, links, logger } = capacityOf({ links: 1 });
  links.linked = 1;
  for (let n = 0; n < 5; n++) capacity.link();
  assert.deepEqual(events.map(({ limit, refused }) => [limit, refused]), [["devices linked", 1]]);
  assert.equal(logger.lines.filter((line) => line.startsWith("warn ")).length, 1);
  await clock.advance(LIMIT_TOLD_MS);
  assert.deepEqual(events.map(({ refused }) => refused), [1, 4], "the rest is told also if nobody comes any more");
  assert.equal(clock.pending, 0);
  capacity.link();
  assert.deepEqual(events.length, 2);
  assert.deepEqual([...capacity.refused], [["devices linked", 6]]);
  capacity.close();
  assert.equal(clock.pending, 0);
  const since = capacity.since("devices linked", true)!;
  assert.equal(clock.wall() - since, LIMIT_TOLD_MS);
  assert.equal(capacity.since("devices linked", false), undefined);
});

test("a limit is reached since the last one came in for whom there was room, whoever looks when", async () => {
  const { capacity, clock, links } = capacityOf({ links: 2 });
  links.linked = 1;
  assert.equal(capacity.link(), undefined);
  const reached = clock.wall();
  links.linked = 2;
  await clock.advance(5_000);
  assert.ok(capacity.link(), "refused");
  assert.equal(capacity.since("devices linked", true), reached);
  links.linked = 0; // nobody looks meanwhile
  await clock.advance(60_000);
  assert.equal(capacity.link(), undefined);
  links.linked = 1;
  await clock.advance(1_000);
  assert.equal(capacity.link(), undefined);
  links.linked = 2;
  await clock.advance(LIMIT_TOLD_MS);
  assert.equal(clock.wall() - capacity.since("devices linked", true)!, LIMIT_TOLD_MS);
  capacity.close();
});
