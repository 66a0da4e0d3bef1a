/**
 * What the how-tos have to paste, as it stands there: programs that make an ssh configuration and an inventory out of the
 * list of devices, and a reverse proxy in front of a Unix socket.
 *
 * @module
 */

import assert from "node:assert/strict";
import { Child } from "../rig/processes/child.ts";
import { succeed } from "../rig/processes/commands.ts";
import { sallyport } from "../rig/processes/daemons.ts";
import { processTest } from "../rig/processes/harness.ts";
import { V2Relay } from "../rig/processes/relay.ts";
import { find } from "../rig/processes/programs.ts";
import { canConnect, freePort } from "../rig/ports.ts";
import { TempFolder } from "../rig/temp_folder.ts";
import { poll } from "../rig/wait.ts";

/** The blocks of a page in a language, in their order. */
function blocks(page: string, language: string): string[] {
  const text = Deno.readTextFileSync(new URL(`../../docs/how-to/${page}`, import.meta.url));
  return [...text.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].filter((block) => block[1] === language)
    .map((block) => block[2]!);
}

/** Runs a command to its end. @returns its stdout. */
async function run(command: readonly string[], env: Record<string, string> = {}): Promise<string> {
  await using child = Child.start(command[0]!, command, { env });
  assert.equal(await child.end(), 0, child.stderr.join("\n"));
  return child.stdout.join("\n");
}

processTest("the list of devices becomes an ssh configuration and an inventory", ["python3", "ssh"], async () => {
  await using relay = await V2Relay.start(["ssh=127.0.0.1:9"]);
  const { folder, hostPort } = relay;
  await succeed("server", ["tag", "gw1", "site:berlin", "--state", folder.path]);
  const [config = "", inventory = ""] = blocks("ssh-fleets.md", "python");
  const list = folder.write("list.json", (await relay.command("devices", "--json")).join("\n"));
  const gateways = await run(["sh", "-c", 'python3 "$1" < "$2"', "sh", folder.write("ssh_config.py", config), list]);
  const [common = ""] = blocks("ssh-fleets.md", "text");
  const file = folder.write("config", `${gateways}\n${common.replace(/^Include.*$/m, "")}`);
  const settings = (await run(["ssh", "-G", "-F", file, "gw1"])).split("\n");
  for (const setting of [`port ${hostPort}`, "hostname relay.example", "hostkeyalias gw1", "user root"]) {
    assert.ok(settings.includes(setting), `${setting} is not among ${settings.join(", ")}`);
  }
  const command = sallyport("server", []).map((word) => `'${word}'`).join(" ");
  // Of the role's own binary, too: its name stands for the word behind `sallyport`.
  folder.write("sallyport", `#!/bin/sh\nshift\nexec ${command} "$@" --state '${folder.path}'\n`, 0o700);
  const env = { PATH: `${folder.path}:${Deno.env.get("PATH")}` };
  const groups = JSON.parse(await run(["python3", folder.write("inventory.py", inventory)], env));
  assert.deepEqual(groups, { _meta: { hostvars: {} }, site_berlin: { hosts: ["gw1"] } });
});

processTest(
  "nginx in front of a Unix socket tells the page who its client is",
  ["nginx", "curl", "openssl"],
  async () => {
    await using web = page();
    using folder = new TempFolder();
    const { path } = folder;
    const socket = `${path}/web.sock`;
    const service = ["--service", `web=127.0.0.1:${web.addr.port}`];
    await using relay = await V2Relay.start([], { grants: [`web=unix:${socket}`], device: service });
    await relay.device.child.line(/^service web unix:/);
    const [cert, key] = [`${path}/cert.pem`, `${path}/key.pem`];
    const subject = ["-subj", "/CN=gw1.relay.example"];
    await run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert, ...subject]);
    const port = freePort("127.0.0.1");
    const [block = ""] = blocks("web-uis.md", "nginx");
    const site = block.replace("/run/sallyport/gw1-web.sock", socket).replace("listen 443", `listen 127.0.0.1:${port}`)
      .replace("/etc/ssl/relay.pem", cert).replace("/etc/ssl/relay.key", key);
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) =>
      `${name}_temp_path ${path}/${name};`
    );
    const http = `http {\n${temporary.join("\n")}\naccess_log off;\n${site}\n}\n`;
    const user = Deno.uid() === 0 ? "user root;\n" : ""; // the socket is its own user's alone
    const config = folder.write(
      "nginx.conf",
      `${user}daemon off;\nmaster_process off;\npid ${path}/nginx.pid;\nevents {}\n${http}`,
    );
    await using _nginx = Child.start("nginx", [find("nginx")!, "-e", "stderr", "-p", path, "-c", config]);
    await poll(() => canConnect(port), () => "nginx does not listen");
    const resolve = ["--resolve", `gw1.relay.example:${port}:127.0.0.1`, "--interface", "127.0.0.3"];
    const text = await run(["curl", "-sSk", ...resolve, `https://gw1.relay.example:${port}/status`]);
    assert.equal(text, "gw1.relay.example 127.0.0.3 https");
  },
);

function page() {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const names = ["host", "x-forwarded-for", "x-forwarded-proto"];
    return new Response(names.map((name) => request.headers.get(name) ?? "none").join(" "));
  });
}
