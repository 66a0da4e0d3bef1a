import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "../../tests/rig/test.ts";
import { parseNamedService, splitServices } from "../v2/named_service.ts";
import { parseService } from "../services.ts";
import { parseEndpoint } from "./registry.ts";
import { splitAtCommas } from "./split.ts";

const GOOD: readonly [text: string, address: string][] = [
  ["127.0.0.1:22", "127.0.0.1:22"],
  ["unix:80", "unix:80"],
  ["can:502", "can:502"],
  ["unix:/run/docker.sock", "unix:/run/docker.sock"],
  ["serial:/dev/ttyUSB0,9600,7e1,flow=rts,lock,share=read", "serial:/dev/ttyUSB0"],
  ["serial:7000", "serial:7000"],
  ["udp:127.0.0.1:161", "udp:127.0.0.1:161"],
  ["udp:[::1]:53,max-age=1s", "udp:[::1]:53"],
  ["udp:53", "udp:53"],
  ["unix:@/org/bus", "unix:@/org/bus"],
  ["unix:/tmp/.X11-unix/X0", "unix:/tmp/.X11-unix/X0"],
];

for (const [text, address] of GOOD) {
  test(`"${text}" is an endpoint`, () => assert.equal(parseEndpoint(text).address, address));
}

const BAD: readonly [text: string, why: RegExp][] = [
  ["", /./],
  ["unix:", /./],
  ["unix:docker.sock", /write its whole path, as in unix:\/run\/docker\.sock/],
  ["unix:./docker.sock", /write its whole path/],
  ["unix:@", /write its whole path/],
  ["unix:/", /write its whole path/],
  ["unix:/run/", /write its whole path/],
  ["unix:///run/docker.sock", /is a URL; write unix:\/run\/docker\.sock/],
  [`unix:/${"x".repeat(107)}`, /is too long: 108 bytes, and 107 are the most/],
  ["unix:/run/a\0b", /no control characters/],
  ["serial:/dev/ttyUSB0,9n1", /is no form of characters; write/],
  ["unix:/run/a,mode=0600", /"mode=0600" in .* is nothing here/],
  ["pipe:/run/docker.sock", /is no endpoint; write HOST:PORT, or one of unix:/],
  ["http://localhost:80", /URL|is no endpoint/],
  ["/run/docker.sock", /looks like a Unix socket; write unix:PATH/],
  ["docker.sock", /looks like a Unix socket/],
  ["@abstract", /looks like a Unix socket/],
  ["udp:127.0.0.1:0", /the port in .* is 0/],
  ["udp:127.0.0.1", /no port|has no/],
  ["udp:h:53,max-age=2m", /more than 1m/],
  ["udp:h:53,ttl=2", /"ttl=2" in .* is nothing here/],
  ["udp://127.0.0.1:53", /is a URL/],
  ["tcp:127.0.0.1:53", /TCP goes without saying/],
  ["127.0.0.1:0", /the port in .* is 0/],
];

for (const [text, why] of BAD) {
  test(`"${text.slice(0, 40)}" is no endpoint, and the message says why`, () => {
    assert.throws(() => parseEndpoint(text), (error) => error instanceof SyntaxError && why.test(error.message));
  });
}

test("a service has an endpoint in place of an address, and the same details behind it", () => {
  assert.deepEqual(parseNamedService("docker=unix:/run/docker.sock,max-clients=3,proxy=v2,down=refuse"), {
    name: "docker",
    endpoint: "unix:/run/docker.sock",
    maxClients: 3,
    proxy: 2,
    refuseWhenDown: true,
  });
});

test("on v1 a rule may say what is reached in place of what the server names", () => {
  const rule = parseService("127.0.0.1:2375=unix:/run/docker.sock");
  assert.equal(rule.endpoint, "unix:/run/docker.sock");
  assert.ok(rule.allows({ host: "127.0.0.1", port: 2375 }));
  assert.ok(!rule.allows({ host: "127.0.0.1", port: 2376 }));
  assert.throws(() => parseService("127.0.0.1:2375=unix:docker"), SyntaxError);
});

test("commas within brackets and their quotes do not split", () => {
  assert.deepEqual(splitAtCommas('exec:["/bin/a,b","\\"]",","],pty,x'), ['exec:["/bin/a,b","\\"]",","]', "pty", "x"]);
  assert.deepEqual(splitAtCommas("[::1]:22,b"), ["[::1]:22", "b"]);
  fc.assert(fc.property(fc.string(), (text) => assert.equal(splitAtCommas(text).join(","), text)));
});

test("a list of services is split behind the last option of each", () => {
  const services = [
    "a=unix:/run/a",
    "tty=serial:/dev/ttyS0,9600,8n1,flow=xon,lock,max-clients=1,replug=end",
    "ssh=127.0.0.1:22,proxy=v2",
    "b=unix:@b,max-clients=2",
    "c=h:1",
  ];
  assert.deepEqual(splitServices(services.join(",")), services);
});

test("whatever is written, there is an endpoint or one line about why not", () => {
  const word = fc.constantFrom(
    "unix:",
    "@",
    "/",
    ",",
    "[",
    '"',
    "exec:",
    "can:",
    "serial:",
    "=",
    "\\",
    "]",
    "a",
    "0",
    ":",
  );
  const text = fc.oneof(fc.string(), fc.array(word).map((words) => words.join("")));
  fc.assert(
    fc.property(text, (text) => {
      for (const parse of [parseEndpoint, (text: string) => parseNamedService(`a=${text}`), parseService]) {
        try {
          parse(text);
        } catch (error) {
          assert.ok(error instanceof SyntaxError, String(error));
          assert.ok(!/\n./.test(error.message.replaceAll(text, "")), error.message);
        }
      }
    }),
    { numRuns: 2_000 },
  );
});
