import assert from "node:assert/strict";
import fc from "fast-check";
import { test } from "../../tests/rig/test.ts";
import { type NamedService, parseNamedService, parseNamedServices, splitServices } from "./named_service.ts";

const seconds = (text: string) => {
  if (!/^\d+s$/.test(text)) throw new SyntaxError(`"${text}" is not a time`);
  return parseInt(text) * 1_000;
};
const parse = (text: string) => parseNamedService(text, seconds);

const GOOD: readonly [text: string, service: NamedService][] = [
  ["ssh=127.0.0.1:22", { name: "ssh", localAddress: { host: "127.0.0.1", port: 22 } }],
  ["a.B_c-9=plc-7.local:502", { name: "a.B_c-9", localAddress: { host: "plc-7.local", port: 502 } }],
  ["v6=[::1]:80", { name: "v6", localAddress: { host: "::1", port: 80 } }],
  ["w=h:1,proxy=v1", { name: "w", localAddress: { host: "h", port: 1 }, proxy: 1 }],
  ["w=h:1,proxy=v2", { name: "w", localAddress: { host: "h", port: 1 }, proxy: 2 }],
  ["w=h:1,down=refuse", { name: "w", localAddress: { host: "h", port: 1 }, refuseWhenDown: true }],
  ["w=h:65535, max-clients=65536", { name: "w", localAddress: { host: "h", port: 65535 }, maxClients: 65536 }],
  ["w=h:1,connect-timeout=3s,idle-timeout=60s", {
    name: "w",
    localAddress: { host: "h", port: 1 },
    connectTimeout: 3_000,
    idleTimeout: 60_000,
  }],
  [" w=h:1 , proxy=v1 , max-clients=1 ", { name: "w", localAddress: { host: "h", port: 1 }, proxy: 1, maxClients: 1 }],
];

for (const [text, service] of GOOD) {
  test(`"${text}" is a service`, () => assert.deepEqual(parse(text), service));
}

const BAD: readonly [text: string, why: RegExp][] = [
  ["", /has no name; write NAME=HOST:PORT/],
  ["127.0.0.1:22", /has no name/],
  ["=127.0.0.1:22", /"" is not a name/],
  ["a b=127.0.0.1:22", /"a b" is not a name/],
  ["ä=127.0.0.1:22", /is not a name/],
  [`${"x".repeat(64)}=h:1`, /is not a name; write 1 to 63/],
  ["ssh=127.0.0.1", /127\.0\.0\.1/],
  ["ssh=", /./],
  ["ssh=127.0.0.1:0", /the port in .* is 0/],
  ["ssh=127.0.0.1:65536", /65536/],
  ["ssh=h:1,proxy=v3", /write proxy=v1 or proxy=v2/],
  ["ssh=h:1,proxy", /write proxy=v1 or proxy=v2/],
  ["ssh=h:1,proxy=v1=x", /write proxy=v1 or proxy=v2/],
  ["ssh=h:1,proxy=v1,proxy=v2", /says proxy twice; say it once/],
  ["ssh=h:1,max-clients=5,down=refuse,max-clients=5", /says max-clients twice/],
  ["ssh=h:1,max-clients=5=7", /a whole number/],
  ["ssh=h:1,down=refuse=x", /write down=refuse/],
  ["ssh=h:1,idle-timeout=3s=4s", /"3s=4s" is not a time/],
  ["ssh=h:1,down=close", /write down=refuse/],
  ["ssh=h:1,max-clients=0", /a whole number from 1 to 65536/],
  ["ssh=h:1,max-clients=65537", /a whole number from 1 to 65536/],
  ["ssh=h:1,max-clients=1.5", /a whole number/],
  ["ssh=h:1,max-clients=-1", /a whole number/],
  ["ssh=h:1,idle-timeout=soon", /"soon" is not a time/],
  ["ssh=h:1,max_clients=1", /"max_clients=1" in .* is not known; did you mean "max-clients=1"\?$/],
  ["ssh=h:1,prox=v2", /"prox=v2" in .* is not known; did you mean "proxy=v2"\?$/],
  ["ssh=h:1,colour=red", /"colour=red" in .* is not known; write/],
  ["x=unix:/run/x,prox=v2", /did you mean "proxy=v2"\?$/],
  ["x=serial:/dev/ttyS0,9600,flw=xon", /did you mean "flow=xon"\?$/],
  ["ssh=h:1,", /is not known/],
  ["ssh=h:1,__proto__=1", /is not known/],
];

for (const [text, why] of BAD) {
  test(`"${text.slice(0, 40)}" is no service, and the message says why`, () => {
    assert.throws(() => parse(text), (error) => error instanceof SyntaxError && why.test(error.message));
  });
}

test("a list is split at commas, but not between a service and what is said of it", () => {
  const text =
    "ssh=127.0.0.1:22,web=127.0.0.1:80,proxy=v2, max-clients=3,down=refuse,plc=10.0.0.7:502,idle-timeout=60s";
  const services = splitServices(text);
  assert.deepEqual(services, [
    "ssh=127.0.0.1:22",
    "web=127.0.0.1:80,proxy=v2, max-clients=3,down=refuse",
    "plc=10.0.0.7:502,idle-timeout=60s",
  ]);
  assert.deepEqual(services.map((service) => parse(service).name), ["ssh", "web", "plc"]);
});

test("a list that begins with a detail has no service for it, which parsing says", () => {
  assert.deepEqual(splitServices("proxy=v2,ssh=h:1"), ["proxy=v2", "ssh=h:1"]);
  assert.throws(() => parse("proxy=v2"), SyntaxError);
});

test("joining what was split gives the list again", () => {
  const service = fc.constantFrom("a=h:1", "b=h:2,proxy=v1", "c=[::1]:3,max-clients=4,down=refuse");
  fc.assert(fc.property(fc.array(service, { minLength: 1, maxLength: 6 }), (services) => {
    assert.deepEqual(splitServices(services.join(",")), services);
  }));
});

test("a range of local ports is as many services, with what else is said of each", () => {
  const all = parseNamedServices("web=[::1]:9000-9002,down=refuse,max-clients=3");
  assert.deepEqual(all.map(({ name, localAddress }) => [name, localAddress?.port]), [
    ["web-1", 9000],
    ["web-2", 9001],
    ["web-3", 9002],
  ]);
  assert.ok(all.every(({ refuseWhenDown, maxClients }) => refuseWhenDown === true && maxClients === 3));
  assert.deepEqual(parseNamedServices("a=udp:127.0.0.1:5-6").map(({ endpoint }) => endpoint), [
    "udp:127.0.0.1:5",
    "udp:127.0.0.1:6",
  ]);
  assert.deepEqual(parseNamedServices("web=127.0.0.1:80"), [parseNamedService("web=127.0.0.1:80")]);
  for (const text of ["a=h:5-5", "a=h:6-5", "a=h:0-3", "a=h:65000-65536", "a=h:1-257"]) {
    assert.throws(() => parseNamedServices(text), SyntaxError, text);
  }
});
