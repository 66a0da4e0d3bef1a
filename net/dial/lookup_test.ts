import assert from "node:assert/strict";
import { LOOKUP_SHARED_MS, MAX_DOUBTFUL_LOOKUPS, MAX_LOOKUPS, MAX_LOOKUPS_PER_NAME } from "../limits.ts";
import { lookup, Lookups, NameError } from "./lookup.ts";
import { systemClock } from "../../base/clock.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { settled } from "../../tests/rig/wait.ts";
import { test } from "../../tests/rig/test.ts";

/** Name servers that answer when the test says so. */
class Servers {
  readonly clock = new FakeClock();
  readonly lookups = new Lookups((name) => this.#ask(name));
  readonly asked: string[] = [];
  readonly #pending: { readonly name: string; readonly answer: PromiseWithResolvers<string[]> }[] = [];

  find(name: string): Promise<string[]> {
    const found = this.lookups.find(name, this.clock);
    found.catch(() => {});
    return found;
  }

  /** Answers all that is asked for a name; without addresses it is unknown. */
  async answer(name: string, ...addresses: string[]): Promise<void> {
    for (const each of this.#pending.filter((pending) => pending.name === name)) {
      this.#pending.splice(this.#pending.indexOf(each), 1);
      if (addresses.length > 0) each.answer.resolve(addresses);
      else each.answer.reject(new NameError(name, "no"));
    }
    await settled();
  }

  #ask(name: string): Promise<string[]> {
    this.asked.push(name);
    const answer = Promise.withResolvers<string[]>();
    this.#pending.push({ name, answer });
    return answer.promise;
  }
}

test("those who ask for one name at a time share what is found", async () => {
  const servers = new Servers();
  const all = ["relay.example", "Relay.Example", "relay.example"].map((name) => servers.find(name));
  await servers.answer("relay.example", "10.0.0.1", "10.0.0.1", "fd00::1");
  assert.deepEqual(await Promise.all(all), Array(3).fill(["10.0.0.1", "fd00::1"]));
  assert.deepEqual(servers.asked, ["relay.example"]);
  servers.find("relay.example");
  assert.equal(servers.asked.length, 2, "what was found is not kept");
});

test("a name that takes long is asked for anew by who comes later, some times", async () => {
  const servers = new Servers();
  for (let n = 0; n < 3 * MAX_LOOKUPS_PER_NAME; n++) {
    servers.find("a");
    await servers.clock.advance(LOOKUP_SHARED_MS);
  }
  assert.equal(servers.asked.length, MAX_LOOKUPS_PER_NAME);
});

test("names that nobody answers leave room for those that were answered before", async () => {
  const servers = new Servers();
  servers.find("good");
  await servers.answer("good", "10.0.0.1");
  const dead = Array.from({ length: 100 }, (_, n) => servers.find(`dead${n}`));
  assert.equal(servers.asked.length, 1 + MAX_DOUBTFUL_LOOKUPS);
  const good = servers.find("good");
  await servers.answer("good", "10.0.0.2");
  assert.deepEqual(await good, ["10.0.0.2"]);
  for (let n = 0; n < 100; n++) await servers.answer(`dead${n}`);
  for (const each of dead) await assert.rejects(each, NameError);
  assert.equal(servers.asked.length, 102);
});

test("those that were answered and are not now count as the others after a moment, and there is a bound on all", async () => {
  const servers = new Servers();
  const names = Array.from({ length: 2 * MAX_LOOKUPS }, (_, n) => `n${n}`);
  for (const name of names) {
    servers.find(name);
    await servers.answer(name, "10.0.0.1");
  }
  const before = servers.asked.length;
  for (const name of names.slice(0, MAX_DOUBTFUL_LOOKUPS)) servers.find(name);
  await servers.clock.advance(LOOKUP_SHARED_MS);
  for (const name of names.slice(0, MAX_DOUBTFUL_LOOKUPS)) servers.find(name);
  assert.equal(servers.asked.length - before, MAX_DOUBTFUL_LOOKUPS, "no second one");
  for (const name of names) servers.find(name);
  assert.equal(servers.asked.length - before, MAX_LOOKUPS);
});

test("a name without an address is an error that says so", async () => {
  const empty = new Lookups(() => Promise.resolve([]));
  await assert.rejects(empty.find("a", new FakeClock()), /^NameError: cannot find the address of a: it has none$/);
});

test("the system's names are found, and a name that cannot be is told in one line", async () => {
  const found = await lookup("localhost", systemClock);
  assert.ok(found.includes("127.0.0.1") || found.includes("::1"), String(found));
  await assert.rejects(lookup("a.invalid", systemClock), (error) => {
    assert.ok(error instanceof NameError);
    assert.match(error.message, /^cannot find the address of a\.invalid: [^\n]+$/);
    return true;
  });
});
