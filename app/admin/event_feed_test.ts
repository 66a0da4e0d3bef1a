import assert from "node:assert/strict";
import { systemClock } from "../../base/clock.ts";
import { silentLogger } from "../../base/logger.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { Random } from "../../tests/rig/random.ts";
import { folderTest } from "../../tests/rig/test.ts";
import { poll, within } from "../../tests/rig/wait.ts";
import { ADMIN_HEARTBEAT_MS } from "../limits.ts";
import { adminClient, type HeardEvent } from "./client.ts";
import { feedRoutes } from "./event_feed.ts";
import { EventRing } from "./event_ring.ts";
import { closed, Type } from "./schema.ts";
import { serveAdmin } from "./serve.ts";

interface Tick {
  readonly type: "tick" | "tock";
  readonly n: number;
  readonly until?: number;
}

const Told = closed({
  id: Type.String(),
  time: Type.String(),
  type: Type.String(),
  n: Type.Optional(Type.Integer()),
  until: Type.Optional(Type.String()),
  missed: Type.Optional(Type.Integer()),
});

/** Events that are served, so many of them kept. */
async function serve(folder: string, size: number, clock = systemClock) {
  const events = new EventRing<Tick>(1_000, size);
  const filter = {};
  const isMeant = () => undefined;
  const routes = feedRoutes({ events, types: ["tick", "tock"], schema: Told, times: ["until"], filter, isMeant });
  const server = await serveAdmin({
    title: "test",
    load: () => ({ routes }),
    folder,
    unix: true,
    clock,
    logger: silentLogger,
  });
  const client = adminClient({ socket: server.socket! });
  let last = 0;
  return {
    events,
    client,
    socket: server.socket!,
    add: (count: number, type: Tick["type"] = "tick") => {
      for (let n = 0; n < count; n++) events.add(last, { type, n: ++last });
    },
    get last() {
      return last;
    },
    async [Symbol.asyncDispose]() {
      client[Symbol.dispose]();
      await server.close();
    },
  };
}

/** The number of an event. */
const numberOf = ({ data }: HeardEvent) => (data as { n: number }).n;

folderTest(
  "a reader that is cut off again and again, and comes back each time, has had each event once",
  async (folder) => {
    await using served = await serve(folder, 1_000);
    const random = new Random(5);
    const chance = (most: number) => 1 + Math.floor(random.fraction() * most);
    const had: number[] = [];
    let id = served.events.cursorAt(0);
    while (had.length < 2_000) {
      served.add(chance(300));
      const stream = served.client.stream("/v1/events/stream", id);
      const wanted = Math.min(chance(400), served.last - had.length);
      for (let n = 0; n < wanted; n++) {
        const event = (await within(stream.next(), "an event")).value!;
        had.push(numberOf(event));
        id = event.id;
        if (random.fraction() < 0.1) served.add(1);
      }
      await stream.return();
    }
    assert.deepEqual(had, had.map((_, at) => at + 1));
  },
);

folderTest(
  "a reader that was away for too long is told how many it has missed, and goes on with the others",
  async (folder) => {
    await using served = await serve(folder, 100);
    served.add(10);
    const id = served.events.cursorAt(4);
    served.add(250);
    const stream = served.client.stream("/v1/events/stream", id);
    const next = async () => (await within(stream.next(), "an event")).value!;
    const first = await next();
    assert.deepEqual((first.data as { type: string; missed: number }).missed, 260 - 100 - 4);
    const others = [];
    for (let n = 0; n < 100; n++) others.push(numberOf(await next()));
    assert.deepEqual(others, others.map((_, at) => 161 + at));
    await stream.return();
    // The page says the same.
    const page = await served.client.get<{ missed: number; items: unknown[] }>(`/v1/events?cursor=${id}&limit=500`);
    assert.deepEqual([page.missed, page.items.length], [156, 100]);
  },
);

folderTest(
  "a reader that takes nothing costs no more than what is kept, and is told what it missed",
  async (folder) => {
    await using served = await serve(folder, 1_000);
    const conn = await Deno.connect({ transport: "unix", path: served.socket });
    await conn.write(
      new TextEncoder().encode("GET /v1/events/stream HTTP/1.1\r\nhost: localhost\r\nlast-event-id: rs-0\r\n\r\n"),
    );
    const buffer = new Uint8Array(4_096);
    const heard = async () =>
      new TextDecoder().decode(buffer.subarray(0, await within(conn.read(buffer), "a read") ?? 0));
    let text = await heard();
    assert.match(text, /200 OK/);
    for (let n = 0; n < 300; n++) {
      served.add(1_000); // a flood, of which nothing is taken
      if (n % 50 === 0) await new Promise((resolve) => setTimeout(resolve)); // the server has a turn
    }
    served.add(1, "tock");
    while (!/"type":"tock".*\n/.test(text)) text += await heard(); // a read may end within a line
    const told = [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) =>
      JSON.parse(data!) as { n?: number; missed?: number }
    );
    const missed = told.reduce((sum, { missed = 0 }) => sum + missed, 0);
    const had = told.flatMap(({ n }) => n ?? []);
    assert.equal(had.length + missed, served.last, "each event was told, or counted");
    assert.ok(missed > 100_000, `${missed} were missed`);
    assert.deepEqual(had, had.toSorted((a, b) => a - b));
    conn.close();
  },
);

folderTest(
  "signs of life say where a reader stands, so that it misses nothing of what is meant for it",
  async (folder) => {
    const clock = new FakeClock();
    await using served = await serve(folder, 100, clock);
    served.add(1, "tock");
    const conn = await Deno.connect({ transport: "unix", path: served.socket });
    await conn.write(
      new TextEncoder().encode(
        "GET /v1/events/stream?type=tock HTTP/1.1\r\nhost: localhost\r\nlast-event-id: rs-0\r\n\r\n",
      ),
    );
    const buffer = new Uint8Array(4_096);
    let text = "";
    const until = async (what: string) => {
      while (!text.includes(what)) {
        text += new TextDecoder().decode(buffer.subarray(0, await within(conn.read(buffer), what) ?? 0));
      }
    };
    await until('"type":"tock"');
    served.add(90); // not meant for it
    await poll(() => clock.pending > 0, () => "nothing waits");
    await clock.advance(ADMIN_HEARTBEAT_MS);
    await until(`id: ${served.events.cursorAt(91)}\n\n`);
    conn.close();
    served.add(50);
    served.add(1, "tock");
    const stream = served.client.stream("/v1/events/stream?type=tock", served.events.cursorAt(91));
    assert.equal(numberOf((await within(stream.next(), "an event")).value!), 142);
    await stream.return();
  },
);

folderTest("times of day in events are texts, in pages and in streams", async (folder) => {
  await using served = await serve(folder, 10);
  served.events.add(0, { type: "tick", n: 1, until: Date.UTC(2027, 0, 31) });
  const { items } = await served.client.get<{ items: Tick[] }>("/v1/events");
  const stream = served.client.stream("/v1/events/stream", served.events.cursorAt(0));
  const { data } = (await within(stream.next(), "an event")).value!;
  await stream.return();
  assert.deepEqual([items[0]!.until, (data as Tick).until], Array(2).fill("2027-01-31T00:00:00.000Z"));
});
