import assert from "node:assert/strict";
import { silentLogger } from "../../base/logger.ts";
import { RecordingLogger } from "../../tests/rig/logger.ts";
import { runProgram } from "../../tests/rig/processes/program.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { folderTest } from "../../tests/rig/test.ts";
import { poll } from "../../tests/rig/wait.ts";
import type { OpeningChange } from "../access/openings.ts";
import { DEVICES_POLL_MS, MAX_OPENINGS } from "../limits.ts";
import { key } from "../devices/_state_fixture_test.ts";
import { OpeningsFile, readOpenings } from "./openings_file.ts";

/** The server's commands as a program. */
const PROGRAM = `
import { Command } from "commander";
import { runProcess } from "./app/run.ts";
import { devicesCommands } from "./server/cli/files/devices.ts";
await runProcess("sallyport server", async () => {
  const server = new Command("server").exitOverride();
  for (const command of devicesCommands("sallyport server")) server.addCommand(command);
  await server.parseAsync(Deno.args, { from: "user" });
});
`;

/** A clock that stands still, with the wall clock of the machine. */
class Standing extends FakeClock {
  offset = Date.now() - super.wall();
  override wall(): number {
    return super.wall() + this.offset;
  }
}

folderTest("what is open for a time is open after a restart, and what is over is not", async (folder) => {
  const clock = new Standing();
  const file = await OpeningsFile.load(folder, clock, silentLogger);
  const since = clock.wall();
  const one = {
    device: "gw1",
    service: "ssh",
    since,
    until: since + 60_000,
    from: ["10.0.0.0/8"],
    reason: 'a "b"',
    by: "x",
  };
  file.openings.open(one);
  file.openings.open({ device: "gw.1", service: "web", since, until: since + 30_000, keepClients: true });
  const asked = { device: "gw1", service: "to-10.0.0.7-23", since, until: since + 60_000, to: "10.0.0.7:23" };
  file.openings.open({ ...asked, listen: "127.0.0.1:0" });
  file.openings.open({ device: "gw2", service: "db", since, until: since + 60_000 });
  file.openings.close("gw2", "db", "y");
  await file.close();
  clock.tick(30_000);
  const again = await OpeningsFile.load(folder, clock, silentLogger);
  assert.deepEqual(again.openings.all, [one, { ...asked, listen: "127.0.0.1:0" }]);
  assert.deepEqual(again.openings.asked("gw1").map(({ service }) => service), ["to-10.0.0.7-23"]);
  assert.deepEqual(again.openings.get("gw1", "ssh"), one);
  clock.tick(30_000);
  assert.equal(again.openings.get("gw1", "ssh"), undefined);
  await again.close();
  assert.equal(clock.pending, 0);
});

folderTest(
  "a server that runs hears of what commands open and close, and by whom; without one they work as well",
  async (folder) => {
    const place = ["--state", folder];
    await Deno.mkdir(`${folder}/server`, { mode: 0o700 });
    await Deno.writeTextFile(
      `${folder}/server/devices.toml`,
      `[gw1]\nkey = "${key(1)}"\n[gw1.services]\nssh = { listen = "0.0.0.0:1", closed = true }\nweb = "0.0.0.0:2"\n`,
    );
    const run = (...args: string[]) => runProgram(PROGRAM, [...args, ...place]);
    const opened = await run("open", "gw1/ssh", "--for", "1h", "--from", "198.51.100.7", "--reason", "ticket 7");
    assert.deepEqual([opened.code, opened.out], [0, ""]);
    assert.match(opened.err, /^gw1\/ssh is open until \d{4}-/);
    const clock = new Standing();
    const file = await OpeningsFile.load(`${folder}/server`, clock, silentLogger);
    const [opening] = file.openings.all;
    assert.deepEqual([opening!.from, opening!.reason, opening!.until - opening!.since], [
      ["198.51.100.7"],
      "ticket 7",
      3_600_000,
    ]);
    const changes: OpeningChange[] = [];
    file.openings.subscribe((change) => changes.push(change));
    const heard = async (count: number) => {
      await poll(() => (clock.tick(500), changes.length === count), () => `${changes.length} changes`);
    };
    assert.equal((await run("shut", "gw1/ssh")).code, 0);
    await heard(1);
    assert.equal(changes[0]!.open, false);
    assert.ok(changes[0]!.closedBy);
    assert.match((await run("shut", "gw1/ssh")).err, /was not opened, or is closed again already/);
    assert.equal((await run("open", "gw1/ssh", "--for", "30m", "--keep-clients")).code, 0);
    await heard(2);
    assert.deepEqual([changes[1]!.open, changes[1]!.opening.keepClients], [true, true]);
    await file.close();
    const mistakes: [string[], RegExp, number?][] = [
      [["open", "gw1/ssh"], /--for is missing; for example: --for 1h/],
      [
        ["open", "gw1/web", "--for", "1h"],
        /gw1\/web is not closed, .* write web = \{ listen = ".*", closed = true \} .* in .*\/devices.toml$/m,
        1,
      ],
      [["shut", "gw1/web"], /gw1\/web was not opened/, 1],
      [["shut", "gw1/db"], /has no service "db"; there are: ssh, web/],
      [["shut", "gw2/ssh"], /gw2/],
      [["open", "gw1/db", "--for", "1h"], /has no service "db"; there are: ssh, web/],
      [["open", "gw2/ssh", "--for", "1h"], /gw2/],
      [["open", "gw1", "--for", "1h"], /write DEVICE\/SERVICE, as in gw1\/ssh/],
      [["open", "gw1/ssh", "--for", "8d"], /7d is the longest/],
    ];
    for (const [args, says, exit = 2] of mistakes) {
      const { code, err } = await run(...args);
      assert.equal(code, exit, args.join(" "));
      assert.match(err, says);
    }
  },
);

folderTest("a damaged file is told with its line, and no more can be open than the bound", async (folder) => {
  const clock = new Standing();
  const file = await OpeningsFile.load(folder, clock, silentLogger);
  const since = clock.wall();
  for (let n = 0; n < MAX_OPENINGS; n++) {
    file.openings.open({ device: `gw${n}`, service: "s", since, until: since + 1_000 });
  }
  assert.throws(
    () => file.openings.open({ device: "one", service: "s", since, until: since + 1_000 }),
    /are the most; close one/,
  );
  await file.close();
  assert.equal((await readOpenings(folder)).length, MAX_OPENINGS);
  await Deno.writeTextFile(`${folder}/openings.toml`, "[gw1.ssh]\nuntil = 5\n", { mode: 0o600 });
  await assert.rejects(readOpenings(folder), /openings\.toml:2/);
});

folderTest("an opening that cannot be written is told of once, and written when that can be", async (folder) => {
  const clock = new Standing();
  const logger = new RecordingLogger();
  const file = await OpeningsFile.load(folder, clock, logger);
  Deno.mkdirSync(`${folder}/.lock`); // nobody can lock that
  const since = clock.wall();
  file.openings.open({ device: "gw1", service: "ssh", since, until: since + 600_000 });
  const warnings = () => logger.said.filter((line) => line.includes("is not written yet")).length;
  await poll(() => warnings() === 1, () => `${warnings()} warnings`);
  for (let look = 0; look < 5; look++) await clock.advance(DEVICES_POLL_MS);
  assert.equal(warnings(), 1);
  Deno.removeSync(`${folder}/.lock`);
  clock.tick(DEVICES_POLL_MS);
  await file.close();
  assert.deepEqual((await readOpenings(folder)).map(({ service }) => service), ["ssh"]);
});
