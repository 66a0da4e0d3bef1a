import assert from "node:assert/strict";
import { ConfigError } from "../../app/toml/config_error.ts";
import { daemonCommand, readOptions } from "../../app/command.ts";
import { fileValues } from "../../app/options.ts";
import { TomlTable } from "../../app/toml/table.ts";
import { V2_KEEP_ALIVE } from "../../protocol/keep_alive.ts";
import { test } from "../../tests/rig/test.ts";
import { describeServer, SERVER_OPTIONS, serverConfig } from "./config.ts";

/** What the server makes of a command line and the text of a file. */
function configure(args: readonly string[], text?: string) {
  const command = daemonCommand("server", "", SERVER_OPTIONS, "").parse([...args], { from: "user" });
  const file = text === undefined ? undefined : TomlTable.parse("server.toml", text);
  return serverConfig(readOptions(SERVER_OPTIONS, command).values, file);
}

const SECTION = '[[listen]]\naddress = "127.0.0.1:2065"\nprofile = "v1"\nforward = "127.0.0.1:1=localhost:22"\n';

test("what is not given is left to the defaults, and what is given arrives in milliseconds", () => {
  const args = ["--listen", "127.0.0.1:0", "--profile", "v1", "--forward", "127.0.0.1:0=127.0.0.1:22"];
  assert.deepEqual(configure(args).keepAlive, "adaptive");
  assert.deepEqual(configure([...args, "--probe-count", "5"]).keepAlive, { ...V2_KEEP_ALIVE, probeCount: 5 });
  assert.deepEqual(Object.keys(configure(args)), ["listen", "engine", "hooks", "limits", "keepAlive"]);
  const more = configure([
    ...args,
    "--stall-timeout",
    "2s",
    "--half-close-timeout",
    "0",
    "--link-write-timeout",
    "never",
  ]);
  assert.deepEqual([more.stallTimeout, more.halfCloseTimeout, more.linkWriteTimeout], [2_000, 0, -1]);
});

test("every section of a file is a listener, described line by line", () => {
  const config = configure([], SECTION + SECTION.replace("2065", "2066").replace("127.0.0.1:1=", "127.0.0.1:3="));
  assert.deepEqual(describeServer(config), [
    "listen 127.0.0.1:2065 profile=v1 security=plain",
    "  forward 127.0.0.1:1 -> localhost:22",
    "listen 127.0.0.1:2066 profile=v1 security=plain",
    "  forward 127.0.0.1:3 -> localhost:22",
  ]);
});

test("load balancers are named for one listener, on the command line or in its section", () => {
  const described = ["listen 127.0.0.1:1 profile=v2 security=pinned proxy-from=10.0.0.0/8,::1"];
  const args = ["--listen", "127.0.0.1:1", "--proxy-from", "10.0.0.0/8", "--proxy-from", "::1"];
  assert.deepEqual(describeServer(configure(args)), described);
  const networks = 'proxy-from = ["10.0.0.0/8", "::1"]\n';
  assert.deepEqual(describeServer(configure([], `[[listen]]\naddress = "127.0.0.1:1"\n${networks}`)), described);
  assert.throws(
    () => configure(["--proxy-from", "::1"], SECTION),
    /"proxy-from" beside \[\[listen\]\] would belong to no listener/,
  );
  assert.throws(() => configure([], `${SECTION}proxy-from = "10.0.0.0/99"\n`), /"10.0.0.0\/99" is not a network/);
  assert.deepEqual(
    configure([], `[[listen]]\naddress = "127.0.0.1:1"\nproxy-from = []\n`).listen,
    configure(["--listen", "127.0.0.1:1"]).listen,
  );
});

test("hooks stand at the top of a file, and there is none for other events", () => {
  const config = configure([], `on-lost = ["alert", "--now"]\n${SECTION}`);
  assert.deepEqual(config.hooks, { lost: ["alert", "--now"] });
  assert.deepEqual(describeServer(config).slice(2), ['on-lost ["alert", "--now"]']);
  assert.throws(
    () => configure([], 'on-client = ["alert"]\n'),
    /^ConfigError: server\.toml:1:1: unknown key "on-client"/,
  );
  assert.throws(() => configure([], `${SECTION}on-lost = ["alert"]\n`), /^ConfigError: server\.toml:5:1: unknown key/);
});

test("mistakes in a section are named with their place", () => {
  const mistakes: [text: string, says: RegExp][] = [
    [SECTION.replace("profile", "prifole"), /^server\.toml:4:1: "forward": v2 devices offer services by name/],
    [SECTION.replace(/forward.*\n/, ""), /^server\.toml:1:1: "forward" is missing; for example: forward = \["/],
    [SECTION.replace(/address.*\n/, ""), /^server\.toml:1:1: "address" is missing; for example: address = "/],
    [`${SECTION}plain = true\n`, /^server\.toml:5:1: "plain": v1 is always plain/],
    [`[[listen]]\ntls-cert = "a"\n`, /^server\.toml:2:1: "tls-cert": tls-cert and tls-key belong together/],
    [
      `${SECTION}stall-timeout = "1s"\n`,
      /^server\.toml:5:1: unknown key "stall-timeout"; known here: address, profile/,
    ],
    [`${SECTION}fowrard = 1\n`, /^server\.toml:5:1: unknown key "fowrard"; did you mean "forward"\?/],
    [SECTION.replace('"v1"', "true"), /^server\.toml:3:1: "profile" has to be a text or a number/],
    [
      SECTION.replace("[[listen]]", "[listen]"),
      /^server\.toml:1:1: "listen" has to be a list of tables; write \[\[listen\]\]/,
    ],
    [
      SECTION.replace('"127.0.0.1:1=localhost:22"', "[]"),
      /^server\.toml:4:1: "forward" is missing; for example: forward = \["/,
    ],
    [
      SECTION.replace('"127.0.0.1:1=localhost:22"', '["127.0.0.1:1=a:1", "127.0.0.1:1=b:2"]'),
      /^server\.toml:4:1: "forward": 127\.0\.0\.1:1 is to be listened on twice/,
    ],
  ];
  for (const [text, says] of mistakes) {
    assert.throws(() => configure([], text), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, says);
      return true;
    });
  }
});

test("limits of the whole server are described where they are set, and mistakes in them refused", () => {
  const config = configure(["--max-links", "5", "--max-memory", "800MB", "--handshake-rate", "30/min"]);
  assert.deepEqual(config.limits, { links: 5, memory: 800e6, handshakeRate: { count: 30, per: 60_000 } });
  const lines = ["max-links 5", "max-memory 800MB", "handshake-rate 30/min"];
  assert.deepEqual(describeServer(config).slice(1), lines);
  for (const text of ["max-links = 0", 'max-memory = "lots"', 'handshake-rate = "5"', "max-sockets = -1"]) {
    const file = TomlTable.parse("server.toml", text);
    assert.throws(() => fileValues(SERVER_OPTIONS, file), /^ConfigError: server\.toml:1:\d+: "/);
  }
});
