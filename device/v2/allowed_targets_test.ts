import assert from "node:assert/strict";
import { FakeClock } from "../../tests/rig/clock.ts";
import { engineChoice } from "../../tests/rig/engine.ts";
import { echoService } from "../../tests/rig/service.ts";
import { test } from "../../tests/rig/test.ts";
import { silentLogger } from "../../base/logger.ts";
import { startEngine } from "../../net/engines.ts";
import { V2_MAX_SERVICES } from "../../protocol/v2/limits.ts";
import { reachReason, reachService } from "../endpoints/service_reach.ts";
import { AllowedTargets, type Lookup, type NamedTarget, parseAllow } from "./allowed_targets.ts";

const clock = new FakeClock();
const CLIENT = { client: "192.0.2.1:1", hostAddress: "192.0.2.2:2" };

/** Targets within rules, in a network where names lead where `find` says. */
function targets(
  rules: readonly string[],
  find: Lookup = () => Promise.reject(new Error("no names here")),
): AllowedTargets {
  const engine = startEngine(engineChoice, silentLogger);
  return new AllowedTargets(
    rules.map(parseAllow),
    (service, endpoint) =>
      reachService(endpoint, {}, { engine, clock, logger: silentLogger, service: service.name, maxClients: undefined }),
    find,
  );
}

/** Why an address cannot be reached, if so. */
async function reach(all: AllowedTargets, address: string): Promise<string | undefined> {
  const found = all.find({ name: "web", address });
  if (typeof found === "string") return `not-allowed ${found}`;
  try {
    (await found.reach.connect(CLIENT, 1_000, new AbortController().signal)).close();
    return undefined;
  } catch (error) {
    return `${reachReason(error)} ${String(error)}`;
  }
}

test("what the owner allows is reached, and nothing else, however it is written", async () => {
  await using echo = echoService();
  const all = targets([`127.0.0.0/8:${echo.port}`, "[fd00::]:80"]);
  for (const host of ["127.0.0.1", "[::ffff:127.0.0.1]"]) {
    assert.equal(await reach(all, `${host}:${echo.port}`), undefined, host);
  }
  const wrong = [
    `127.0.0.1:${echo.port === 1 ? 2 : 1}`,
    `128.0.0.1:${echo.port}`,
    `0.0.0.0:${echo.port}`,
    `[::1]:${echo.port}`,
  ];
  for (const address of wrong) assert.match((await reach(all, address))!, /^not-allowed .* is not within/, address);
  for (const address of ["", "x", "127.0.0.1:0", "127.0.0.1:99999", "a b:1"]) {
    assert.match((await reach(all, address))!, /^not-allowed /, address);
  }
});

test("a name counts by where it leads, which is looked up once: nobody can lead it elsewhere in between", async () => {
  await using echo = echoService();
  const answers = [["192.0.2.1"], ["192.0.2.1", "127.0.0.1"], ["169.254.169.254"]];
  let asked = 0;
  const all = targets([`127.0.0.1:${echo.port}`], () => Promise.resolve(answers[asked++]!));
  assert.match(
    (await reach(all, `inside.example:${echo.port}`))!,
    /^not-allowed .*leads to 192\.0\.2\.1, which the device does not allow/,
  );
  assert.equal(await reach(all, `inside.example:${echo.port}`), undefined, "the one that is allowed was dialled");
  assert.match((await reach(all, `inside.example:${echo.port}`))!, /^not-allowed /);
  assert.equal(asked, 3, "one question for each client");
});

test("a name that nobody answers for does not hold a client beyond its time", async () => {
  const all = targets(["*:80"], () => new Promise(() => {}));
  const found = reach(all, "silent.example:80");
  await clock.armed(1_000);
  clock.tick(1_000);
  assert.match((await found)!, /^connect-timeout /);
});

test("what the server has named is remembered within a bound, and without rules nothing is allowed", () => {
  const all = targets(["*:*"]);
  const first = all.find({ name: "a", address: "10.0.0.1:80" }) as NamedTarget;
  assert.equal(all.find({ name: "a", address: "10.0.0.1:80" }), first);
  for (let n = 0; n < V2_MAX_SERVICES; n++) all.find({ name: "b", address: `10.0.1.1:${n + 1}` });
  assert.notEqual(all.find({ name: "a", address: "10.0.0.1:80" }), first);
  assert.match(String(targets([]).find({ name: "a", address: "x.example:80" })), /lets the server name no address/);
});

test("a rule is an IP, a network or everything, and no name", () => {
  for (const text of ["127.0.0.1:*", "192.168.1.0/24:80", "[fd00::/8]:8000-8010", "*:443"]) {
    assert.equal(parseAllow(text).text, text);
  }
  assert.throws(() => parseAllow("printer.lan:80"), /is a name; write an IP or a network/);
  for (const text of ["127.0.0.1", "10.0.0.0/33:1", "127.0.0.1:0"]) assert.throws(() => parseAllow(text), SyntaxError);
});
