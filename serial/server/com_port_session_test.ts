/**
 * RFC 2217 at a line, in the bytes that its clients really send and want.
 *
 * @module
 */

import assert from "node:assert/strict";
import { test } from "../../tests/rig/test.ts";
import { settled } from "../../tests/rig/wait.ts";
import { MAX_TELNET_ANSWERS, MODEM_POLL_MS, TELNET_BREAK_MS } from "../limits.ts";
import { comPortRequest } from "../rfc2217/com_port.ts";
import { Bench, type TestUser } from "./_line_fixture_test.ts";

const hex = (text: string) => Uint8Array.fromHex(text.replaceAll(/\s/g, ""));
const OPENING = "fffb03fffb01fffb00fffd03fffd00fffd2c";

/** A bench and a client that has agreed on RFC 2217, as pyserial does. */
async function agreed(options = "115200,control=rfc2217", address?: string): Promise<{ bench: Bench; user: TestUser }> {
  const bench = new Bench(options);
  const user = await bench.client(address);
  await user.write(hex("fffb2c fffb00 fffd00"));
  await user.bytes();
  return { bench, user };
}

/** Asks, and says what comes. */
async function ask(user: TestUser, command: number, ...bytes: number[]): Promise<string> {
  await user.write(comPortRequest(command, bytes));
  return (await user.bytes()).toHex();
}

test("pyserial 3.5 opens a line: what it sends, and what it is answered", async () => {
  const bench = new Bench("115200,control=rfc2217");
  const user = await bench.client();
  assert.equal((await user.bytes()).toHex(), OPENING);
  await user.write(hex("fffd01 fffb03 fffd03 fffd2c fffb2c fffd00 fffb00"));
  assert.equal((await user.bytes()).toHex(), "fffb2c" + "fffa2c6b30fff0"); // CTS and DSR are on
  await user.write(hex("fffa2c0100002580fff0 fffa2c0208fff0 fffa2c0301fff0 fffa2c0401fff0"));
  assert.equal((await user.bytes()).toHex(), "fffa2c6500002580fff0fffa2c6608fff0fffa2c6701fff0fffa2c6801fff0");
  await user.write(hex("fffa2c0501fff0 fffa2c0508fff0 fffa2c050bfff0 fffa2c0c01fff0 fffa2c0c02fff0"));
  assert.equal(
    (await user.bytes()).toHex(),
    "fffa2c6901fff0fffa2c6908fff0fffa2c690bfff0fffa2c7001fff0fffa2c7002fff0",
  );
  await user.write(hex("68656c6c6fffff0d000d0a"));
  assert.deepEqual(bench.line.said, [
    "set 9600 8n1 none",
    ...["set 9600 8n1 none", "set 9600 8n1 none", "set 9600 8n1 none", "set 9600 8n1 none"],
    ...["dtr on", "rts on", "purge received", "purge to-send"],
    ...["> hello", "> \xff\r\0\r\n"],
  ]);
  bench.line.send(hex("ff0d00"));
  assert.equal((await user.bytes()).toHex(), "ffff0d00");
  bench.service.close();
});

test("a client that refuses the commands is one of telnet: its carriage returns are unpadded, and break works", async () => {
  const bench = new Bench("115200,control=rfc2217");
  const user = await bench.client();
  await user.write(hex("fffd03 fffb03 fffd01 fffe00 fffc00 fffc2c"));
  assert.equal((await user.bytes()).toHex(), OPENING);
  await user.write(hex("726f6f740d00 fffa2c0100002580fff0"));
  bench.line.send("\rPassword:\r\n");
  assert.equal(await user.text(), "\r\0Password:\r\n");
  await user.write(hex("fff3 fff3"));
  await bench.clock.advance(TELNET_BREAK_MS);
  assert.deepEqual(bench.line.said, ["> root\r", "break on", "break off"]);
  await user.write(hex("fff6"));
  assert.equal(await user.text(), "\r\n[/dev/ttyS9 115200 8n1]\r\n");
  bench.service.close();
});

test("whatever is asked of is answered with how it is, and nonsense changes nothing", async () => {
  const { bench, user } = await agreed("9600,7e2,flow=xon,control=rfc2217");
  const cases: [number, number[], string][] = [
    [0, [], "64" + Array.from("Sallyport", (c) => c.charCodeAt(0).toString(16)).join("")],
    [1, [0, 0, 0, 0], "6500002580"],
    [1, [255, 255, 255, 255], "6500002580"],
    [2, [0], "6607"],
    [2, [9], "6607"],
    [3, [0], "6703"],
    [3, [9], "6703"],
    [4, [0], "6802"],
    [4, [3], "6802"],
    [5, [0], "6902"],
    [5, [13], "690f"],
    [5, [17], "6902"],
    [5, [4], "6906"],
    [5, [7], "6908"],
    [5, [10], "690b"],
    [6, [], "6a00"],
    [7, [], "6b30"],
    [12, [0], "7000"],
  ];
  for (const [command, bytes, answer] of cases) {
    assert.equal(await ask(user, command, ...bytes), `fffa2c${answer}fff0`, `${command} ${bytes}`);
  }
  assert.deepEqual(bench.line.said, ["purge"]);
  assert.equal(await ask(user, 2, 5), "fffa2c6605fff0"); // with as many stop bits as there are then
  assert.equal(bench.line.settings.stopBits, 1.5);
  assert.equal(await ask(user, 4, 3), "fffa2c6803fff0");
  assert.equal(await ask(user, 5, 3), "fffa2c6903fff0");
  assert.equal(await ask(user, 5, 5), "fffa2c6905fff0");
  assert.equal(await ask(user, 5, 9), "fffa2c6909fff0");
  assert.equal(await ask(user, 5, 12), "fffa2c690cfff0");
  assert.equal(await ask(user, 10, 255), "fffa2c6effff".padEnd(12, "f") + "fff0");
  user.conn.close();
  assert.deepEqual(bench.line.said.slice(-1), ["closed"]);
});

test("changes of the modem's lines are told, each edge in its bit, as the mask allows; and errors, if asked for", async () => {
  const { bench, user } = await agreed();
  const told = async (lines: object) => {
    bench.line.lines = { ...bench.line.lines!, ...lines };
    await bench.clock.advance(MODEM_POLL_MS);
    return (await user.bytes()).toHex();
  };
  assert.equal(await told({}), "");
  assert.equal(await told({ cts: false }), "fffa2c6b21fff0");
  assert.equal(await told({ ri: true }), "fffa2c6b60fff0");
  assert.equal(await told({ ri: false, cd: true }), "fffa2c6bacfff0");
  assert.equal(await ask(user, 11, 128), "fffa2c6f80fff0");
  assert.equal(await told({ cts: true }), "");
  assert.equal(await told({ cd: false }), "fffa2c6b00fff0");
  assert.equal(await ask(user, 11, 0), "fffa2c6f00fff0");
  assert.equal(await told({ cd: true }), "");
  assert.equal(bench.clock.pending, 0); // nobody asks any more
  assert.equal(await ask(user, 10, 30), "fffa2c6e1efff0");
  bench.line.counts = { framing: 1, overrun: 0, parity: 0, breaks: 2 };
  assert.equal(await told({}), "fffa2c6a18fff0");
  assert.equal(await told({}), "");
  bench.service.close();
});

test("data waits while the client has suspended it; what is received is thrown away when it says so", async () => {
  const { bench, user } = await agreed();
  await ask(user, 8);
  bench.line.send("later");
  assert.equal(await user.text(), "");
  assert.equal(await ask(user, 9), Array.from("later", (c) => c.charCodeAt(0).toString(16)).join(""));
  await ask(user, 8);
  bench.line.send("never");
  await settled();
  assert.equal(await ask(user, 12, 3), "fffa2c7003fff0");
  assert.equal(await ask(user, 9), "");
  assert.equal(bench.line.said.at(-1), "purge received to-send");
  bench.service.close();
});

test("a change waits until what was sent before it has been written", async () => {
  const { bench, user } = await agreed();
  bench.line.stalled = true;
  const written = user.write(Uint8Array.of(...hex("4142"), ...comPortRequest(1, [0, 0, 37, 128]), ...hex("4344")));
  await settled();
  assert.deepEqual(bench.line.said, []);
  bench.line.resume();
  await written;
  await settled();
  assert.deepEqual(bench.line.said, ["> AB", "set 9600 8n1 none", "> CD"]);
  bench.service.close();
});

test("who watches is answered, and changes nothing", async () => {
  const { bench } = await agreed("9600,share=read,control=rfc2217");
  const watcher = await bench.client();
  await watcher.write(hex("fffb2c 41"));
  await watcher.bytes();
  assert.equal(await ask(watcher, 1, 0, 1, 194, 0), "fffa2c6500002580fff0");
  assert.equal(await ask(watcher, 5, 5), "fffa2c6906fff0");
  assert.equal(await ask(watcher, 12, 3), "fffa2c7003fff0");
  await watcher.write(hex("fff3"));
  assert.deepEqual(bench.line.said, []);
  bench.service.close();
});

test("a client that asks and never reads is asked nothing more when enough waits for it", async () => {
  const { user } = await agreed();
  user.pause();
  await user.write(hex("fff6"));
  await settled();
  const questions = new Uint8Array(1_000_000).fill(255).map((byte, at) => at % 2 ? 246 : byte);
  let taken = 0;
  let isStuck = false;
  const write = (async () => {
    while (taken < questions.length) taken += await user.conn.write(questions.subarray(taken));
  })();
  await settled();
  isStuck = taken < 2 * MAX_TELNET_ANSWERS;
  assert.ok(isStuck, String(taken));
  user.conn.close();
  await assert.rejects(write, Deno.errors.BadResource);
});
