/**
 * A server that reads its configuration anew, while a device and a client are there.
 *
 * @module
 */

import assert from "node:assert/strict";
import { V2_KEEP_ALIVE } from "../../protocol/keep_alive.ts";
import { adminClient } from "../../app/admin/client.ts";
import { outcome } from "../rig/processes/commands.ts";
import { processTest } from "../rig/processes/harness.ts";
import { startDevice, startServer } from "../rig/processes/daemons.ts";
import { enrol, joinArgs, serviceOpen } from "../rig/processes/relay.ts";
import { echoService } from "../rig/service.ts";
import { freePort, portOf, refusesClients } from "../rig/ports.ts";
import { Stream } from "../rig/stream.ts";
import { TempFolder } from "../rig/temp_folder.ts";

/** What the environment says goes before the file. */
const NO_ENGINE = { SALLYPORT_ENGINE: "" };

processTest(
  "a server reads its file anew: what can change does, nobody is cut, and a mistake changes nothing",
  [],
  async () => {
    using folder = new TempFolder();
    const more = freePort("127.0.0.1");
    const first = freePort("127.0.0.1");
    const sections = (...addresses: string[]) => addresses.map((at) => `[[listen]]\naddress = "${at}"`);
    const write = (...lines: string[]) => folder.write("server.toml", lines.join("\n"));
    const file = write(...sections(`127.0.0.1:${first}`));
    await using echo = echoService();
    await using server = await startServer(["--config", file, "--state", folder.path], { env: NO_ENGINE });
    const text = await enrol(folder.path, server.address, ["echo"]);
    await using device = startDevice(joinArgs(folder.path, text, [`echo=127.0.0.1:${echo.port}`]));
    const hostPort = portOf(await serviceOpen(device, "echo"));
    const reload = async () => {
      const { code, stdout, stderr } = await outcome("server", ["reload", "--state", folder.path]);
      return { code, lines: stdout, stderr };
    };
    using client = await Stream.connect(hostPort);
    const talk = async () => {
      await client.write("x");
      await client.read(1);
    };
    await talk();
    assert.deepEqual((await reload()).lines, ["nothing is different"]);

    write('log-level = "debug"', 'expiration = "30s"', ...sections(`127.0.0.1:${first}`, `127.0.0.1:${more}`));
    assert.deepEqual((await reload()).lines, [
      `changed listens at 127.0.0.1:${more}, too`,
      "changed expiration 15s -> 30s, for links and clients to come",
      "changed log-level info -> debug",
    ]);
    (await Stream.connect(more))[Symbol.dispose]();
    await talk();
    const idle = async () => {
      using api = adminClient({ socket: `${folder.path}/server/admin.sock` });
      return (await api.get<{ keepAlive: { idleTimeout: number } }>("/v1/devices/gw1")).keepAlive.idleTimeout;
    };
    assert.equal(await idle(), 1_000);
    write(
      'log-level = "debug"',
      'expiration = "30s"',
      'idle-timeout = "7s"',
      ...sections(...[first, more].map((port) => `127.0.0.1:${port}`)),
    );
    assert.deepEqual((await reload()).lines, ["changed keep-alive adaptive -> 7s,1s,2"]);
    assert.equal(await idle(), 7_000, "it holds for a device that is linked");

    // What an act has set holds, until an act sets what the server has.
    const listeners = sections(...[first, more].map((port) => `127.0.0.1:${port}`));
    const ownIdle = async (before: number, seconds: number) => {
      write('log-level = "debug"', 'expiration = "30s"', `idle-timeout = "${seconds}s"`, ...listeners);
      assert.deepEqual((await reload()).lines, [`changed keep-alive ${before}s,1s,2 -> ${seconds}s,1s,2`]);
      return await idle();
    };
    const act = async (idleTimeout: number) => {
      using api = adminClient({ socket: `${folder.path}/server/admin.sock` });
      const { probeInterval, probeCount } = V2_KEEP_ALIVE;
      await api.post("/v1/devices/gw1/keep-alive", { endpoint: "server", idleTimeout, probeInterval, probeCount });
    };
    await act(5_000);
    assert.equal(await ownIdle(7, 9), 5_000);
    await act(9_000);
    assert.equal(await ownIdle(9, 8), 8_000);

    write('log-level = "loud"');
    const { code, stderr } = await reload();
    Deno.truncateSync(file); // as an editor does that is about to write it
    const empty = await reload();
    assert.deepEqual(
      [empty.code, /server\.toml is empty; .*write a comment/.test(empty.stderr)],
      [1, true],
      empty.stderr,
    );
    assert.deepEqual([code, /server\.toml:1:\d+.*"loud"/.test(stderr)], [1, true], stderr);
    write('log-level = "warn"', ...sections(`127.0.0.1:${first}`, `127.0.0.1:${more}`, `127.0.0.1:${hostPort}`));
    const taken = await reload();
    assert.deepEqual([taken.code, new RegExp(`:${hostPort}`).test(taken.stderr)], [1, true], taken.stderr);

    write('engine = "portable"', 'log-level = "debug"', 'expiration = "30s"', ...sections(`127.0.0.1:${more}`));
    server.child.signal("SIGHUP");
    await server.logged(/not changed: engine cannot change without a restart/);
    await refusesClients(first, "127.0.0.1");
    await talk();
    assert.deepEqual((await reload()).lines, ["not changed: engine cannot change without a restart"]);
  },
);

processTest("a broken file of devices is named as what keeps the server's own file out of force", [], async () => {
  using folder = new TempFolder();
  const [first, more] = [freePort("127.0.0.1"), freePort("127.0.0.1")];
  const listen = (...ports: number[]) => ports.map((port) => `[[listen]]\naddress = "127.0.0.1:${port}"\n`).join("");
  const file = folder.write("server.toml", listen(first));
  await using server = await startServer(["--config", file, "--state", folder.path]);
  folder.write("server/devices.toml", "[gw6\n");
  folder.write("server.toml", listen(first, more));
  server.child.signal("SIGHUP");
  const { message } = await server.logged(/nothing was changed/);
  assert.match(message, /nothing was changed: the file of devices cannot .*devices\.toml:1:\d+: .*\] is missing/);
  await refusesClients(more);
});

processTest("a file that has changed is read anew by itself, and one with a mistake changes nothing", [], async () => {
  using folder = new TempFolder();
  const [first, more] = [freePort("127.0.0.1"), freePort("127.0.0.1")];
  const listen = (...ports: number[]) => ports.map((port) => `[[listen]]\naddress = "127.0.0.1:${port}"\n`).join("");
  const file = folder.write("server.toml", listen(first));
  await using server = await startServer(["--config", file, "--state", folder.path]);
  folder.write("server.toml", `log-level = "loud"\n${listen(first, more)}`);
  const { message } = await server.logged(/has changed: nothing was changed/);
  assert.match(message, /server\.toml:1:\d+: .*"loud"/);
  await refusesClients(more);
  folder.write("server.toml", listen(first, more));
  await server.logged(/reloaded: listens at/);
  (await Stream.connect(more))[Symbol.dispose]();
});
