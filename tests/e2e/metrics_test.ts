/**
 * A server and a device, and a real Prometheus that scrapes both.
 *
 * @module
 */

import assert from "node:assert/strict";
import { CHANNEL_END_REASONS } from "../../protocol/reasons.ts";
import { Child } from "../rig/processes/child.ts";
import { processTest } from "../rig/processes/harness.ts";
import { type Daemon, startDevice } from "../rig/processes/daemons.ts";
import { echoRelay, serviceOpen } from "../rig/processes/relay.ts";
import { portOf } from "../rig/ports.ts";
import { Stream } from "../rig/stream.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { poll } from "../rig/wait.ts";

const METRICS = ["--metrics", "127.0.0.1:0"];

async function metricsOf(daemon: Daemon): Promise<string> {
  const [, address] = await daemon.child.line(/^metrics (\S+:\d+)$/);
  return address!;
}

async function get(url: string, init?: RequestInit): Promise<{ status: number; text: string; type: string | null }> {
  const answer = await fetch(url, init);
  return { status: answer.status, text: await answer.text(), type: answer.headers.get("content-type") };
}

/** A port that nobody has now. */
function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

processTest("server and device have metrics, health and readiness at --metrics, and nothing else", [], async () => {
  await using echo = await echoRelay({ server: METRICS });
  const { relay } = echo;
  const at = `http://${await metricsOf(relay.server)}`;
  using client = await Stream.connect(relay.hostPort);
  await client.write("hello");
  await client.read(5);
  await relay.command("drop", "gw1");
  await relay.server.child.line(/^link-resumed gw1 /);
  await client.write("again");
  await client.read(5);
  const { status, text, type } = await get(`${at}/metrics`);
  assert.deepEqual([status, type], [200, "text/plain; version=0.0.4; charset=utf-8"]);
  for (
    const line of [
      'sallyport_links{state="online"} 1',
      "sallyport_link_starts_total 1",
      'sallyport_interruptions_total{reason="dropped"} 1',
      'sallyport_resumes_total{kind="resumed"} 1',
      "sallyport_interruption_seconds_count 1",
      'sallyport_channels{state="open"} 1',
      'sallyport_carried_bytes_total{direction="up"} 10',
      'sallyport_device_online{device="gw1"} 1',
      'sallyport_device_carried_bytes_total{device="gw1",direction="down"} 10',
      "sallyport_devices 1",
      "sallyport_host_ports 1",
      "sallyport_enrolled_total 1",
    ]
  ) assert.ok(text.includes(`\n${line}\n`), `${line} is not in\n${text}`);
  assert.deepEqual((await get(`${at}/healthz`)).status, 200);
  assert.deepEqual((await get(`${at}/readyz`)).status, 200);
  assert.deepEqual((await get(`${at}/v1/server`)).status, 404);
  assert.deepEqual((await get(`${at}/metrics`, { method: "POST" })).status, 405);
  assert.deepEqual((await get(`${at}/metrics`, { method: "HEAD" })).text, "");
  const open = await get(`${at}/metrics`, { headers: { accept: "application/openmetrics-text" } });
  assert.match(open.text, /# EOF\n$/);
});

processTest(
  "promtool finds nothing to say, and a real Prometheus scrapes both sides",
  ["prometheus", "promtool"],
  async () => {
    using folder = new TempFolder();
    await using echo = await echoRelay({ server: METRICS });
    const server = await metricsOf(echo.relay.server);
    const { text } = await get(`http://${server}/metrics`);
    const check = new Deno.Command("promtool", {
      args: ["check", "metrics"],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    })
      .spawn();
    const input = check.stdin.getWriter();
    await input.write(new TextEncoder().encode(text));
    await input.close();
    const { success, stdout, stderr } = await check.output();
    assert.ok(success, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr));
    const config = `${folder.path}/prometheus.yml`;
    const port = freePort();
    await Deno.writeTextFile(
      config,
      `global: { scrape_interval: 1s, scrape_timeout: 1s }\nscrape_configs:\n` +
        `  - { job_name: sallyport, static_configs: [{ targets: ["${server}"] }] }\n`,
    );
    await using _prometheus = Child.start("prometheus", [
      "prometheus",
      `--config.file=${config}`,
      `--storage.tsdb.path=${folder.path}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    const ask = async (query: string): Promise<string | undefined> => {
      try {
        const { text } = await get(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`);
        const { data } = JSON.parse(text) as { data: { result: { value: [number, string] }[] } };
        return data.result[0]?.value[1];
      } catch {
        return undefined; // it is still starting
      }
    };
    let seen: string | undefined;
    await poll(async () => (seen = await ask('sallyport_device_online{device="gw1"}')) === "1", () => `it has ${seen}`);
    assert.equal(await ask('up{job="sallyport"}'), "1");
    assert.equal(await ask('sallyport_links{state="online"}'), "1");
    assert.equal(await ask("count(sallyport_channel_ends_total)"), String(CHANNEL_END_REASONS.length));
  },
);

processTest("a device tells of its link, its services and what it carried", [], async () => {
  await using echo = await echoRelay();
  await echo.relay.device.child.kill();
  const args = ["--state", echo.relay.folder.path, ...METRICS];
  await using device = startDevice(args);
  const at = `http://${await metricsOf(device)}`;
  const host = await serviceOpen(device, "echo");
  assert.equal((await get(`${at}/readyz`)).status, 200);
  const client = await Stream.connect(portOf(host));
  await client.write("hello");
  await client.read(5);
  client.close();
  let text = "";
  const ended = 'sallyport_channel_ends_total{reason="client-closed"} 1';
  await poll(async () => (text = (await get(`${at}/metrics`)).text).includes(ended), () => text);
  for (
    const line of [
      'sallyport_link_state{state="online"} 1',
      'sallyport_carried_bytes_total{direction="up"} 5',
      'sallyport_service_reachable{service="echo"} 1',
      "sallyport_link_starts_total 1",
    ]
  ) assert.ok(text.includes(`\n${line}\n`), `${line} is not in\n${text}`);
});
