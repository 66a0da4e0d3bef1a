import assert from "node:assert/strict";
import { ConfigError } from "./toml/config_error.ts";
import { foreignConfig } from "./foreign_config.ts";
import { TomlTable } from "./toml/table.ts";

const STRICT = { sanitizeOps: true, sanitizeResources: true };

const FILES: [program: string, source: string][] = [
  ["frp", "# mine\nbindPort = 7000\n"],
  ["frp", 'serverAddr = "x.x.x.x"\nserverPort = 7000\n'],
  ["frp", "[common]\nserver_addr = 1.2.3.4\nserver_port = 7000\n"],
  ["frp", "serverAddr: 1.2.3.4\n"],
  ["frp", '{ "bindPort": 7000 }\n'.replace("{ ", "{\n  ")],
  ["frp", '[[proxies]]\nname = "ssh"\n'],
  ["rathole", '[server]\nbind_addr = "0.0.0.0:2333"\n'],
  ["rathole", '[client]\nremote_addr = "relay:2333"\n[client.services.ssh]\nlocal_addr = "127.0.0.1:22"\n'],
  ["rathole", '[server.services.ssh]\nbind_addr = "0.0.0.0:5202"\n'],
];

Deno.test("a file of another relay is told as such, with its place and what stands for it here", STRICT, () => {
  const file = Deno.makeTempFileSync();
  try {
    for (const [program, source] of FILES) {
      Deno.writeTextFileSync(file, source);
      assert.throws(() => TomlTable.load(file), (error) => {
        assert.ok(error instanceof ConfigError, source);
        assert.ok(error.message.includes(`: this looks like a file of ${program}; `), error.message);
        assert.match(error.message, /\n {2}\d \| .*\n +\^$/);
        return true;
      });
    }
  } finally {
    Deno.removeSync(file);
  }
});

Deno.test("files of ours are none of others", STRICT, () => {
  for (const name of ["server", "device", "devices"]) {
    const source = Deno.readTextFileSync(new URL(`../examples/${name}.toml`, import.meta.url));
    assert.equal(foreignConfig(source), undefined, name);
    assert.equal(foreignConfig(source.replace(/^# /gm, "")), undefined, name);
  }
});
