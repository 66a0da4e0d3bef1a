/**
 * Services that are a program for each client, on both engines.
 *
 * @module
 */

import assert from "node:assert/strict";
import { digest, noise } from "../rig/bytes.ts";
import { engines } from "../../net/_engines_fixture_test.ts";
import { test } from "../rig/test.ts";
import { startCabled } from "../rig/v2/cabled.ts";
import { startV2Relay, type V2Relay } from "../rig/v2/relay.ts";
import { poll } from "../rig/wait.ts";

type Name = (typeof engines)[number]["name"];

function exec(command: readonly string[], options = ""): string {
  return `prog=exec:${JSON.stringify(command)}${options}`;
}

function start(engine: Name, command: readonly string[], options = ""): Promise<V2Relay> {
  return startV2Relay({ services: [exec(command, options)], device: { engine } });
}

const shell = (script: string) => ["/bin/sh", "-c", script];

async function textOf(relay: V2Relay, input = ""): Promise<string> {
  using client = await relay.connect("prog");
  await client.write(input);
  await client.closeWrite();
  return new TextDecoder().decode(await client.readToEnd());
}

for (const { name: engine } of engines) {
  test(`${engine}: a program gets its client's bytes and their end, and answers, through cuts of the link`, async () => {
    const size = 16 * 1024 * 1024;
    const bytes = noise(size, 3) as Uint8Array<ArrayBuffer>;
    await using relay = await startCabled({
      services: [exec(["/bin/cat"])],
      serve: { expiration: 15_000 },
      device: { random: () => 0, engine },
    });
    const { cable, device } = relay;
    using client = await relay.connect("prog");
    const sent = client.write(bytes).then(() => client.closeWrite());
    const parts: Uint8Array[] = [];
    let got = 0;
    for (let cuts = 0; cuts < 20; cuts++) {
      parts.push(await client.read(size / 32));
      got += size / 32;
      cable.drop();
      await device.events.next("resumed");
    }
    parts.push(await client.readToEnd());
    await sent;
    assert.equal(
      await digest(new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer())),
      await digest(bytes),
    );
    assert.equal((await device.events.next("channel-end")).reason, "service-closed");
    assert.ok(got < size);
  });

  test(`${engine}: a program's end ends its client, behind all that it wrote, whatever the client does`, async () => {
    const size = 20_000_000;
    await using relay = await start(engine, shell(`head -c ${size} /dev/zero; exit 7`));
    using client = await relay.connect("prog");
    await client.write("nobody reads this");
    assert.equal((await client.readToEnd()).length, size);
    const ended = await relay.device.events.next("channel-end");
    assert.deepEqual([ended.reason, ended.bytesDown, ended.error], ["service-closed", size, undefined]);
    await poll(
      () => relay.device.log.matching(/^info: program \d+ of prog for 127.0.0.1:\d+ ended: exit code 7$/).length === 1,
      () => relay.device.log.said.join("\n"),
    );
  });

  test(`${engine}: a program is told who comes, and what it says on the side goes to the log or to the client`, async () => {
    const script =
      'echo "$SALLYPORT_SERVICE $SALLYPORT_HOST_ADDRESS $SALLYPORT_CLIENT"; env | grep -c SALLYPORT_; echo oh >&2';
    {
      await using relay = await start(engine, shell(script));
      const port = await relay.hostPort("prog");
      assert.match(await textOf(relay), new RegExp(`^prog 127\\.0\\.0\\.1:${port} 127\\.0\\.0\\.1:\\d+\n3\n$`));
      await poll(
        () => relay.device.log.matching(/^info: program \d+ of prog says: oh$/).length === 1,
        () => relay.device.log.said.join("\n"),
      );
    }
    await using relay = await start(engine, shell(script), ",stderr=client");
    assert.match(await textOf(relay), /\n3\noh\n$/);
  });

  test(`${engine}: a program whose client has gone is hung up, and so is all that it has started`, async () => {
    await using relay = await start(engine, shell("echo $$; sleep 1000 & sleep 1000; echo"));
    const client = await relay.connect("prog");
    const pid = Number((await client.readText(2)) + new TextDecoder().decode((await client.readSome())!));
    assert.ok(isThere(pid));
    client.conn.setNoDelay(true);
    client.close();
    await relay.device.handle.shutdown();
    await poll(() => !isThere(pid), () => `${pid} is there`);
    assert.match(relay.device.log.said.join("\n"), /ended: signal SIGHUP/);
  });

  test(`${engine}: programs are bounded in number, and one that is not there is told in one line`, async () => {
    await using relay = await start(engine, ["/bin/cat"], ",max-clients=1");
    using first = await relay.connect("prog");
    await first.write("x");
    assert.equal(await first.readText(1), "x");
    using second = await relay.connect("prog");
    assert.equal((await second.readToEnd()).length, 0);
    assert.equal((await relay.device.events.next("channel-end")).reason, "too-many-channels");
    await using none = await start(engine, ["/no/such/program"]);
    using refused = await none.connect("prog");
    assert.equal((await refused.readToEnd()).length, 0);
    const ended = await none.device.events.next("channel-end");
    assert.deepEqual([ended.reason, ended.error], [
      "service-unreachable",
      "there is no program /no/such/program, or none that its first line names",
    ]);
  });

  test(`${engine}: who is left behind with a program's output does not keep its client`, async () => {
    await using relay = await start(engine, shell("sleep 1000 & echo done"));
    assert.equal(await textOf(relay), "done\n");
  });

  if (engine === "portable") continue; // which has no terminals: a device refuses such a service at its start
  test(`${engine}: a program may have a terminal`, async () => {
    const script = 'tty; stty size; trap "echo bye" EXIT; read line; echo "got $line"';
    await using relay = await start(engine, shell(script), ",pty");
    using client = await relay.connect("prog");
    await client.write("hello\n");
    const text = new TextDecoder().decode(await client.readToEnd()).replaceAll("hello\r\n", "HELLO ");
    assert.match(text.replaceAll("HELLO ", "").replace("got ", "got"), /\/dev\/pts\/\d+\r\n24 80\r\ngotbye\r\n$/);
    assert.match(text, /got HELLO/);
    assert.equal((await relay.device.events.next("channel-end")).reason, "service-closed");
  });
}

function isThere(pid: number): boolean {
  try {
    Deno.statSync(`/proc/${pid}/exe`);
    return true;
  } catch {
    return false;
  }
}
