import assert from "node:assert/strict";
import fc from "fast-check";
import { FairQueue } from "./fair_queue.ts";
import { test } from "../../../tests/rig/test.ts";

const QUANTUM = 1_000;

/** A channel with pieces of the given sizes, over and over. */
class Channel {
  readonly name: string;
  readonly #pieces: readonly number[];
  #at = 0;
  size: number;
  sent = 0;

  constructor(name: string, ...pieces: number[]) {
    this.name = name;
    this.#pieces = pieces;
    this.size = pieces[0]!;
  }

  /** @returns whether its piece was sent in full. */
  send(size: number): boolean {
    assert(size > 0 && size <= this.size, `${size} of ${this.size} bytes`);
    this.size -= size;
    this.sent += size;
    return this.size === 0;
  }

  read(): void {
    this.#at = (this.#at + 1) % this.#pieces.length;
    this.size = this.#pieces[this.#at]!;
  }
}

/** Sends once, and lets the sender wait again with its next piece if it is `backlogged`. */
function serve(
  queue: FairQueue<Channel>,
  most: number,
  backlogged: (channel: Channel) => boolean = () => true,
): string {
  const turn = queue.next(most);
  assert(turn);
  assert(turn.size <= most);
  const { item } = turn;
  if (item.send(turn.size) && backlogged(item)) {
    item.read();
    queue.add(item);
  }
  return item.name;
}

test("nobody waits at first, and one who was served in full waits no more", () => {
  const queue = new FairQueue<Channel>(QUANTUM);
  assert.equal(queue.next(9_999), undefined);
  const channel = new Channel("a", 300);
  queue.add(channel);
  queue.add(channel);
  assert.equal(queue.waiting, 1);
  assert.deepEqual({ ...queue.next(9_999) }, { item: channel, size: 300 });
  assert.equal(queue.waiting, 0);
  assert.equal(queue.next(9_999), undefined);
});

test("one alone sends as much as it is let, and two a quantum each in turn", () => {
  const queue = new FairQueue<Channel>(QUANTUM);
  const [a, b] = [new Channel("a", 100_000), new Channel("b", 100_000)];
  queue.add(a);
  assert.equal(queue.next(64_000)?.size, 64_000);
  a.send(64_000);
  assert.equal(queue.next(0), undefined, "nothing may be sent, so nobody's turn is used up");
  queue.add(b);
  const order = Array.from({ length: 6 }, () => serve(queue, 64_000));
  assert.deepEqual(order.join(""), "bababa");
  assert.equal(b.sent, 3 * QUANTUM);
});

test("channels that always have more to send get equal bytes, whatever pieces and frames they come in", () => {
  const pieces = fc.array(fc.integer({ min: 1, max: 4 * QUANTUM }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(
      fc.array(pieces, { minLength: 2, maxLength: 8 }),
      fc.array(fc.integer({ min: 1, max: 2 * QUANTUM }), { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 400 }),
      (kinds, mosts, turns) => {
        const queue = new FairQueue<Channel>(QUANTUM);
        const channels = kinds.map((sizes, at) => new Channel(String(at), ...sizes));
        for (const channel of channels) queue.add(channel);
        for (let turn = 0; turn < turns; turn++) {
          serve(queue, mosts[turn % mosts.length]!);
          const sent = channels.map((channel) => channel.sent);
          const apart = Math.max(...sent) - Math.min(...sent);
          // Where more come at once than may go ahead, the last ones begin one round later.
          const most = (channels.length > 4 ? 3 : 2) * QUANTUM;
          assert(apart <= most, `${apart} bytes apart after ${turn} turns`);
        }
      },
    ),
  );
});

test("what a channel sends in a round may change: all have the same in each, and equal bytes in the end", () => {
  const pieces = fc.array(fc.integer({ min: 1, max: 4 * QUANTUM }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(
      fc.array(pieces, { minLength: 2, maxLength: 4 }),
      fc.array(fc.integer({ min: 1, max: 5 * QUANTUM }), { minLength: 1, maxLength: 20 }),
      fc.array(fc.boolean(), { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 400 }),
      (kinds, mosts, changes, turns) => {
        const queue = new FairQueue<Channel>(QUANTUM);
        const channels = kinds.map((sizes, at) => new Channel(String(at), ...sizes));
        for (const channel of channels) queue.add(channel);
        for (let turn = 0; turn < turns; turn++) {
          queue.quantum = changes[turn % changes.length] ? 4 * QUANTUM : QUANTUM;
          serve(queue, mosts[turn % mosts.length]!);
          const sent = channels.map((channel) => channel.sent);
          const apart = Math.max(...sent) - Math.min(...sent);
          assert(apart <= 8 * QUANTUM, `${apart} bytes apart after ${turn} turns`);
        }
      },
    ),
  );
});

test("one that was silent goes before all others, and those who were silent go in the order in which they came", () => {
  const queue = new FairQueue<Channel>(QUANTUM);
  for (const name of ["a", "b", "c"]) queue.add(new Channel(name, 50_000));
  for (let turn = 0; turn < 10; turn++) serve(queue, QUANTUM);
  queue.add(new Channel("x", 10));
  queue.add(new Channel("y", 10));
  assert.equal(serve(queue, QUANTUM, () => false) + serve(queue, QUANTUM, () => false), "xy");
});

test("one that comes back at once was not silent: it goes on with what it has left of its round", () => {
  const queue = new FairQueue<Channel>(QUANTUM);
  const bulk = new Channel("b", 50_000);
  const eager = new Channel("e", QUANTUM / 2);
  queue.add(bulk);
  for (let turn = 0; turn < 3; turn++) serve(queue, QUANTUM);
  queue.add(eager);
  let order = "";
  for (let turn = 0; turn < 12; turn++) order += serve(queue, QUANTUM);
  assert.match(order, /^ee(bee|eb|be)*b?$/);
  assert(Math.abs(bulk.sent - 3 * QUANTUM - eager.sent) <= 2 * QUANTUM);
});

test("one that comes back after its silence goes first again", () => {
  const queue = new FairQueue<Channel>(QUANTUM);
  const bulk = new Channel("b", 50_000);
  const typist = new Channel("t", 10);
  queue.add(bulk);
  for (let key = 0; key < 20; key++) {
    for (let turn = 0; turn < 3; turn++) assert.equal(serve(queue, QUANTUM), "b");
    typist.size = 10;
    queue.add(typist);
    assert.equal(serve(queue, QUANTUM, () => false), "t");
  }
});

test("ever new channels do not starve one that is busy", () => {
  const queue = new FairQueue<Channel>(QUANTUM);
  const bulk = new Channel("b", 50_000);
  queue.add(bulk);
  serve(queue, QUANTUM);
  bulk.sent = 0;
  for (let at = 0; at < 500; at++) {
    queue.add(new Channel("n", QUANTUM));
    serve(queue, QUANTUM, (channel) => channel === bulk);
  }
  // More come than the link can take, so each of its rounds has all of them in it; but each round has it too.
  assert(bulk.sent >= 20 * QUANTUM, `${bulk.sent} bytes`);
});

test("one that is gone is forgotten: it waits no more, and when it comes again nothing is known of it", () => {
  const queue = new FairQueue<Channel>(QUANTUM);
  const [a, b] = [new Channel("a", 50_000), new Channel("b", 50_000)];
  queue.add(a);
  queue.add(b);
  assert.equal(serve(queue, QUANTUM), "a");
  queue.forget(a);
  queue.forget(a);
  assert.equal(queue.waiting, 1);
  assert.equal(serve(queue, QUANTUM), "b");
  queue.add(a);
  assert.equal(serve(queue, QUANTUM), "a", "as one that was silent");
});

test("over any schedule nobody starves, a silent one's small piece goes next, and the counts are right", () => {
  const step = fc.record({
    who: fc.integer({ min: 0, max: 5 }),
    act: fc.constantFrom("add", "add", "serve", "serve", "serve", "forget"),
    most: fc.integer({ min: 1, max: 3 * QUANTUM }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const queue = new FairQueue<Channel>(QUANTUM);
      const channels = Array.from({ length: 6 }, (_, at) => new Channel(String(at), 700 * at + 1));
      const waits = new Map<Channel, number>(); // bytes that went to others while it waited
      for (const { who, act, most } of steps) {
        const channel = channels[who]!;
        if (act === "add") {
          if (channel.size === 0) channel.read();
          queue.add(channel);
          if (!waits.has(channel)) waits.set(channel, 0);
        } else if (act === "serve") {
          const turn = queue.next(most);
          assert.equal(turn === undefined, waits.size === 0);
          if (!turn) continue;
          assert(waits.has(turn.item), "it does not wait");
          for (const [other, bytes] of waits) waits.set(other, bytes + (other === turn.item ? 0 : turn.size));
          if (turn.item.send(turn.size)) waits.delete(turn.item);
          else waits.set(turn.item, 0);
        } else {
          queue.forget(channel);
          waits.delete(channel);
        }
        assert.equal(queue.waiting, waits.size);
        // In two rounds of six, each with a frame beyond its quantum, and what silent ones may send ahead.
        for (const bytes of waits.values()) assert(bytes <= 2 * 2 * 6 * QUANTUM, `${bytes} bytes went by`);
      }
    }),
  );
});
