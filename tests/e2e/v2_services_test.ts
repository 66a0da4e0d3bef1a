/**
 * Services of all kinds behind the relay on v2: a database, a web server behind the PROXY protocol, one that resets.
 *
 * @module
 */

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { canConnect, freePort } from "../rig/ports.ts";
import { Stream } from "../rig/stream.ts";
import { Child } from "../rig/processes/child.ts";
import { processTest } from "../rig/processes/harness.ts";
import { poll, within } from "../rig/wait.ts";
import { PostgresServer } from "../rig/processes/postgres.ts";
import { find } from "../rig/processes/programs.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { V2Relay } from "../rig/processes/relay.ts";

const POSTGRES = "PostgreSQL (postgres, initdb, psql, setpriv)";

processTest("v2: psql commits a transaction with 5,000 rows, and reads them back", [POSTGRES], async () => {
  await using postgres = await PostgresServer.start();
  await using relay = await V2Relay.start([`db=127.0.0.1:${postgres.port}`]);
  const psql = async (...commands: string[]) => {
    const url = `postgresql://postgres@127.0.0.1:${relay.hostPort}/postgres?sslmode=disable`;
    const args = commands.flatMap((command) => ["-c", command]);
    await using child = await Child.run("psql", ["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", url, ...args]);
    assert.equal(await child.exited, 0);
    return child.stdout;
  };
  const rows = Array.from({ length: 5_000 }, (_, at) => `(${at}, repeat('x', ${at % 300}))`);
  await psql(
    "CREATE TABLE t (n int PRIMARY KEY, text text)",
    "BEGIN",
    ...[0, 1, 2, 3, 4].map((part) => `INSERT INTO t VALUES ${rows.slice(part * 1000, part * 1000 + 1000).join()}`),
    "COMMIT",
  );
  assert.deepEqual(await psql("SELECT count(*), sum(length(text)) FROM t"), [`5000|${sumOfLengths(5_000)}`]);
  const all = await psql("SELECT n, length(text) FROM t ORDER BY n");
  assert.deepEqual(all, Array.from({ length: 5_000 }, (_, at) => `${at}|${at % 300}`));
});

processTest("v2: nginx behind proxy=v2 logs the client's own address and port", ["nginx", "curl"], async () => {
  for (const version of ["v1", "v2"]) {
    using folder = new TempFolder();
    const port = freePort("127.0.0.1");
    const config = folder.write("nginx.conf", nginxConfig(folder.path, port));
    await using nginx = Child.start("nginx", [find("nginx")!, "-e", "stderr", "-p", folder.path, "-c", config]);
    await poll(() => canConnect(port), () => "nginx does not listen");
    await using relay = await V2Relay.start([`web=127.0.0.1:${port},proxy=${version}`]);
    const from = freePort("127.0.0.3");
    await using curl = await Child.run("curl", [
      ...["curl", "-sS", "--noproxy", "*", "--interface", "127.0.0.3", "--local-port", String(from)],
      `http://127.0.0.1:${relay.hostPort}/`,
    ]);
    assert.deepEqual([await curl.exited, ...curl.stdout], [0, `hello 127.0.0.3:${from}`]);
    await nginx.line(new RegExp(`^client 127\\.0\\.0\\.3:${from} of 127\\.0\\.0\\.1:${relay.hostPort} got 200$`));
    const ended = await relay.server.logged(/^client .* ended/);
    assert.equal(ended["client"], `127.0.0.3:${from}`);
    assert.equal((await relay.device.logged(/^client .* ended/))["client"], `127.0.0.3:${from}`);
  }
});

processTest("v2: a service that resets ends its client at once, and both logs say so", [], async () => {
  const resets = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.resetAndDestroy());
  });
  await new Promise<void>((resolve) => resets.listen(0, "127.0.0.1", resolve));
  try {
    const { port } = resets.address() as { port: number };
    await using relay = await V2Relay.start([`rude=127.0.0.1:${port}`]);
    using client = await Stream.connect(relay.hostPort);
    await client.write("x");
    assert.equal((await within(client.readToEnd(), "the end", 2_000)).length, 0);
    assert.equal((await relay.server.logged(/^client .* ended/))["reason"], "service-reset");
    assert.equal((await relay.device.logged(/^client .* ended/))["reason"], "service-reset");
  } finally {
    await new Promise((resolve) => resets.close(resolve));
  }
});

function nginxConfig(folder: string, port: number): string {
  const temp = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) =>
    `${name}_temp_path ${folder}/${name};`
  );
  return `
daemon off; master_process off; pid ${folder}/pid; error_log stderr;
events {}
http {
  ${temp.join("\n  ")}
  log_format clients 'client $proxy_protocol_addr:$proxy_protocol_port of '
    '$proxy_protocol_server_addr:$proxy_protocol_server_port got $status';
  access_log /dev/stdout clients;
  server {
    listen 127.0.0.1:${port} proxy_protocol;
    location / { return 200 "hello $proxy_protocol_addr:$proxy_protocol_port\\n"; }
  }
}
`;
}
function sumOfLengths(rows: number): number {
  return Array.from({ length: rows }, (_, at) => at % 300).reduce((sum, length) => sum + length, 0);
}
