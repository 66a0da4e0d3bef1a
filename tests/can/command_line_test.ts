/**
 * `sallyport canserver` as users run it.
 *
 * @module
 */

import assert from "node:assert/strict";
import { ExitCode } from "../../app/exit_codes.ts";
import { canserver, CanServerDaemon } from "../rig/processes/canserver.ts";
import { Child } from "../rig/processes/child.ts";
import { processTest } from "../rig/processes/harness.ts";
import { Stream } from "../rig/stream.ts";

async function outcome(...args: string[]) {
  await using child = Child.start("canserver", canserver(args));
  const code = await child.end();
  return { code, stdout: child.stdout, stderr: child.stderr.join("\n") };
}

processTest("--check prints what is in force, and starts nothing", [], async () => {
  const { code, stdout } = await outcome("--interface", "slcan", "--channel", "/dev/ttyACM0", "--check");
  assert.equal(code, ExitCode.OK);
  assert.deepEqual(stdout.slice(0, 3), [
    "bus /dev/ttyACM0",
    "clients at 0.0.0.0:54701",
    "bitrate as the first client says",
  ]);
});

processTest("--engine says which sockets, and a bus is served on either", [], async () => {
  const { stdout } = await outcome("--engine", "portable", "--check");
  assert.ok(stdout.includes("engine portable"), stdout.join());
  for (const engine of ["portable", "auto"]) {
    const bus = ["--interface", "virtual", "--channel", "lab", "--engine", engine];
    await using server = await CanServerDaemon.start(bus);
    using client = await Stream.connect(server.port);
    await client.write(Uint8Array.from([1, 4, 0, 7, 0xa1, 0x20, 10, 0]));
    assert.equal(await client.readText(5), "\x02\x03lab");
  }
});

processTest("mistakes and ports in use have their exit codes, and say what would do", [], async () => {
  const wrong = await outcome("--interface", "pcan");
  assert.equal(wrong.code, ExitCode.USAGE);
  assert.match(wrong.stderr, /none of socketcan, slcan, virtual/);
  await using server = await CanServerDaemon.start(["--interface", "virtual", "--channel", "lab"]);
  const second = await outcome("--interface", "virtual", "--host", "127.0.0.1", "--port", `${server.port}`);
  assert.equal(second.code, ExitCode.LISTEN);
  assert.match(second.stderr, /the port is in use/);
});

processTest("a bus of the kernel that is not there is told at the start", [], async () => {
  await using child = Child.start(
    "canserver",
    canserver(["--channel", "no-such-can", "--host", "127.0.0.1", "--port", "0"]),
  );
  const line = await child.logLine(
    (line) => /no CAN here|no interface no-such-can/.exec(line) ?? undefined,
    "what is missing",
  );
  if (line[0] === "no CAN here") {
    assert.equal(await child.end(), ExitCode.TROUBLE);
    assert.deepEqual([child.stdout, child.stderr.length], [[], 1], "nobody is told that it listens");
    const check = await outcome("--channel", "no-such-can", "--check");
    assert.deepEqual([check.code, check.stdout[0]], [ExitCode.TROUBLE, "bus no-such-can"]);
    assert.match(check.stderr, /no CAN here; .*modprobe can-raw/);
  } else assert.ok(await child.stop(), "it may come");
});

processTest("SIGTERM ends it in order, and its clients hear of it", [], async () => {
  await using server = await CanServerDaemon.start(["--interface", "virtual", "--channel", "lab"]);
  using client = await Stream.connect(server.port);
  await client.write(Uint8Array.from([1, 4, 0, 7, 0xa1, 0x20, 10, 0]));
  assert.equal(await client.readText(5), "\x02\x03lab");
  server.child.signal("SIGTERM");
  assert.deepEqual(await client.readToItsEnd(), { bytes: new Uint8Array(), end: "orderly" });
  client.close();
  assert.equal(await server.child.end(), ExitCode.OK);
});
