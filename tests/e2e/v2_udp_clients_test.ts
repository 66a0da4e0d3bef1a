/**
 * Stock clients of UDP through the relay: dig, logger, snmpget, iperf3.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Child } from "../rig/processes/child.ts";
import { processTest } from "../rig/processes/harness.ts";
import { find } from "../rig/processes/programs.ts";
import { freePort } from "../rig/ports.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { UdpPeer } from "../rig/udp.ts";
import { startV2Relay } from "../rig/v2/relay.ts";

/** Answers a question about any name with one A record, 192.0.2.7 (RFC 1035). */
function dnsAnswer(question: Uint8Array): Uint8Array {
  let end = 12;
  while (question[end] !== 0) end += question[end]! + 1;
  end += 5;
  const answer = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 7];
  const header = [question[0]!, question[1]!, 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
  return Uint8Array.from([...header, ...question.subarray(12, end), ...answer]);
}

/** A port of UDP that was free a moment ago. */
async function freeUdpPort(): Promise<number> {
  await using peer = await UdpPeer.bind();
  return peer.address.port;
}

processTest("v2: dig asks a name server behind the device", ["dig"], async () => {
  await using dns = await UdpPeer.bind(dnsAnswer);
  await using relay = await startV2Relay({
    services: [`dns=udp:127.0.0.1:${dns.address.port}`],
    grants: ["dns=udp:127.0.0.1:0"],
  });
  const dig = [find("dig")!, "@127.0.0.1", "-p", `${await relay.hostPort("dns")}`, "+short", "+tries=7", "+time=2"];
  for (const name of ["host.lan", "other.lan"]) {
    await using run = await Child.run("dig", [...dig, name, "A"]);
    assert.equal(run.stdout.at(-1), "192.0.2.7"); // a busy machine may lose a datagram, as dig says above then
  }
});

processTest("v2: logger's lines of syslog come to a collector behind the device, each whole", ["logger"], async () => {
  await using collector = await UdpPeer.bind();
  await using relay = await startV2Relay({
    services: [`syslog=udp:127.0.0.1:${collector.address.port}`],
    grants: ["syslog=udp:127.0.0.1:0"],
  });
  const port = `${await relay.hostPort("syslog")}`;
  for (const line of ["disk full", "disk free"]) {
    await Child.run("logger", [find("logger")!, "--udp", "--server", "127.0.0.1", "--port", port, line]);
    assert.match(await collector.text(), new RegExp(`^<13>1 .* ${line}$`));
  }
});

processTest("v2: snmpget and snmpbulkwalk ask an agent behind the device", ["snmpget", "snmpd"], async () => {
  using folder = new TempFolder();
  const port = await freeUdpPort();
  const conf = folder.write(
    "snmpd.conf",
    `agentAddress udp:127.0.0.1:${port}\nrocommunity public\nsysName gateway-7\n`,
  );
  await using _agent = Child.start("snmpd", [find("snmpd")!, "-f", "-Lo", "-C", "-c", conf], {
    env: { SNMP_PERSISTENT_DIR: folder.path },
  });
  await using relay = await startV2Relay({
    services: [`snmp=udp:127.0.0.1:${port}`],
    grants: ["snmp=udp:127.0.0.1:0"],
  });
  const at = `udp:127.0.0.1:${await relay.hostPort("snmp")}`;
  const options = ["-v2c", "-c", "public", "-On", "-t", "1", "-r", "20", at]; // the agent may still be starting
  await using get = await Child.run("snmpget", [find("snmpget")!, ...options, "1.3.6.1.2.1.1.5.0"], 30_000);
  assert.match(get.stdout.join("\n"), /^\.1\.3\.6\.1\.2\.1\.1\.5\.0 = STRING: "?gateway-7"?$/);
  await using walk = await Child.run("snmpbulkwalk", [find("snmpbulkwalk")!, ...options, "1.3.6.1.2.1.1"], 30_000);
  assert.ok(walk.stdout.length > 5, walk.tail);
});

processTest(
  "v2: iperf3 -u measures each way, over a service of TCP and one of UDP at one port",
  ["iperf3"],
  async () => {
    const port = freePort();
    await using server = Child.start("iperf3 -s", [
      find("iperf3")!,
      "-s",
      "--forceflush",
      "-B",
      "127.0.0.1",
      "-p",
      `${port}`,
    ]);
    await server.line(/Server listening/);
    const hostPort = freePort();
    await using relay = await startV2Relay({
      services: [`perf=127.0.0.1:${port}`, `perf-udp=udp:127.0.0.1:${port}`],
      grants: [`perf=127.0.0.1:${hostPort}`, `perf-udp=udp:127.0.0.1:${hostPort}`],
    });
    await relay.hostPort("perf");
    await relay.hostPort("perf-udp");
    const client = [
      find("iperf3")!,
      "-u",
      "-c",
      "127.0.0.1",
      "-p",
      `${hostPort}`,
      "-b",
      "5M",
      "-l",
      "1200",
      "-t",
      "1",
      "-J",
    ];
    for (const way of [[], ["-R"]]) {
      await using run = await Child.run("iperf3 -u", [...client, ...way]);
      assert.equal(await run.exited, 0, run.tail);
      const { end: { sum } } = JSON.parse(run.stdout.join("\n"));
      assert.ok(sum.packets > 300, `${sum.packets} datagrams`);
      assert.ok(sum.lost_percent < 50, `${sum.lost_percent} % lost`); // the machine may be busy
    }
  },
);
