/**
 * A line, its user and who watches: one at a time, nothing lost that need not be, and a line that goes and comes back.
 *
 * @module
 */

import assert from "node:assert/strict";
import { test } from "../../tests/rig/test.ts";
import { settled } from "../../tests/rig/wait.ts";
import {
  MAX_REPLUG_MS,
  MAX_SERIAL_WAITING,
  MAX_SERIAL_WATCHERS,
  MIN_REPLUG_MS,
  SERIAL_ANSWER_MS,
  SERIAL_READ_SIZE,
} from "../limits.ts";
import { SerialError } from "../line/line.ts";
import { Bench, TestUser } from "./_line_fixture_test.ts";

test("bytes go both ways as they are; the line is opened for its user, and closed behind him", async () => {
  const bench = new Bench("9600,7e1");
  assert.equal(bench.service.status.state, "closed");
  const user = await bench.client();
  assert.equal(bench.line.settings.baud, 9600);
  await user.write("\xff\r\0hello");
  bench.line.send(Uint8Array.of(255, 13, 0, 65));
  assert.deepEqual([...await user.bytes()], [255, 13, 0, 65]);
  assert.deepEqual(bench.line.said, ["> Ã¿\r\0hello"]);
  assert.deepEqual(bench.service.status.clients.map(({ address, isUser }) => [address, isUser]), [
    ["10.0.0.5:4000", true],
  ]);
  user.conn.close();
  await settled();
  assert.equal(user.end, "closed");
  assert.equal(bench.line.said.at(-1), "closed");
  assert.deepEqual(bench.service.status, { state: "closed", settings: "9600 7e1", clients: [], lost: 0 });
  assert.equal(bench.clock.pending, 0);
});

test("a second client is refused, by an error or, in telnet, in a line", async () => {
  const raw = new Bench("lock");
  await raw.client();
  const isBusy = (error: unknown) =>
    error instanceof SerialError && error.isBusy && /in use by another/.test(error.message);
  await assert.rejects(raw.client(), isBusy);
  raw.service.close();
  const telnet = new Bench("control=rfc2217");
  await telnet.client();
  const second = await telnet.client();
  assert.equal(await second.text(), "\r\n[/dev/ttyS9 is in use by another client]\r\n");
  assert.equal(second.end, "end");
  second.conn.close();
  telnet.trouble = "there is no /dev/ttyS9; is the adapter plugged in?";
  telnet.service.close();
  await assert.rejects(
    telnet.service.probe().then(() => telnet.service.connect("x")).then(() => Promise.reject("told")),
    /told/,
  );
});

test("a line that cannot be opened refuses its client, and is tried again for the next one", async () => {
  const bench = new Bench("115200");
  bench.trouble = "there is no /dev/ttyS9; is the adapter plugged in?";
  await assert.rejects(bench.client(), /plugged in/);
  await assert.rejects(bench.service.probe(), /plugged in/);
  bench.trouble = undefined;
  await bench.service.probe();
  assert.deepEqual(bench.line.said, ["cut"]);
  (await bench.client()).conn.close();
  assert.equal(bench.lines.length, 2);
});

test("others may watch, and nothing of theirs reaches the line, whoever the user is", async () => {
  const bench = new Bench("9600,share=read");
  const user = await bench.client("user");
  const watchers = await Promise.all(Array.from({ length: MAX_SERIAL_WATCHERS }, () => bench.client()));
  await assert.rejects(bench.client(), /has 16 watchers, and takes no more/);
  await watchers[0]!.write("reboot\r");
  bench.line.send("login: ");
  for (const one of [user, ...watchers]) assert.equal(await one.text(), "login: ");
  assert.deepEqual(bench.line.said, []);
  user.conn.close();
  assert.deepEqual(bench.line.said, ["set 9600 8n1 none"]); // as the next user wants to find it
  const next = await bench.client("next");
  await next.write("me");
  assert.equal(bench.line.said.at(-1), "> me");
  bench.service.close();
  await settled();
  assert.deepEqual([...new Set([next, ...watchers].map(({ end }) => end))], ["reset"]);
});

test("without flow control a slow client loses the oldest bytes, which are counted; nobody else does", async () => {
  const bench = new Bench("share=read");
  const slow = await bench.client("slow");
  const fast = await bench.client("fast");
  slow.pause();
  await settled();
  const all = Uint8Array.from({ length: MAX_SERIAL_WAITING + 70_000 }, (_, at) => at % 251);
  bench.line.send(all);
  let seen = 0;
  while (bench.line.count < all.length) seen += (await fast.bytes()).length;
  seen += (await fast.bytes()).length;
  assert.equal(seen, all.length);
  slow.resume();
  let got: number[] = [];
  for (let more = await slow.bytes(); more.length > 0; more = await slow.bytes()) got = [...got, ...more];
  const { lost } = bench.service.status.clients[0]!;
  assert.equal(got.length + lost, all.length);
  assert.ok(lost >= 50_000, String(lost)); // one read had begun
  assert.deepEqual(got.slice(-1_000), [...all.slice(-1_000)]);
  bench.service.close();
});

test("with flow control the line waits for its user, who loses nothing, and not for who watches", async () => {
  const bench = new Bench("flow=rts,share=read");
  const user = await bench.client("user");
  const watcher = await bench.client("watcher");
  user.pause();
  watcher.pause();
  await settled();
  const all = Uint8Array.from({ length: 2 * MAX_SERIAL_WAITING }, (_, at) => at % 251);
  bench.line.send(all);
  let before = -1;
  while (before !== bench.line.count) {
    before = bench.line.count;
    await settled();
  }
  assert.ok(bench.line.count <= MAX_SERIAL_WAITING + SERIAL_READ_SIZE, "it waits");
  user.resume();
  let got: number[] = [];
  while (got.length < all.length) got = [...got, ...await user.bytes()];
  assert.deepEqual(Uint8Array.from(got), all);
  assert.deepEqual(bench.service.status.clients.map(({ lost }) => lost > 0), [false, true]);
  bench.service.close();
});

test("a line that takes nothing stops its user, and goes on where it stopped", async () => {
  const bench = new Bench("115200");
  const user = await bench.client();
  bench.line.stalled = true;
  const all = "0123456789".repeat(20_000);
  let done = false;
  const written = user.write(all).then(() => done = true);
  await settled();
  assert.ok(!done && user.conn.unacknowledged() > 60_000);
  bench.line.resume();
  await written;
  while (user.conn.unacknowledged() > 0) await settled();
  assert.equal(bench.line.said.map((line) => line.slice(2)).join(""), all);
  bench.service.close();
});

test("a line that goes is waited for, and its user goes on with it as he had set it", async () => {
  const bench = new Bench("115200,control=rfc2217");
  const user = await bench.client();
  await user.write(
    Uint8Array.from([255, 251, 44, ...[255, 250, 44, 1, 0, 0, 37, 128, 255, 240], ...[255, 250, 44, 5, 9, 255, 240]]),
  );
  const [first] = bench.lines;
  bench.trouble = "there is no /dev/ttyS9";
  first!.hangUp();
  await settled();
  assert.equal(bench.service.status.state, "gone");
  assert.equal(first!.said.at(-1), "cut");
  await user.write("typed meanwhile");
  for (let ms = MIN_REPLUG_MS; ms < 10 * MAX_REPLUG_MS; ms *= 2) await bench.clock.advance(Math.min(ms, MAX_REPLUG_MS));
  assert.equal(bench.lines.length, 1);
  bench.trouble = undefined;
  await bench.clock.advance(MAX_REPLUG_MS);
  assert.equal(bench.service.status.state, "open");
  assert.deepEqual(bench.line.said, ["dtr off", "> typed meanwhile"]);
  assert.equal(bench.line.settings.baud, 9600);
  bench.line.send("back");
  assert.match(await user.text(), /back$/);
  assert.equal(user.end, undefined);
  user.conn.close();
  await settled();
  assert.equal(bench.clock.pending, 0);
});

test("with replug=end its clients are ended when it goes: reset, or in telnet told", async () => {
  const raw = new Bench("replug=end,share=read");
  const [user, watcher] = [await raw.client(), await raw.client()];
  raw.line.send("last words");
  raw.line.hangUp();
  assert.equal(await user.text(), "last words");
  assert.deepEqual([user.end, watcher.end], ["reset", "reset"]);
  const telnet = new Bench("replug=end,control=rfc2217");
  const one = await telnet.client();
  telnet.line.hangUp();
  assert.match(await one.text(), /\r\n\[\/dev\/ttyS9: it has hung up\]\r\n$/);
  assert.equal(one.end, "end");
  assert.equal(telnet.service.status.state, "closed");
  assert.equal(raw.clock.pending + telnet.clock.pending, 0);
});

test("a client that ended its side is answered until the line is silent, and gives way to the next", async () => {
  const bench = new Bench("115200");
  const one = await bench.client();
  await one.write("AT\r");
  await one.conn.closeWrite();
  await bench.clock.advance(SERIAL_ANSWER_MS / 2);
  bench.line.send("OK\r\n");
  await bench.clock.advance(SERIAL_ANSWER_MS / 2);
  assert.equal(await one.text(), "OK\r\n");
  assert.equal(one.end, undefined);
  await bench.clock.advance(SERIAL_ANSWER_MS);
  await settled();
  assert.equal(one.end, "end");
  assert.equal(bench.line.said.at(-1), "closed");

  const two = await bench.client();
  await two.conn.closeWrite();
  const three = await bench.client();
  await settled();
  assert.equal(two.end, "end");
  await three.write("mine");
  assert.deepEqual(bench.line.said, ["set 115200 8n1 none", "> mine"]);
  assert.equal(bench.lines.length, 2);
  three.conn.close();
  await settled();
  assert.equal(bench.clock.pending, 0);
});

test("a connection that is closed fails what waits on it", async () => {
  const bench = new Bench("115200");
  const conn = await bench.service.connect("x");
  const read = conn.read(new Uint8Array(10));
  conn.close();
  await assert.rejects(async () => await read, Deno.errors.BadResource);
  await assert.rejects(async () => await conn.write(new Uint8Array(1)), Deno.errors.BadResource);
  await assert.rejects(async () => await conn.read(new Uint8Array(1)), Deno.errors.BadResource);
  new TestUser(conn);
  bench.service.close();
  await assert.rejects(bench.service.connect("x"), /is offered no more/);
});
