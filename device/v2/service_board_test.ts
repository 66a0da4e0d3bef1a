import assert from "node:assert/strict";
import { WATCH_INTERVAL_MS } from "../limits.ts";
import type { ServiceOffer } from "../../protocol/v2/wire/messages.ts";
import { silentLogger } from "../../base/logger.ts";
import { engine } from "../../net/_engines_fixture_test.ts";
import { FakeClock } from "../../tests/rig/clock.ts";
import { echoService } from "../../tests/rig/service.ts";
import { test } from "../../tests/rig/test.ts";
import type { NamedService } from "./named_service.ts";
import { network } from "./outside.ts";
import { ServiceBoard } from "./service_board.ts";
import { freePort } from "../../tests/rig/ports.ts";

/** A board that writes down what it tells. */
class Board {
  readonly clock = new FakeClock();
  readonly told: string[] = [];
  readonly board: ServiceBoard;
  #wake = Promise.withResolvers<void>();

  constructor(services: readonly NamedService[], mode: "config" | "run" = "run") {
    const here = { engine, clock: this.clock, logger: silentLogger };
    this.board = new ServiceBoard(services, mode, (service) => network(here).reach(service), this.clock, {
      onOffers: (offers) => this.#tell(`offers ${describe(offers)}`),
      onMode: (to) => this.#tell(`mode ${to}`),
      onService: ({ name }, up) => this.#tell(`${name} ${up ? "up" : "down"}`),
    });
  }

  /** Waits until so many things were told. */
  async next(count: number): Promise<string[]> {
    while (this.told.length < count) await this.#wake.promise;
    return this.told.splice(0);
  }

  #tell(what: string): void {
    this.told.push(what);
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }
}

function describe(offers: readonly ServiceOffer[]): string {
  return offers.map(({ number, offered, name }) => `${number}${offered ? "+" : "-"}${name}`).join(" ");
}

const at = (name: string, port: number, host = "127.0.0.1"): NamedService => ({ name, localAddress: { host, port } });
const watched = (name: string, port: number, host?: string) => ({ ...at(name, port, host), refuseWhenDown: true });
const HOST = "127.0.0.91";

test("a board without anything to watch is in its mode at once, and offers all", () => {
  const { board, told } = new Board([at("a", 1), at("b", 2)]);
  assert.equal(board.mode, "init");
  assert.equal(describe(board.offers()), "0-a 1-b");
  board.start();
  assert.deepEqual(told, ["mode run", "offers 0+a 1+b"]);
  assert.equal(describe(board.offers()), "0+a 1+b");
  board.close();
  return Promise.resolve();
});

test("in config nothing is offered; run and back are told once each", () => {
  const { board, told } = new Board([at("a", 1)], "config");
  board.start();
  assert.deepEqual(told.splice(0), ["mode config", "offers 0-a"]);
  board.mode = "config";
  assert.deepEqual(told, []);
  board.mode = "run";
  assert.deepEqual(told.splice(0), ["mode run", "offers 0+a"]);
  assert.equal(board.find(0)?.offered, true);
  board.mode = "config";
  assert.deepEqual(told.splice(0), ["mode config", "offers 0-a"]);
  assert.equal(board.find(0)?.offered, false);
  assert.equal(board.find(1), undefined);
  return Promise.resolve();
});

test("a mode that is asked for in init is the one that it leaves init for", async () => {
  await using service = echoService();
  const watch = new Board([watched("a", service.port)]);
  watch.board.start();
  watch.board.mode = "config";
  assert.equal(watch.board.mode, "init");
  assert.deepEqual(await watch.next(2), ["mode config", "offers 0-a"]);
  watch.board.close();
});

test("a board stays in init until each watched service has been looked at, up or down", async () => {
  await using service = echoService();
  const watch = new Board([watched("up", service.port), watched("down", freePort(HOST), HOST), at("other", 1)]);
  watch.board.start();
  assert.equal(watch.board.mode, "init");
  assert.deepEqual(await watch.next(3), ["down down", "mode run", "offers 0+up 1-down 2+other"]);
  assert.deepEqual(watch.board.status.map(({ name, offered, up }) => [name, offered, up]), [
    ["up", true, true],
    ["down", false, false],
    ["other", true, undefined],
  ]);
  watch.board.close();
});

test("a watched service that comes up or goes down is told, and offered or withdrawn alone", async () => {
  const port = freePort(HOST);
  const watch = new Board([at("other", 1), watched("web", port, HOST)]);
  watch.board.start();
  await watch.next(2);
  {
    await using _service = echoService({ hostname: HOST, port });
    await watch.clock.armed(WATCH_INTERVAL_MS);
    watch.clock.tick(WATCH_INTERVAL_MS);
    assert.deepEqual(await watch.next(2), ["web up", "offers 1+web"]);
  }
  await watch.clock.armed(WATCH_INTERVAL_MS);
  watch.clock.tick(WATCH_INTERVAL_MS);
  assert.deepEqual(await watch.next(2), ["web down", "offers 1-web"]);
  watch.board.close();
});

test("what clients find counts at once, and in config is told but not offered", async () => {
  await using service = echoService();
  const watch = new Board([watched("web", service.port), at("other", 1)]);
  watch.board.start();
  await watch.next(2);
  const [web, other] = watch.board.services;
  watch.board.hint(web!, true);
  watch.board.hint(other!, false); // nobody asked for it to be watched
  assert.deepEqual(watch.told, []);
  watch.board.hint(web!, false);
  assert.deepEqual(watch.told.splice(0), ["web down", "offers 0-web"]);
  watch.board.mode = "config";
  watch.told.splice(0);
  watch.board.hint(web!, true);
  assert.deepEqual(watch.told.splice(0), ["web up"]);
  watch.board.mode = "run";
  assert.deepEqual(watch.told.splice(0), ["mode run", "offers 0+web 1+other"]);
  watch.board.close();
  watch.board.hint(web!, false);
  assert.deepEqual(watch.told, [], "closed, it listens to nobody");
});

test("what the server answers is kept by number, until the link is down", () => {
  const { board } = new Board([at("a", 1), at("b", 2), at("c", 3)]);
  board.start();
  const news = board.learn([
    { number: 1, code: "not-granted", text: "granted: a" },
    { number: 0, code: "granted", text: "192.0.2.1:80" },
    { number: 9, code: "granted", text: "nobody asked for this one" },
    { number: 2, code: "granted", text: "" },
  ]);
  assert.deepEqual(news.map(({ service, result }) => [service.name, result.code]), [
    ["b", "not-granted"],
    ["a", "granted"],
    ["c", "granted"],
  ]);
  assert.deepEqual(board.status.map(({ hostAddress, error }) => [hostAddress, error]), [
    ["192.0.2.1:80", undefined],
    [undefined, "not-granted: granted: a"],
    [undefined, undefined],
  ]);
  board.forgetResults();
  assert.equal(board.status.some(({ hostAddress, error }) => hostAddress !== undefined || error !== undefined), false);
  return Promise.resolve();
});
