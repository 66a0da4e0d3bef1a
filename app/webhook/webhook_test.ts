import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { FakeClock } from "../../tests/rig/clock.ts";
import { RecordingLogger } from "../../tests/rig/logger.ts";
import { test } from "../../tests/rig/test.ts";
import { createIdentity } from "../../net/tls/identity.ts";
import { pinnedCertificate } from "../../net/tls/certificate.ts";
import { poll, within } from "../../tests/rig/wait.ts";
import {
  MAX_WEBHOOK_WAITING,
  WEBHOOK_GIVE_UP_MS,
  WEBHOOK_LAST_MS,
  WEBHOOK_REQUEST_MS,
  WEBHOOK_RETRY_MS,
} from "../limits.ts";
import { WEBHOOK_OPTION } from "./options.ts";
import { Webhook } from "./webhook.ts";

const SECRET = "a secret of enough characters";

interface Heard {
  readonly headers: Headers;
  readonly body: string;
}

/** A real HTTP server that answers as it is told to; at first with 200. */
function receiver() {
  const heard: Heard[] = [];
  const hanging: (() => void)[] = [];
  let answers: (number | "hang")[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async (request) => {
    heard.push({ headers: request.headers, body: await request.text() });
    const answer = answers.shift() ?? 200;
    if (answer !== "hang") return new Response("thanks", { status: answer, headers: { location: "/elsewhere" } });
    await new Promise<void>((resolve) => hanging.push(resolve));
    return new Response("late");
  });
  return {
    heard,
    url: `http://127.0.0.1:${server.addr.port}/hook`,
    answer: (...given: (number | "hang")[]) => void (answers = given),
    async [Symbol.asyncDispose]() {
      for (const release of hanging) release();
      await server.shutdown();
    },
  };
}

function webhookAt(url: string) {
  const clock = new FakeClock();
  const logger = new RecordingLogger();
  return { clock, logger, webhook: new Webhook({ url, secret: SECRET, clock, logger }) };
}

const heardCount = (at: { heard: Heard[] }, count: number) =>
  poll(() => at.heard.length >= count, () => `${at.heard.length} of ${count} came`);

test("events come in their order, signed with the secret and the time", async () => {
  await using at = receiver();
  const { webhook, clock } = webhookAt(at.url);
  for (const device of ["a", "b", "c"]) webhook.tell({ event: "device-offline", device });
  await heardCount(at, 3);
  await webhook.close();
  assert.deepEqual(at.heard.map(({ body }) => (JSON.parse(body) as { device: string }).device), ["a", "b", "c"]);
  const [{ headers, body }] = at.heard as [Heard];
  const [, seconds, digest] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(headers.get("sallyport-signature")!)!;
  assert.equal(Number(seconds), Math.floor(clock.wall() / 1000));
  assert.equal(digest, createHmac("sha256", SECRET).update(`${seconds}.${body}`).digest("hex"));
  const { id, time, event } = JSON.parse(body) as Record<string, string>;
  assert.equal(headers.get("sallyport-delivery"), id);
  assert.deepEqual([headers.get("sallyport-event"), event, time], [
    "device-offline",
    "device-offline",
    new Date(clock.wall()).toISOString(),
  ]);
  assert.equal(webhook.delivered, 3);
});

test("what fails is tried again later and later, with the same id, ahead of all that came after", async () => {
  await using at = receiver();
  const { webhook, clock } = webhookAt(at.url);
  at.answer(500, 503, 429);
  webhook.tell({ event: "x", n: 1 });
  webhook.tell({ event: "x", n: 2 });
  let pause: number = WEBHOOK_RETRY_MS[0];
  for (let count = 1; count <= 3; count++) {
    await heardCount(at, count);
    await clock.armed(pause);
    await clock.advance(pause);
    pause *= 2;
  }
  await heardCount(at, 5);
  await webhook.close();
  const bodies = at.heard.map(({ body }) => JSON.parse(body) as { n: number; id: string });
  assert.deepEqual(bodies.map(({ n }) => n), [1, 1, 1, 1, 2]);
  assert.equal(new Set(bodies.map(({ id }) => id)).size, 2);
  assert.deepEqual(at.heard.map(({ headers }) => headers.get("sallyport-attempt")), ["1", "2", "3", "4", "1"]);
});

test("one that hangs is given up in time, and its late answer is nobody's", async () => {
  await using at = receiver();
  const { webhook, clock } = webhookAt(at.url);
  at.answer("hang");
  webhook.tell({ event: "x" });
  await heardCount(at, 1);
  await clock.armed(WEBHOOK_REQUEST_MS);
  await clock.advance(WEBHOOK_REQUEST_MS);
  await clock.armed(WEBHOOK_RETRY_MS[0]);
  await clock.advance(WEBHOOK_RETRY_MS[0]);
  await heardCount(at, 2);
  await webhook.close();
  assert.deepEqual([webhook.delivered, webhook.failed], [1, 0]);
});

test("who says no is not asked again, and a redirect is followed by nobody", async () => {
  await using at = receiver();
  const { webhook, logger } = webhookAt(at.url);
  at.answer(400, 302, 200);
  for (let n = 0; n < 3; n++) webhook.tell({ event: "x" });
  await heardCount(at, 3);
  await webhook.close();
  assert.deepEqual([at.heard.length, webhook.delivered, webhook.failed], [3, 1, 2]);
  assert.equal(logger.lines.filter((line) => line.includes("status 400")).length, 1, "it is said once a minute");
});

test("a dead one costs a bounded queue: the oldest go, all is counted, and in the end it is given up", async () => {
  const { webhook, clock } = webhookAt("http://127.0.0.1:1/");
  for (let n = 0; n < MAX_WEBHOOK_WAITING + 10; n++) webhook.tell({ event: "x", n });
  assert.deepEqual([webhook.waiting, webhook.dropped], [MAX_WEBHOOK_WAITING, 10]);
  const end = clock.now() + WEBHOOK_GIVE_UP_MS + 60_000;
  while (clock.now() < end && webhook.failed === 0) {
    await clock.armedUpTo(WEBHOOK_RETRY_MS[1], 1);
    await clock.advance(WEBHOOK_RETRY_MS[1]);
  }
  assert.ok(webhook.failed > 0);
  const closed = webhook.close();
  await clock.advance(WEBHOOK_LAST_MS);
  await within(closed, "its end");
});

test("the end of the daemon waits for one that hangs no longer than that", async () => {
  await using at = receiver();
  const { webhook, clock, logger } = webhookAt(at.url);
  at.answer("hang");
  webhook.tell({ event: "x" });
  await heardCount(at, 1);
  const closed = webhook.close();
  await clock.armed(WEBHOOK_LAST_MS);
  await clock.advance(WEBHOOK_LAST_MS);
  await within(closed, "its end");
  assert.ok(logger.lines.some((line) => line.includes("was not told of {count} events")));
});

test("a certificate that nobody vouches for is not told anything", async () => {
  const pair = await pinnedCertificate((await createIdentity()).keyPair);
  const heard: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {}, ...pair }, (request) => {
    heard.push(request.url);
    return new Response();
  });
  const { webhook, clock } = webhookAt(`https://127.0.0.1:${server.addr.port}/`);
  webhook.tell({ event: "x" });
  await clock.armed(WEBHOOK_RETRY_MS[0]);
  const closed = webhook.close();
  await clock.advance(WEBHOOK_LAST_MS);
  await closed;
  assert.deepEqual([heard, webhook.delivered], [[], 0]);
  await server.shutdown();
});

test("an address is one of http or https, without a password", () => {
  assert.equal(WEBHOOK_OPTION.parse("https://hooks.example/x"), "https://hooks.example/x");
  for (const text of ["hooks.example", "ftp://x/", "https://user:pw@x/", ""]) {
    assert.throws(() => WEBHOOK_OPTION.parse(text), SyntaxError);
  }
});
