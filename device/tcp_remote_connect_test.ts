import assert from "node:assert/strict";
import { ConfigError } from "../app/toml/config_error.ts";
import { engineChoice } from "../tests/rig/engine.ts";
import { portOf } from "../tests/rig/ports.ts";
import { echoService } from "../tests/rig/service.ts";
import { Stream } from "../tests/rig/stream.ts";
import { folderTest } from "../tests/rig/test.ts";
import { startV1Server } from "../tests/rig/v1/relay.ts";
import { within } from "../tests/rig/wait.ts";
import { tcpRemoteConnect } from "./tcp_remote_connect.ts";

folderTest(
  "tcpRemoteConnect takes from the configuration what it is not given, as the seed's example does",
  async (folder) => {
    await using service = echoService();
    await using server = await startV1Server([`127.0.0.1:${service.port}`]);
    const config = `${folder}/device.toml`;
    await Deno.writeTextFile(
      config,
      `profile = "v1"\nserver = "127.0.0.1:${server.port}"\nservice = "127.0.0.1:${service.port}"\n`,
    );
    for (const options of [{ config }, { config, localAddress: "127.0.0.1", localPort: service.port }]) {
      const remote = tcpRemoteConnect({ ...options, engine: engineChoice });
      await remote.ready;
      using client = await Stream.connect(portOf((await server.events.next("host-open")).hostAddress));
      await client.write("x");
      assert.equal(await client.readText(1), "x");
      remote.close();
      await within(remote.closed, "the end of the handle");
      await server.events.next("link-down");
    }
  },
);

folderTest("tcpRemoteConnect says what is given nowhere, or given twice", async (folder) => {
  const config = `${folder}/device.toml`;
  await Deno.writeTextFile(config, `server = "relay.example"\nservice = ["127.0.0.1:1", "127.0.0.1:2"]\n`);
  const cases: [Parameters<typeof tcpRemoteConnect>[0], RegExp][] = [
    [
      { serverAddress: "a", config },
      /^2 are configured as service; v1's command takes one: SALLYPORT_SERVICE, or "service"/,
    ],
    [{ localAddress: "b", localPort: 2, config: `${folder}/none` }, /^cannot read .*none: /],
    [{ serverAddress: "a" }, /^no service is given, nor is one configured/],
  ];
  for (const [options, says] of cases) {
    assert.throws(() => tcpRemoteConnect(options), (error) => error instanceof ConfigError && says.test(error.message));
  }
  assert.throws(() => tcpRemoteConnect({ serverAddress: "a", localPort: 1 }), /go together; give both, or neither$/);
  await Promise.resolve();
});
