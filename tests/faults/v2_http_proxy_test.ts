/**
 * A gateway whose only way out is an HTTP proxy that wants credentials.
 *
 * @module
 */

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Child } from "../rig/processes/child.ts";
import { processTest } from "../rig/processes/harness.ts";
import { INNER_ROUTER_ADDRESS, NatNetwork, PUBLIC_ADDRESS } from "../rig/machines/nat_network.ts";
import { SERVER_PORT, timed, V2Machines } from "../rig/machines/v2_machines.ts";
import { enrol, joinArgs, startV2Server } from "../rig/processes/relay.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { startDevice } from "../rig/processes/daemons.ts";

const NEEDS = ["network namespaces (root, ip, nft)"] as const;
const PROXY = fileURLToPath(new URL("../rig/processes/http_proxy.ts", import.meta.url));

/** A colon and a per cent sign have to survive the way through a URL. */
const CREDENTIALS = "north gate:50% of:it";
const IN_URL = "north%20gate:50%25%20of%3Ait";

processTest(
  "--proxy with credentials is the way out where there is no other, and a client works through it",
  NEEDS,
  async () => {
    await using net = await proxyNetwork();
    await using machines = await V2Machines.start({
      net: net.network,
      device: ["--proxy", `http://${IN_URL}@${INNER_ROUTER_ADDRESS}:${net.port}`],
    });
    await net.proxy.line(new RegExp(`^connected ${PUBLIC_ADDRESS.replaceAll(".", "\\.")}:${SERVER_PORT}$`));
    await machines.sessionWorks();
    const up = await machines.server.logged(/^link up/);
    assert.equal(up["transport"], "tls");
  },
);

processTest("HTTPS_PROXY is obeyed, unless NO_PROXY names the server; then there is no way", NEEDS, async () => {
  await using net = await proxyNetwork();
  const env = { HTTPS_PROXY: `http://${IN_URL}@${INNER_ROUTER_ADDRESS}:${net.port}` };
  await using machines = await V2Machines.start({ net: net.network, env });
  await machines.sessionWorks();
  await machines.device.child.kill();
  await using barred = startDevice(["--state", machines.relay.folder.path], {
    prefix: net.network.on("device"),
    env: { ...env, NO_PROXY: `example.org,${PUBLIC_ADDRESS}` },
  });
  const failed = await barred.logged(/^cannot reach/);
  assert.match(failed.message, /no route|unreachable/i);
});

processTest("wrong credentials and a proxy that is not there are told in one clear line", NEEDS, async () => {
  await using net = await proxyNetwork();
  using folder = new TempFolder();
  const [there, here] = [net.network.on("server"), net.network.on("device")];
  await using server = await startV2Server(folder.path, [], { prefix: there, listen: `${PUBLIC_ADDRESS}:0` });
  const text = await enrol(folder.path, server.address, ["echo"], { prefix: there });
  const args = joinArgs(folder.path, text, ["echo=127.0.0.1:9"]);
  const proxy = `${INNER_ROUTER_ADDRESS}:${net.port}`;
  const wrong: [proxy: string, says: RegExp][] = [
    [`http://north:gate@${proxy}`, /407/],
    [`http://${proxy}`, /407/],
    [`http://${INNER_ROUTER_ADDRESS}:1`, /cannot reach the proxy at 192\.168\.77\.1:1: /],
  ];
  for (const [url, says] of wrong) {
    await using device = startDevice([...args, "--proxy", url], { prefix: here });
    const took = await timed(device.logged(/^cannot reach/));
    const failed = await device.logged(/^cannot reach/);
    assert.match(failed.message, says);
    assert.doesNotMatch(failed.message, /north:gate/, "credentials are no matter for a log");
    assert.ok(took < 5_000, `it took ${took} ms`);
  }
});

/** A network whose router forwards nothing, and a proxy on that router. */
async function proxyNetwork(): Promise<
  AsyncDisposable & { readonly network: NatNetwork; readonly proxy: Child; readonly port: number }
> {
  await using stack = new AsyncDisposableStack();
  const network = stack.use(await NatNetwork.create({ forward: false }));
  const command = [Deno.execPath(), "run", "--quiet", "-A", PROXY, INNER_ROUTER_ADDRESS, CREDENTIALS];
  const proxy = stack.use(Child.start("proxy", [...network.on("router"), ...command]));
  const [, port] = await proxy.line(/^port (\d+)$/);
  const end = stack.move();
  return { network, proxy, port: Number(port), [Symbol.asyncDispose]: () => end.disposeAsync() };
}
