import assert from "node:assert/strict";
import { TomlTable } from "../../app/toml/table.ts";
import { ConfigError } from "../../app/toml/config_error.ts";
import { test } from "../../tests/rig/test.ts";
import { parseForwards, readForwardRules, rejectStrays, withRules } from "./forwards.ts";

test("a forward is two addresses, of any family, and the service's port is not 0", () => {
  assert.deepEqual(parseForwards("[::1]:0=localhost:22"), [{
    hostAddress: { host: "::1", port: 0 },
    localAddress: { host: "localhost", port: 22 },
  }]);
  for (const text of ["", "127.0.0.1:1", "=a:1", "a:1=", "a:1=b:2=c:3"]) {
    assert.throws(() => parseForwards(text), { name: "SyntaxError", message: /write HOST_ADDRESS:HOST_PORT=/ }, text);
  }
  assert.throws(() => parseForwards("127.0.0.1:1=127.0.0.1:0"), /the local port .* is 0/);
});

test("a range in one line is a forward for each of its ports, in their order", () => {
  const forwards = parseForwards("[::1]:8000-8002=10.0.0.7:9000-9002");
  assert.deepEqual(
    forwards.map(({ hostAddress, localAddress }) => [hostAddress, localAddress]),
    [0, 1, 2].map((n) => [
      { host: "::1", port: 8000 + n },
      { host: "10.0.0.7", port: 9000 + n },
    ]),
  );
  const wrong: [string, RegExp][] = [
    ["a:8000-8002=b:9000-9001", /has 3 host ports and 2 local ones; write as many of each/],
    ["a:8000-8002=b:9000", /3 host ports and 1 local/],
    ["a:8002-8000=b:1-3", /is not a range; write one as in 8000-8010/],
    ["a:0-2=b:1-3", /is not a range/],
    ["a:1-2-3=b:1-3", /is not a range/],
    ["a:1-257=b:1-257", /too long; 256 ports can be/],
    ["a:1-70000=b:1-3", /is not a port/],
  ];
  for (const [text, says] of wrong) {
    assert.throws(() => parseForwards(text), (error) => error instanceof SyntaxError && says.test(error.message), text);
  }
});

const read = (text: string) => readForwardRules(TomlTable.parse("server.toml", text));

test("rules are for all forwards, and for one by its host address, which go first", () => {
  const rules = read(`[forward-rules]
max-clients = 5
deny-from = ["10.0.0.0/8"]
[forward-rules."127.0.0.1:1"]
max-clients = 1
`);
  const forwards = withRules(parseForwards("127.0.0.1:1-2=b:1-2"), rules);
  rejectStrays(rules, forwards);
  assert.deepEqual(forwards.map(({ access }) => access), [
    { maxClients: 1, denyFrom: ["10.0.0.0/8"] },
    { maxClients: 5, denyFrom: ["10.0.0.0/8"] },
  ]);
  assert.equal(withRules(forwards, undefined), forwards);
});

test("rules that belong to no forward, or that v1 cannot have, are refused with their line", () => {
  const stray = read('[forward-rules."127.0.0.1:9"]\nmax-clients = 1\n');
  const forwards = withRules(parseForwards("127.0.0.1:1=b:1"), stray);
  assert.throws(
    () => rejectStrays(stray, forwards),
    /no v1 listener has a forward at 127.0.0.1:9; there are: 127.0.0.1:1/,
  );
  const cases: [string, RegExp][] = [
    ['bandwidth-down = "1MB/s"', /server.toml:2.*cannot be had on v1/],
    ["closed = true", /server.toml:2.*cannot be had on v1/],
    ["allow-from = []", /"allow-from" is empty, so nobody could come/],
    ['hours = "08:00-18:00"', /not a window; write days, hours and a time zone/],
    ['client-rate = "10"', /not a rate; write one as in 10\/s/],
    ['bandwidth-up = "1MB"', /not a bandwidth; write one as in 500kB\/s/],
    ['bandwidth-up = "1kB/s"', /too little; 10kB\/s is the least/],
    ['[forward-rules."nonsense"]\nmax-clients = 1', /nonsense/],
  ];
  for (const [text, says] of cases) {
    assert.throws(
      () => read(`[forward-rules]\n${text}\n`),
      (error) => error instanceof ConfigError && says.test(error.message),
      text,
    );
  }
});
