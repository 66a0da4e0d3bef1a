/**
 * SIGTERM and SIGINT, in the middle of things.
 *
 * @module
 */

import assert from "node:assert/strict";
import { noise } from "../rig/bytes.ts";
import { echoService, Service } from "../rig/service.ts";
import { Stream } from "../rig/stream.ts";
import type { Daemon } from "../rig/processes/daemons.ts";
import { V1Relay } from "../rig/processes/relay.ts";
import { processTest } from "../rig/processes/harness.ts";

/** Longest orderly end, with something for a machine that is busy. */
const SHUTDOWN_MS = 5_000 + 1_500;

const block = noise(64 * 1024, 1);

for (const side of ["server", "device"] as const) {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    processTest(`v1: ${signal} to an idle ${side}: exit code 0, and its peer notices`, [], async () => {
      await using service = echoService();
      await using relay = await V1Relay.start([`127.0.0.1:${service.port}`]);
      relay[side].child.signal(signal);
      assert.equal(await relay[side].child.end(SHUTDOWN_MS), 0);
      if (side === "server") await relay.device.child.line(/^lost 127\.0\.0\.1:\d+ peer-closed$/);
      else assert.equal((await relay.server.logged(/^link down/))["reason"], "peer-closed");
      await assert.rejects(Stream.connect(relay.hostPort), Deno.errors.ConnectionRefused);
    });
  }

  for (const direction of ["up", "down", "both ways"] as const) {
    processTest(`v1: SIGTERM to the ${side} amid a transfer ${direction}: what was read is delivered`, [], async () => {
      const up = direction !== "down";
      const down = direction !== "up";
      await using service = new Service();
      await using relay = await V1Relay.start([`127.0.0.1:${service.port}`]);
      const transfers = await Promise.all(Array.from({ length: 4 }, async () => {
        using stack = new DisposableStack();
        const client = stack.use(await Stream.connect(relay.hostPort));
        await client.write("x");
        return { client, rest: stack.move() };
      }));
      const sending: Promise<void>[] = [];
      const counting: Promise<{ readonly up: number; readonly down: number }>[] = [];
      const flowing = Promise.withResolvers<void>();
      using stack = new DisposableStack();
      for (const { client, rest } of transfers) {
        stack.use(rest);
        const accepted = stack.use(await service.accept());
        if (up) sending.push(pour(client));
        if (down) sending.push(pour(accepted));
        const counts = [drain(accepted, up && flowing.resolve), drain(client, down && flowing.resolve)];
        counting.push(Promise.all(counts).then(([up = 0, down = 0]) => ({ up, down })));
      }
      await flowing.promise;
      const asked = performance.now();
      relay[side].child.signal("SIGTERM");
      assert.equal(await relay[side].child.end(), 0);
      assert.ok(performance.now() - asked < SHUTDOWN_MS, "the end came in time");
      const arrived = await Promise.all(counting);
      await Promise.all(sending);

      const lines = relay[side].log.filter(({ message }) => message.startsWith("client "));
      assert.deepEqual(lines.map((line) => line["reason"]), lines.map(() => "shutting-down"));
      const read = lines.map((line) => ({ up: Number(line["bytesUp"]), down: Number(line["bytesDown"]) }));
      // Clients and connections to the service are not in the same order: all together say it too.
      const all = [sum(arrived, "up"), sum(arrived, "down")];
      const wanted = [sum(read, "up"), sum(read, "down")];
      assert.deepEqual(all, wanted);
    });
  }

  processTest(`v1: a second signal ends the ${side} at once, with 130`, [], async () => {
    await using stuck = await stuckRelay(side);
    stuck.daemon.child.signal("SIGTERM");
    await stuck.daemon.logged(/^SIGTERM: shutting down/);
    const asked = performance.now();
    stuck.daemon.child.signal("SIGINT");
    assert.equal(await stuck.daemon.child.end(), 130);
    assert.ok(performance.now() - asked < 1_000, "at once");
  });
}

processTest("v1: a server or a device whose reader takes nothing ends within 5 s, with 0", [], async () => {
  await Promise.all((["server", "device"] as const).map(async (side) => {
    await using stuck = await stuckRelay(side);
    const asked = performance.now();
    stuck.daemon.child.signal("SIGTERM");
    assert.equal(await stuck.daemon.child.end(), 0);
    const took = performance.now() - asked;
    assert.ok(took > 1_000 && took < SHUTDOWN_MS, `the ${side} took ${took} ms`);
  }));
});

/** A relay of which one side has bytes that nobody takes: a client's that does not read, or a service's. */
async function stuckRelay(side: "server" | "device"): Promise<AsyncDisposable & { readonly daemon: Daemon }> {
  await using stack = new AsyncDisposableStack();
  const service = stack.use(new Service());
  const relay = stack.use(await V1Relay.start([`127.0.0.1:${service.port}`]));
  const client = stack.use(await Stream.connect(relay.hostPort));
  await client.write("x");
  const accepted = stack.use(await service.accept());
  // The kernel's buffers and the relay's fill up, until a write does not come back for a while.
  const sender = side === "server" ? accepted : client;
  let written = 0;
  const pouring = pour(sender, (count) => written += count);
  for (let before = -1; before !== written;) {
    before = written;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  const rest = stack.move();
  return {
    daemon: relay[side],
    async [Symbol.asyncDispose]() {
      await rest.disposeAsync();
      await pouring;
    },
  };
}

/** Writes without end, until the connection breaks. */
async function pour(stream: Stream, onWritten: (count: number) => void = () => {}): Promise<void> {
  try {
    for (;;) onWritten(await stream.conn.write(block));
  } catch {
    // The relay has gone, or the test has closed it.
  }
}

/** Counts what comes to the end, and closes then; tells when it is more than a few MiB. */
async function drain(stream: Stream, onFlow: (() => void) | false): Promise<number> {
  let count = 0;
  for (;;) {
    const piece = await stream.readSome();
    if (piece === null) {
      stream.close();
      return count;
    }
    count += piece.length;
    if (onFlow && count > 5_000_000) onFlow();
  }
}

function sum<K extends string>(counts: readonly Readonly<Record<K, number>>[], key: K): number {
  return counts.reduce((total, count) => total + count[key], 0);
}
